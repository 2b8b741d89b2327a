"""Proof of the seams: a loss and two networks that the package does not know, each written here and nowhere else.

They run like its own: a whole run, lanes, a derivative with respect to a weight, and no second compilation for other
numbers.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from nst_jax.extractors.base import Extractor, Function
from nst_jax.extractors.vgg import VGG, random_params
from nst_jax.losses.differences import half_sum
from nst_jax.losses.grams import gram_mean
from nst_jax.losses.moments import moments
from nst_jax.losses.smoothness import absolute_steps
from nst_jax.losses.term import IMAGE, Aim, Term, View
from nst_jax.methods import transfer
from nst_jax.methods.transfer import Problem, Spec
from nst_jax.optim.solvers import adam
from nst_jax.parallel import lanes
from nst_jax.published import CONVENTIONS
from nst_jax.published.base import content, smooth, style

CONTENT, STYLE, BEFORE = (
    jax.random.uniform(jax.random.key(k), shape) for k, shape in ((1, (12, 14, 3)), (2, (10, 9, 3)), (3, (12, 14, 3)))
)
HYPER = {k: jnp.float32(v) for k, v in {"learning_rate": 0.02, "b1": 0.9, "b2": 0.99, "eps": 1e-8}.items()}
GATYS = CONVENTIONS["gatys_released"]


# A new loss: what a film must not do. The local aim is the frame before and a weight for each of its pixels.


class Frame(NamedTuple):
    """The frame before, moved to where this one has it, and how far each pixel is to be trusted."""

    pixels: jax.Array
    trust: jax.Array


class Change(NamedTuple):
    """Sums over positions."""

    squares: jax.Array
    number: jax.Array


def measure_change(image, frame):
    """The weighted squared difference from the frame, and how many numbers it has."""
    difference = (image - frame.pixels) ** 2
    return Change((frame.trust[..., None] * difference).sum(), jnp.float32(image.size))


def mean_change(change, aim=None):
    """Ruder, Dosovitskiy & Brox 2016, eq. 7."""
    return change.squares / change.number


TEMPORAL = Term("temporal", IMAGE, measure_change, mean_change)


# A new network, twice: two convolutions and their taps.


def draw_kernels(key):
    """Two kernels of 3 x 3."""
    first, second = jax.random.split(key)
    return {
        "edges": jax.random.normal(first, (3, 3, 3, 4)) / 5,
        "corners": jax.random.normal(second, (3, 3, 4, 6)) / 6,
    }


def two_layers(params, image, taps):
    """The network as a plain function."""
    found, x = {}, image[None]
    for name in ("edges", "corners"):
        x = jax.nn.relu(
            jax.lax.conv_general_dilated(x, params[name], (1, 1), "SAME", None, None, ("NHWC", "HWIO", "NHWC"))
        )
        found[name] = x[0]
    return {tap: found[tap] for tap in taps}


class TwoLayers(nnx.Module):
    """The same in flax.nnx."""

    def __init__(self, rngs):
        self.edges = nnx.Conv(3, 4, (3, 3), use_bias=False, rngs=rngs)
        self.corners = nnx.Conv(4, 6, (3, 3), use_bias=False, rngs=rngs)

    def __call__(self, image):
        edges = jax.nn.relu(self.edges(image[None]))
        return {"edges": edges[0], "corners": jax.nn.relu(self.corners(edges))[0]}


GRAPH = nnx.graphdef(nnx.eval_shape(lambda: TwoLayers(nnx.Rngs(0))))


def nnx_layers(params, image, taps):
    """An nnx module as a function of its state."""
    found = nnx.merge(GRAPH, params)(image)
    return {tap: found[tap] for tap in taps}


def nnx_state(key):
    """The module's state with the kernels of the plain function."""
    state: Any = nnx.state(TwoLayers(nnx.Rngs(0)))
    for name, kernel in draw_kernels(key).items():
        state[name]["kernel"].set_value(kernel)
    return state


NETWORKS = {
    "function": (Function(two_layers, ("edges", "corners")), draw_kernels(jax.random.key(5))),
    "nnx": (Function(nnx_layers, ("edges", "corners")), nnx_state(jax.random.key(5))),
}
STYLES = ("edges", "corners")


def task(network, *, temporal=1.0, style_weight=1e3, trust=1.0):
    """A spec and a problem with the new loss beside a convention's own."""
    net, params = NETWORKS[network]
    terms = (*GATYS.terms(("corners",), STYLES), TEMPORAL)
    aims = transfer.aims(net, terms, params, {"content": CONTENT, "style": STYLE}, pixels=12 * 14)
    aims["temporal"] = Aim(local=Frame(BEFORE, jnp.full((12, 14), trust, jnp.float32)))
    strengths = {"content_weight": 1.0, "style_weight": style_weight, "tv_weight": 0.0}
    factors = {"content_layers": {"corners": 1.0}, "style_layers": dict.fromkeys(STYLES, 1.0)}
    weights = GATYS.weights({"edges": 4, "corners": 6}, **strengths, **factors)
    weights["temporal"] = jnp.float32(temporal)
    return Spec(net, terms, adam, (("clamp", True),)), Problem(params, aims, weights, HYPER)


@pytest.mark.parametrize("network", NETWORKS)
def test_a_run(network):
    spec, problem = task(network)
    before = transfer.values(spec, problem, CONTENT)
    assert list(before) == ["content/corners", "style/edges", "style/corners", "temporal"]
    np.testing.assert_allclose(before["temporal"], ((CONTENT - BEFORE) ** 2).mean(), rtol=1e-5)
    result = transfer.stylise(spec, problem, CONTENT, steps=40)
    assert transfer.objective(spec, problem, result.image) < 0.7 * transfer.objective(spec, problem, CONTENT)
    assert float(abs(result.image - CONTENT).max()) > 0.05


@pytest.mark.optimised
def test_the_two_networks_are_one():
    images = [transfer.stylise(*task(network), CONTENT, steps=10).image for network in NETWORKS]
    np.testing.assert_allclose(*images, atol=1e-3)


def test_the_new_loss_holds_the_image_to_the_frame_before():
    spec, problem = task("function", temporal=1e4, style_weight=0.0)
    free = transfer.stylise(
        spec, problem._replace(weights={**problem.weights, "temporal": jnp.float32(0)}), CONTENT, steps=40
    )
    held = transfer.stylise(spec, problem, CONTENT, steps=40)
    assert float(held.terms["temporal"]) < 0.5 * float(free.terms["temporal"])
    _, distrusted = task("function", temporal=1e4, style_weight=0.0, trust=0.0)
    assert float(transfer.values(spec, distrusted, held.image)["temporal"]) == 0


@pytest.mark.optimised
@pytest.mark.parametrize("network", NETWORKS)
def test_lanes(network):
    """Over the new loss's weight, and over its aim."""
    spec = task(network)[0]
    several = [task(network, temporal=t, trust=trust)[1] for t, trust in ((0.0, 1.0), (1e3, 1.0), (1e3, 0.5))]
    params = several[0].params
    problems, axes = lanes.stack([p._replace(params=params) for p in several])
    many = lanes.run(spec, problems, jnp.stack([CONTENT] * 3), steps=5, axes=axes)
    assert many.terms["temporal"].shape == (3,)
    for i, problem in enumerate(several):
        np.testing.assert_allclose(many.image[i], transfer.stylise(spec, problem, CONTENT, steps=5).image, atol=1e-3)
    assert float(abs(many.image[0] - many.image[1]).max()) > 1e-2


@pytest.mark.parametrize("network", NETWORKS)
def test_a_derivative_with_respect_to_the_new_weight(network):
    """Of the temporal term of a run's end: more weight, less of it. It equals a central difference."""
    spec, problem = task(network, temporal=100.0)

    @jax.jit
    def change(weight):
        weighed = problem._replace(weights={**problem.weights, "temporal": weight})
        state = transfer.begin(spec, weighed, CONTENT)
        image = state.x
        for _ in range(3):
            image = image - 1e-4 * jax.grad(partial(transfer.objective, spec, weighed))(image)
        return transfer.values(spec, weighed, image)["temporal"]

    slope = jax.grad(change)(jnp.float32(100))
    assert slope < 0
    np.testing.assert_allclose(slope, (change(jnp.float32(110)) - change(jnp.float32(90))) / 20, rtol=2e-2)


@pytest.mark.parametrize("network", NETWORKS)
def test_other_numbers_are_no_other_program(network):
    """Specs made anew each time, and equal: other weights, aims and parameters are arguments."""
    transfer.advance.clear_cache()  # pyright: ignore[reportAttributeAccessIssue]
    lanes.advance.clear_cache()  # pyright: ignore[reportAttributeAccessIssue]
    transfer.aims.clear_cache()  # pyright: ignore[reportAttributeAccessIssue]
    for temporal, trust in ((1.0, 1.0), (50.0, 0.3)):
        spec, problem = task(network, temporal=temporal, trust=trust)
        state = transfer.begin(spec, problem, CONTENT)
        transfer.advance(spec, problem, state, steps=jnp.int32(2), room=4)
        problems, axes = lanes.stack([problem, task(network, temporal=2 * temporal)[1]._replace(params=problem.params)])
        states = lanes.begin(spec, problems, jnp.stack([CONTENT] * 2), axes=axes)
        lanes.advance(spec, problems, states, axes=axes, steps=jnp.full(2, 2, jnp.int32), room=4)
    assert transfer.aims._cache_size() == 1  # pyright: ignore[reportAttributeAccessIssue]
    assert transfer.advance._cache_size() == 1  # pyright: ignore[reportAttributeAccessIssue]
    assert lanes.advance._cache_size() == 1  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize("network", NETWORKS)
def test_a_network_of_ones_own_is_an_extractor(network):
    net, _ = NETWORKS[network]
    assert isinstance(net, Extractor)
    assert hash(net) == hash(net.clone(taps=net.taps))


# What holds for every term of the package


@pytest.mark.parametrize("name", CONVENTIONS)
def test_terms_made_twice_are_equal(name):
    """They are static arguments: unequal ones would compile the program again."""
    first, second = (CONVENTIONS[name].terms(("relu2_1",), ("relu1_1", "relu2_1")) for _ in range(2))
    assert first == second
    assert hash(first) == hash(second)
    assert len({term.name for term in first}) == len(first)


@pytest.mark.parametrize("make", [lambda: content(half_sum), lambda: style(gram_mean), lambda: smooth(absolute_steps)])
def test_terms_of_equal_parts_are_equal(make):
    """Not only those that hold the same object."""
    assert make() == make()
    assert hash(make()) == hash(make())


def test_terms_made_twice_are_one_program():
    net = VGG(("relu1_1", "relu2_1"), blocks=((4, 1), (6, 1)), pool="avg", rounding="floor", padding="zero")
    params = random_params(jax.random.key(0), blocks=((4, 1), (6, 1)))
    transfer.measure.clear_cache()  # pyright: ignore[reportAttributeAccessIssue]
    for _ in range(2):
        terms = CONVENTIONS["keras"].terms(("relu2_1",), ("relu1_1",))
        aims = transfer.aims(net.clone(), terms, params, {"content": CONTENT, "style": STYLE}, pixels=12 * 14)
        spec = Spec(net.clone(), terms, adam, (("clamp", True),))
        transfer.measure(spec, Problem(params, aims, {}, {}), CONTENT)
    assert transfer.measure._cache_size() == 1  # pyright: ignore[reportAttributeAccessIssue]


def pieces(array, cuts):
    """The array in as many pieces as there are cells of the cuts, rows first."""
    return [part for rows in jnp.split(array, [cuts[0]]) for part in jnp.split(rows, [cuts[1]], axis=1)]


ADDITIVE = [
    (name, t)
    for name, convention in CONVENTIONS.items()
    for t in convention.terms(("layer",), ("layer",))
    if t.additive
]


@pytest.mark.parametrize(("name", "term"), [*ADDITIVE, ("toy", TEMPORAL)], ids=lambda v: getattr(v, "name", v))
def test_an_additive_term_adds_over_pieces(name, term):
    """Of four pieces of other sizes: the measures add up to that of the whole, and so the value is the same."""
    channels = 3 if term.tap == IMAGE else 5
    f, p = (jax.random.normal(jax.random.key(k), (9, 11, channels)) for k in (7, 8))
    aim = Aim(local=Frame(p, jnp.abs(p[..., 0]))) if name == "toy" else term.aim(View(p, 300, jax.random.key(9)))
    local = (
        [None] * 4 if aim.local is None else zip(*(pieces(a, (4, 6)) for a in jax.tree.leaves(aim.local)), strict=True)
    )
    trees = [None if cut is None else jax.tree.unflatten(jax.tree.structure(aim.local), cut) for cut in local]
    parts = [term.measure(piece, tree) for piece, tree in zip(pieces(f, (4, 6)), trees, strict=True)]
    whole = term.measure(f, aim.local)
    added = jax.tree.map(lambda *a: sum(a), *parts)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4), added, whole)
    np.testing.assert_allclose(term.compare(added, aim.whole), term.value(f, aim), rtol=1e-3)


def test_most_terms_are_additive_and_those_are_not_that_need_all_positions():
    held = {name for name, convention in CONVENTIONS.items() if not convention.style_term.additive}
    assert held == {"style_transfer_caffe", "strotss", "sliced_wasserstein", "texsyn_sliced", "mrf", "histogram"}
    held = {name for name, convention in CONVENTIONS.items() if not convention.content_term.additive}
    assert held == {"style_transfer_caffe", "strotss", "laplacian"}


def test_moments_of_masks_add_up():
    """Masks that sum to one divide an activation; a mask of whole positions is the activation cut there."""
    f, mask = jax.random.normal(jax.random.key(0), (6, 7, 4)), jax.random.uniform(jax.random.key(1), (6, 7))
    parts = jax.tree.map(jnp.add, moments(f, mask), moments(f, 1 - mask))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4), parts, moments(f))
    half = jnp.zeros((6, 7)).at[:3].set(1.0)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4), moments(f, half), moments(f[:3]))
    assert float(moments(f, 2 * mask).mass) == pytest.approx(float(2 * mask.sum()), rel=1e-5)
