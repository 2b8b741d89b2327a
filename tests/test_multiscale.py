"""From coarse to fine: the sizes, what is handed on, the mean of the iterates."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import nst_jax as nst
from nst_jax.extractors.base import Function
from nst_jax.images.size import KERNELS, enlarge
from nst_jax.losses.term import Term, itself
from nst_jax.methods import transfer
from nst_jax.methods.multiscale import MOMENTS, Passage, changer, hand_on, sizes
from nst_jax.methods.transfer import Problem, Spec
from nst_jax.optim import minimise
from nst_jax.optim.solvers import SOLVERS, Info, Solver
from nst_jax.parallel import lanes

NUMBERS = {
    "adam": {"learning_rate": 0.02, "b1": 0.9, "b2": 0.99, "eps": 1e-8},
    "sgd": {"learning_rate": 0.1, "momentum": 0.9},
    "adagrad": {"learning_rate": 0.02, "eps": 1e-8},
    "rmsprop": {"learning_rate": 0.02, "decay": 0.9, "eps": 1e-8},
    "lbfgs": {},
    "lbfgs_torch": {"learning_rate": 1.0, "unit": 1.0},
}
OPTIONS = {"lbfgs": (("memory", 3), ("evaluations", 5)), "lbfgs_torch": (("memory", 3),)}


def mean_square(x, aim):
    return jnp.mean((x - 0.25) ** 2)


NETWORK = Function(lambda params, image, taps: {}, ())
TERMS = (Term("square", "image", itself, mean_square, additive=False),)


def spec(solver="adam"):
    options = OPTIONS.get(solver, (("clamp", False),))
    return Spec(NETWORK, TERMS, SOLVERS[solver], options)


def problem(solver="adam", decay=None):
    numbers = {k: jnp.float32(v) for k, v in NUMBERS[solver].items()}
    return Problem({}, {}, {"square": jnp.float32(1.0)}, numbers, None, decay)


def run(chosen, numbers, state, steps):
    state = jax.tree.map(jnp.copy, state)  # `advance` takes its memory
    return transfer.advance(chosen, numbers, state, steps=steps, room=steps)[0]


def flat(side, value=0.75):
    return jnp.full((side, side, 3), value)


def test_sizes_are_those_of_the_published_program():
    assert sizes(first=128, last=512, factor=2**0.5) == [128, 181, 256, 362, 512]
    assert sizes(first=512, last=1024, factor=2.0) == [512, 1024]


@pytest.mark.parametrize("first", [512, 513, 4096])
def test_a_first_size_that_is_not_smaller_leaves_one(first):
    assert sizes(first=first, last=512, factor=2**0.5) == [512]


def test_a_factor_that_does_not_grow_is_refused():
    with pytest.raises(ValueError, match="above 1"):
        sizes(first=8, last=512, factor=1.0)


@pytest.mark.parametrize("moments", MOMENTS)
@pytest.mark.parametrize("kernel", KERNELS)
def test_one_shape_changes_nothing_and_a_constant_stays_one(kernel, moments):
    passage, x = Passage(kernel, moments), jax.random.normal(jax.random.key(0), (8, 10, 3))
    same = changer(passage, before=x.shape, after=x.shape)
    for power in (0, 1, 2):
        assert (same(x, power=power) == x).all()
    grow = changer(passage, before=(8, 10, 3), after=(12, 15, 3))
    factor = (80 / 180 if moments == "rescale" else 1.0) ** np.arange(3)
    for power in (0, 1, 2):
        np.testing.assert_allclose(grow(jnp.full((8, 10, 3), 0.7), power=power), 0.7 * factor[power], rtol=1e-5)
    assert (grow(jnp.abs(x) ** 8, power=2) >= 0).all()


@pytest.mark.parametrize("size", [(16, 16), (23, 31)])
def test_the_kernel_of_torch_is_the_cubic_one_of_minus_three_quarters(size):
    """By its definition, position by position: Keys 1981 with a = -0.75, the border repeated."""
    x = np.asarray(jax.random.uniform(jax.random.key(1), (11, 13, 3)), np.float64)
    a, (height, width) = -0.75, size

    def kernel(t):
        t = abs(t)
        if t <= 1:
            return (a + 2) * t**3 - (a + 3) * t**2 + 1
        return a * t**3 - 5 * a * t**2 + 8 * a * t - 4 * a if t < 2 else 0.0

    def along(v, after):
        found = np.zeros((after, *v.shape[1:]))
        for i in range(after):
            place = (i + 0.5) * len(v) / after - 0.5
            for tap in range(int(np.floor(place)) - 1, int(np.floor(place)) + 3):
                found[i] += kernel(place - tap) * v[min(max(tap, 0), len(v) - 1)]
        return found

    expected = along(along(x, height).swapaxes(0, 1), width).swapaxes(0, 1)
    found = enlarge(jnp.asarray(x, jnp.float32), height=height, width=width, kernel="torch")
    np.testing.assert_allclose(found, expected, atol=2e-5)


def test_the_step_of_adam_after_the_change_equals_the_one_before_it():
    """A mean over pixels of a flat image has a gradient per pixel that falls as 1 / pixels."""
    chosen, numbers = spec(), problem()
    numbers = numbers._replace(hyper={**numbers.hyper, "learning_rate": jnp.float32(1e-4)})  # the image stays flat

    def step(state, steps=1):
        """The length of the last of so many steps, in parts of the learning rate."""
        before = run(chosen, numbers, state, steps - 1).x if steps > 1 else state.x
        return float((run(chosen, numbers, state, steps).x - before).mean()) / 1e-4

    state = run(chosen, numbers, transfer.begin(chosen, numbers, flat(8)), 30)
    handed = {m: hand_on(chosen, Passage("cubic", m), numbers, state, flat(16)) for m in MOMENTS}
    before = step(state)
    assert before == pytest.approx(-1, rel=1e-2)
    assert step(handed["rescale"]) == pytest.approx(before, rel=1e-2)
    assert step(handed["forget"]) == pytest.approx(-1, rel=1e-2)
    late = {m: step(handed[m], 15) for m in MOMENTS}
    assert late["rescale"] == pytest.approx(before, rel=1e-2)
    assert abs(late["resize"]) < 0.6  # the old squares are 16 times too large, and fade in some hundred steps


@pytest.mark.parametrize("solver", NUMBERS)
def test_a_state_is_handed_on_to_a_larger_image(solver):
    chosen, numbers = spec(solver), problem(solver)
    start = jax.random.uniform(jax.random.key(2), (8, 6, 3))
    state = run(chosen, numbers, transfer.begin(chosen, numbers, start), 3)
    steps, evaluations = int(state.steps), int(state.evaluations)
    handed = hand_on(chosen, Passage("cubic", "rescale"), numbers, state, jnp.zeros((12, 9, 3)))
    fresh = transfer.begin(chosen, numbers, jnp.zeros((12, 9, 3)))
    assert jax.tree.map(jnp.shape, handed) == jax.tree.map(jnp.shape, fresh)
    assert (int(handed.steps), int(handed.evaluations)) == (steps, evaluations)
    expected = jnp.clip(enlarge(state.x, height=12, width=9, kernel="cubic"), 0, 1)
    np.testing.assert_allclose(handed.x, expected, atol=1e-6)
    assert np.isinf(handed.lowest)
    on = run(chosen, numbers, handed, 2)
    assert int(on.steps) == steps + 2
    assert np.isfinite(on.x).all()


def test_lbfgs_begins_anew_and_adam_keeps_its_count():
    kept = {}
    for solver in ("adam", "lbfgs"):
        chosen, numbers = spec(solver), problem(solver)
        state = run(chosen, numbers, transfer.begin(chosen, numbers, flat(8, 0.6)), 3)
        kept[solver] = hand_on(chosen, Passage("cubic", "rescale"), numbers, state, flat(12)).opt
    assert int(kept["adam"][0].count) == 3
    assert int(kept["lbfgs"].memory.pairs) == -1
    assert not kept["lbfgs"].known


def test_lanes_hand_on_as_single_runs_do():
    chosen, passage = spec(), Passage("cubic", "rescale")
    starts = jax.random.uniform(jax.random.key(3), (2, 8, 8, 3))
    many, axes = lanes.stack([problem(), problem()._replace(hyper={**problem().hyper, "b1": jnp.float32(0.5)})])
    states = lanes.begin(chosen, many, starts, axes=axes)
    states, _ = lanes.advance(chosen, many, states, axes=axes, steps=jnp.full(2, 3), room=3)
    handed = lanes.hand_on(chosen, passage, many, states, jnp.zeros((2, 12, 12, 3)), axes=axes)
    for i in range(2):
        one = jax.tree.map(lambda a, i=i: a[i], states)
        alone = hand_on(chosen, passage, lanes.lane(many, axes, number=i), one, jnp.zeros((12, 12, 3)))
        jax.tree.map(lambda a, b, i=i: np.testing.assert_allclose(a[i], b, atol=1e-6), handed, alone)


# The mean of the iterates


def follow(path):
    """A solver whose iterates are the given ones, whatever the objective."""

    def turn(objective, x, opt, active):
        info = Info(objective(x), jnp.float32(1.0), jnp.int32(1))
        return path[opt], opt + 1, info, jnp.bool_(True)

    return Solver(lambda x, parts=(): jnp.int32(0), turn)


def averaged(path, start, decay, steps=None):
    solver, many = follow(jnp.asarray(path)), len(path)
    state = minimise.begin(solver, jnp.asarray(start), decay=jnp.float32(decay))
    steps = many if steps is None else steps
    return minimise.advance(jnp.sum, solver, state, steps=steps, room=many, decay=jnp.float32(decay))[0]


def test_the_mean_is_that_of_the_published_program():
    path, start, decay = np.array([[3.0], [5.0], [-1.0]], np.float32), np.array([2.0], np.float32), 0.9
    value, weight = 0.0, 0.0
    for x in [start, *path]:  # style_transfer.py:237-253: value <- decay value + (1 - decay) x, read over 1 - decay^n
        value, weight = decay * value + (1 - decay) * x, decay * weight + (1 - decay)
    np.testing.assert_allclose(minimise.outcome(averaged(path, start, decay)), value / weight, rtol=1e-5)
    assert weight == pytest.approx(1 - decay**4)


@pytest.mark.parametrize("decay", [0.5, 0.99])
def test_the_mean_of_a_constant_is_that_constant_from_the_first_step(decay):
    for many in (0, 1, 5):
        state = averaged(np.full((5, 1), 7.0, np.float32), [7.0], decay, steps=many)
        np.testing.assert_allclose(minimise.outcome(state), 7.0, rtol=1e-5)


def test_a_decay_of_zero_is_the_last_iterate():
    path = np.array([[3.0], [5.0], [-1.5]], np.float32)
    assert float(minimise.outcome(averaged(path, [2.0], 0.0))[0]) == -1.5


def test_the_mean_changes_no_iterate_and_its_image_is_the_result():
    chosen, start = spec(), jax.random.uniform(jax.random.key(4), (6, 6, 3))
    plain, mean = (transfer.stylise(chosen, problem(decay=d), start, steps=8) for d in (None, jnp.float32(0.9)))
    np.testing.assert_array_equal(plain.infos.value, mean.infos.value)
    assert float(jnp.abs(plain.image - mean.image).max()) > 1e-3
    assert float(mean.terms["square"]) == pytest.approx(float(mean_square(mean.image, None)), rel=1e-5)


def test_the_mean_is_handed_on_and_begins_anew():
    chosen, numbers = spec(), problem(decay=jnp.float32(0.9))
    state = run(chosen, numbers, transfer.begin(chosen, numbers, flat(8)), 6)
    shown = minimise.outcome(state)
    handed = hand_on(chosen, Passage("cubic", "resize"), numbers, state, flat(12))
    np.testing.assert_allclose(handed.x.mean(), shown.mean(), rtol=1e-5)
    assert float(handed.average.weight) == pytest.approx(0.1)


def test_lanes_with_a_mean():
    chosen, starts = spec(), jax.random.uniform(jax.random.key(5), (2, 6, 6, 3))
    decays = [jnp.float32(0.5), jnp.float32(0.9)]
    many, axes = lanes.stack([problem(decay=d) for d in decays])
    found = lanes.run(chosen, many, starts, steps=5, axes=axes)
    for i, d in enumerate(decays):
        alone = transfer.stylise(chosen, problem(decay=d), starts[i], steps=5)
        np.testing.assert_allclose(found.image[i], alone.image, atol=1e-6)


# What a notebook types


@pytest.fixture(scope="module")
def net():
    return nst.load("distilled")


def test_one_size_alone_is_a_plain_run(net):
    words = {"size": 48, "steps": 3, "progress": False, "solver": nst.adam()}
    plain = nst.stylise(net, "landscape", "brush", **words)
    one = nst.stylise(net, "landscape", "brush", scales=nst.scales(48), **words)
    np.testing.assert_allclose(plain.image, one.image, atol=1e-5)


def test_a_photograph_and_a_painting_from_coarse_to_fine(net):
    words = {"size": 64, "steps": 4, "progress": False, "average": 0.5}
    found = nst.stylise(
        net, "landscape", "brush", scales=nst.scales(32, factor=2.0, then=3), solver=nst.adam(), **words
    )
    assert found.image.shape == (48, 64, 3)
    assert found.curve["total"].shape == (7,)
    assert np.isfinite(found.curve["total"]).all()
    assert found.facts["sizes"] == "32, 64"
    assert found.facts["steps"] == 7


def test_an_array_is_taken_from_the_original_at_every_size(net):
    content, style = nst.picture("landscape", size=64), nst.picture("brush", size=64)
    words = {"steps": 2, "progress": False, "solver": nst.adam(), "scales": nst.scales(32, factor=2.0)}
    arrays = nst.stylise(net, content, style, **words)
    assert arrays.image.shape == (48, 64, 3)
    files = nst.stylise(net, "landscape", "brush", size=64, **words)
    assert float(jnp.abs(arrays.image - files.image).mean()) < 0.02  # reduced once, or twice


def test_regions_and_kept_colours_from_coarse_to_fine(net):
    sky = nst.region(jnp.ones((48, 64)).at[24:].set(0.0), "mosaic")
    words = {"size": 64, "steps": 2, "progress": False, "scales": nst.scales(32, factor=2.0)}
    found = nst.stylise(net, "landscape", "brush", regions={"sky": sky}, colour="luminance", **words)
    assert found.image.shape == (48, 64, 3)
    assert "sky/style/relu1_1" in found.terms


@pytest.mark.parametrize(("words", "said"), [({"kernel": "cubist"}, "kernel"), ({"moments": "x"}, "moments")])
def test_a_word_that_is_none_is_refused(words, said):
    with pytest.raises(ValueError, match=said):
        nst.scales(**words)


def test_a_mean_of_lanes_and_of_a_single_run(net):
    problem = nst.problem(net, nst.picture("landscape", size=32), nst.picture("brush", size=32))
    words = {"solver": nst.adam(), "steps": 4, "average": 0.9, "progress": False}
    alone = nst.run(problem, **words)
    many = nst.run(nst.over(problem, style_weight=jnp.asarray([problem.parts["style"]] * 2)), **words)
    np.testing.assert_allclose(many.image[1], alone.image, atol=1e-4)


def test_an_image_as_the_start_is_brought_to_the_first_size(net):
    words = {"size": 64, "steps": 0, "progress": False, "solver": nst.adam(), "scales": nst.scales(32, factor=2.0)}
    flat_start = jnp.full((48, 64, 3), 0.25)
    found = nst.stylise(net, "landscape", "brush", start=flat_start, **words)
    np.testing.assert_allclose(found.image, flat_start, atol=1e-5)
