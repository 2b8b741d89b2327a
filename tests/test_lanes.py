"""Lanes: many runs in one program, each equal to the run alone, none disturbed by another."""

import subprocess
import sys
from functools import lru_cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nst_jax.extractors.vgg import VGG, random_params
from nst_jax.methods import transfer
from nst_jax.methods.transfer import Problem, Spec
from nst_jax.optim.solvers import adam, lbfgs, lbfgs_torch
from nst_jax.parallel import lanes
from nst_jax.published import CONVENTIONS

pytestmark = pytest.mark.optimised

BLOCKS = ((4, 1), (6, 2))
PARAMS = random_params(jax.random.key(0), blocks=BLOCKS)
CONTENT, STYLE = (jax.random.uniform(jax.random.key(k), shape) for k, shape in ((1, (12, 14, 3)), (2, (10, 9, 3))))
NET = VGG(("relu1_1", "relu2_1", "relu2_2"), blocks=BLOCKS, pool="avg", rounding="floor", padding="zero")
GATYS = CONVENTIONS["gatys_released"]
TERMS = GATYS.terms(("relu2_2",), ("relu1_1", "relu2_1"))
AIMS = transfer.aims(NET, TERMS, PARAMS, {"content": CONTENT, "style": STYLE}, pixels=12 * 14)
NUMBERS = {
    "adam": {"learning_rate": 0.02, "b1": 0.9, "b2": 0.99, "eps": 1e-8},
    "lbfgs": {},
    "lbfgs_torch": {"learning_rate": 1.0, "unit": 1.0},
}
SPECS = {
    "adam": Spec(NET, TERMS, adam, (("clamp", False),)),
    "lbfgs": Spec(NET, TERMS, lbfgs, (("memory", 5), ("evaluations", 10))),
    "lbfgs_torch": Spec(NET, TERMS, lbfgs_torch, (("memory", 5),)),
}
WEIGHTS = (10.0, 100.0, 1e3, 1e4)


def problem(name="adam", style_weight=1e3, **numbers):
    strengths = {"content_weight": 1.0, "style_weight": style_weight, "tv_weight": 0.0}
    factors = {"content_layers": {"relu2_2": 1.0}, "style_layers": {"relu1_1": 1.0, "relu2_1": 2.0}}
    weights = GATYS.weights({"relu1_1": 4, "relu2_1": 6}, **strengths, **factors)
    hyper = {k: jnp.float32(v) for k, v in {**NUMBERS[name], **numbers}.items()}
    return Problem(PARAMS, AIMS, weights, hyper)


def starts(many):
    return jax.vmap(lambda key: jax.random.uniform(key, CONTENT.shape))(jax.random.split(jax.random.key(3), many))


def test_what_lanes_share_is_kept_once():
    problems, axes = lanes.stack([problem(style_weight=w) for w in WEIGHTS])
    assert problems.params is not None
    assert problems.params["conv1_1"]["kernel"].shape == PARAMS["conv1_1"]["kernel"].shape
    assert problems.weights["style/relu1_1"].shape == (4,)
    assert set(axes) == {0, None}


@lru_cache
def alone(name, steps):
    """Each lane's run by itself."""
    runs = zip(WEIGHTS, starts(4), strict=True)
    return [transfer.stylise(SPECS[name], problem(name, w), x, steps=steps) for w, x in runs]


def together(name, steps, width):
    """All lanes, `width` at a time."""
    problems, axes = lanes.stack([problem(name, w) for w in WEIGHTS])
    many = lanes.run(SPECS[name], problems, starts(4), steps=steps, axes=axes, lanes=width)
    assert many.image.shape == (4, *CONTENT.shape)
    return [jax.tree.map(lambda a, i=i: a[i], many) for i in range(4)]


# A run without a line search multiplies rounding errors: after eight steps losses have differed by 0.5 % between two
# ways to compile. Its first steps are compared here, and each of its later steps below.
STABLE = {"adam": 8, "lbfgs": 8, "lbfgs_torch": 4}


@pytest.mark.parametrize("width", [None, 3])
@pytest.mark.parametrize("name", SPECS)
def test_a_lane_is_the_single_run(name, width):
    for lane, single in zip(together(name, STABLE[name], width), alone(name, STABLE[name]), strict=True):
        np.testing.assert_allclose(lane.image, single.image, atol=2e-3)
        np.testing.assert_allclose(lane.infos.value, single.infos.value, rtol=2e-3)
        jax.tree.map(partial(np.testing.assert_allclose, rtol=2e-2, atol=1e-5), lane.terms, single.terms)


@pytest.mark.parametrize("name", SPECS)
def test_one_lane_alone_is_the_single_run_bit_for_bit(name):
    for lane, single in zip(together(name, 8, 1), alone(name, 8), strict=True):
        jax.tree.map(np.testing.assert_array_equal, lane, single)


@pytest.mark.parametrize("name", SPECS)
def test_each_step_of_a_lane_is_that_of_a_single_run(name):
    """From the lane's own state before it, so that no error of an earlier step is multiplied."""
    spec, (problems, axes) = SPECS[name], lanes.stack([problem(name, w) for w in WEIGHTS])
    states = lanes.begin(spec, problems, starts(4), axes=axes)
    for _ in range(8):
        before = jax.tree.map(np.asarray, states)  # the memory of the states is donated
        states, infos = lanes.advance(spec, problems, states, axes=axes, steps=jnp.ones(4, jnp.int32), room=1)
        for i, w in enumerate(WEIGHTS):
            lane = jax.tree.map(lambda a, i=i: jnp.asarray(a[i]), before)
            state, info = transfer.advance(spec, problem(name, w), lane, steps=1, room=1)
            np.testing.assert_allclose(states.x[i], state.x, atol=2e-4)
            np.testing.assert_allclose(infos.value[i], info.value, rtol=1e-4)


def test_terms_of_lanes_are_those_of_single_images():
    problems, axes = lanes.stack([problem("adam", w) for w in WEIGHTS])
    found = lanes.values(SPECS["adam"], problems, starts(4), axes=axes)
    for i, (w, image) in enumerate(zip(WEIGHTS, starts(4), strict=True)):
        single = transfer.measure(SPECS["adam"], problem("adam", w), image)
        assert found.keys() == single.keys()
        for key, value in single.items():
            np.testing.assert_allclose(found[key][i], value, rtol=1e-4)


def test_a_leading_axis_on_every_leaf_is_the_default():
    problems, axes = lanes.stack([problem(style_weight=w) for w in WEIGHTS])
    stacked = jax.tree.map(lambda *a: jnp.stack(a), *[problem(style_weight=w) for w in WEIGHTS])
    one = lanes.run(SPECS["adam"], problems, starts(4), steps=3, axes=axes)
    other = lanes.run(SPECS["adam"], stacked, starts(4), steps=3)
    np.testing.assert_allclose(one.image, other.image, atol=1e-4)


def test_run_weights():
    weights = (0.0, *WEIGHTS[1:])  # the first lane has no style, and stays where it starts
    many = [problem(style_weight=w).weights for w in weights]
    stacked = jax.tree.map(lambda *a: jnp.stack(a), *many)
    result = lanes.run_weights(SPECS["adam"], problem(), CONTENT, stacked, steps=5, lanes=2)
    for i, w in enumerate(weights):
        alone = transfer.stylise(SPECS["adam"], problem(style_weight=w), CONTENT, steps=5)
        np.testing.assert_allclose(result.image[i], alone.image, atol=1e-3)
    assert np.abs(result.image[0] - result.image[3]).max() > 1e-3


@pytest.mark.parametrize("name", ["adam", "lbfgs_torch"])
def test_a_lane_that_is_not_finite_disturbs_no_other(name):
    """Bit for bit as with a good lane in its place."""
    rates = [0.02, 1e30, 0.02, 0.02]

    def run(rates):
        every = [problem(name, w, learning_rate=r) for w, r in zip(WEIGHTS, rates, strict=True)]
        problems, axes = lanes.stack(every)
        return lanes.run(SPECS[name], problems, starts(4), steps=8, axes=axes)

    wild, tame = run(rates), run([0.02] * 4)
    assert not np.isfinite(wild.infos.value[1]).all()
    assert np.isfinite(wild.image).all()
    ended = np.flatnonzero(wild.infos.evaluations[1])  # it takes no step after the first value that is none
    assert list(ended) == list(range(len(ended)))
    assert np.isfinite(wild.infos.value[1][ended][:-1]).all()
    for i in (0, 2, 3):
        assert np.array_equal(wild.image[i], tame.image[i])
        assert np.array_equal(wild.infos.value[i], tame.infos.value[i])


@pytest.mark.parametrize("name", ["lbfgs", "lbfgs_torch"])
def test_lanes_keep_their_memories_in_place(name):
    """Choosing each turn between old states and new ones would copy all of them."""
    spec = SPECS[name]._replace(options=tuple({**dict(SPECS[name].options), "memory": 200}.items()))
    problems, axes = lanes.stack([problem(name, style_weight=w) for w in WEIGHTS])
    states = lanes.begin(spec, problems, starts(4), axes=axes)
    steps = jnp.full(4, 3, jnp.int32)
    needed = lanes.advance.lower(spec, problems, states, axes=axes, steps=steps, room=8).compile().memory_analysis()
    if needed is None:
        pytest.skip("this device does not say")
    assert needed.temp_size_in_bytes < 200 * states.x.nbytes


def test_each_lane_its_own_number_of_steps():
    problems, axes = lanes.stack([problem(style_weight=w) for w in WEIGHTS])
    states = lanes.begin(SPECS["adam"], problems, starts(4), axes=axes)
    asked = jnp.asarray([0, 2, 5, 3], jnp.int32)
    states, infos = lanes.advance(SPECS["adam"], problems, states, axes=axes, steps=asked, room=8)
    assert states.steps.tolist() == [0, 2, 5, 3]
    assert np.isfinite(infos.value).sum(1).tolist() == [0, 2, 5, 3]
    assert np.array_equal(states.x[0], starts(4)[0])


def test_other_numbers_are_no_other_program():
    lanes.advance.clear_cache()  # pyright: ignore[reportAttributeAccessIssue]
    for scale in (1.0, 7.0):
        problems, axes = lanes.stack([problem(style_weight=scale * w) for w in WEIGHTS])
        states = lanes.begin(SPECS["adam"], problems, starts(4), axes=axes)
        for steps in (1, 2):
            asked = jnp.full(4, steps, jnp.int32)
            states, _ = lanes.advance(SPECS["adam"], problems, states, axes=axes, steps=asked, room=4)
    assert lanes.advance._cache_size() == 1  # pyright: ignore[reportAttributeAccessIssue]


DEVICES = """
import jax, numpy as np
from jax.sharding import AxisType
from tests.test_lanes import SPECS, WEIGHTS, lanes, problem, starts
assert len(jax.devices()) == 4
mesh = jax.make_mesh((4,), ("lanes",), axis_types=(AxisType.Auto,))
for name in ("adam", "lbfgs"):
    problems, axes = lanes.stack([problem(name, w) for w in (*WEIGHTS, 50.0, 500.0)])
    spread = lanes.run(SPECS[name], problems, starts(6), steps=4, axes=axes, mesh=mesh)
    single = lanes.run(SPECS[name], problems, starts(6), steps=4, axes=axes)
    np.testing.assert_allclose(spread.image, single.image, atol=2e-3)
problems, axes = lanes.stack([problem(style_weight=w) for w in WEIGHTS])
part, begins = lanes.shard(problems, starts(4), axes, mesh)
states = lanes.begin(SPECS["adam"], part, begins, axes=axes)
states, _ = lanes.advance(SPECS["adam"], part, states, axes=axes, steps=np.full(4, 2, np.int32), room=2)
assert states.x.sharding.shard_shape(states.x.shape)[0] == 1, states.x.sharding
"""


def test_lanes_over_four_devices():
    code = "import os; os.environ['XLA_FLAGS'] = '--xla_force_host_platform_device_count=4'\n" + DEVICES
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
