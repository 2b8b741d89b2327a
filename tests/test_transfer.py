"""The method: from pictures to a picture, with the numbers as arguments of one program."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import nst_jax
from nst_jax.extractors.vgg import VGG, random_params
from nst_jax.methods import transfer
from nst_jax.methods.transfer import Problem, Spec
from nst_jax.optim.solvers import adam, lbfgs
from nst_jax.published import CONVENTIONS

pytestmark = pytest.mark.optimised

BLOCKS = ((4, 1), (6, 2))
PARAMS = random_params(jax.random.key(0), blocks=BLOCKS)
CONTENT, STYLE = (jax.random.uniform(jax.random.key(k), shape) for k, shape in ((1, (12, 14, 3)), (2, (10, 9, 3))))
GATYS = CONVENTIONS["gatys_released"]
TERMS = GATYS.terms(("relu2_2",), ("relu1_1", "relu2_1"))
CHANNELS = {"relu1_1": 4, "relu2_1": 6}
ADAM = {"learning_rate": 0.02, "b1": 0.9, "b2": 0.99, "eps": 1e-8}
NET = VGG(("relu1_1", "relu2_1", "relu2_2"), blocks=BLOCKS, pool="avg", rounding="floor", padding="zero")


def problem(style_weight=1e3, learning_rate=0.02):
    aims = transfer.aims(NET, TERMS, PARAMS, {"content": CONTENT, "style": STYLE}, pixels=12 * 14)
    strengths = {"content_weight": 1.0, "style_weight": style_weight, "tv_weight": 0.0}
    factors = {"content_layers": {"relu2_2": 1.0}, "style_layers": {"relu1_1": 1.0, "relu2_1": 2.0}}
    weights = GATYS.weights(CHANNELS, **strengths, **factors)
    hyper = {k: jnp.float32(v) for k, v in {**ADAM, "learning_rate": learning_rate}.items()}
    return Problem(PARAMS, aims, weights, hyper)


SPEC = Spec(NET, TERMS, adam, (("clamp", True),))


def test_the_objective_falls():
    before = transfer.objective(SPEC, problem(), CONTENT)
    result = transfer.stylise(SPEC, problem(), CONTENT, steps=60)
    assert transfer.objective(SPEC, problem(), result.image) < 0.5 * before
    assert result.infos.value.shape == (60,)
    assert result.image.shape == CONTENT.shape


def test_terms_are_those_of_the_image_returned():
    result = transfer.stylise(SPEC, problem(), CONTENT, steps=3)
    again = transfer.measure(SPEC, problem(), result.image)
    jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-6), result.terms, again)


def test_the_content_is_its_own_aim_and_the_style_its_own():
    seen = transfer.values(SPEC, problem(), CONTENT)
    assert float(seen["content/relu2_2"]) < 1e-8
    assert float(seen["style/relu1_1"]) > 0


def test_weights_are_term_times_share_times_factor():
    w = problem(style_weight=100.0).weights
    np.testing.assert_allclose(w["style/relu1_1"], 100 / 4**2)
    np.testing.assert_allclose(w["style/relu2_1"], 2 * 100 / 6**2)


def test_other_numbers_are_no_other_program():
    transfer.advance.clear_cache()  # pyright: ignore[reportAttributeAccessIssue]
    for style_weight, rate, steps in ((1e2, 0.01, 1), (1e5, 0.1, 3)):
        p = problem(style_weight, rate)
        state = transfer.begin(SPEC, p, CONTENT)
        for _ in range(2):
            state, _infos = transfer.advance(SPEC, p, state, steps=jnp.int32(steps), room=4)
    assert transfer.advance._cache_size() == 1  # pyright: ignore[reportAttributeAccessIssue]


def test_weights_and_aims_are_arguments_of_the_program():
    """As constants they would be compiled in: slower, and a gigabyte for VGG-19."""
    p = problem()
    state = transfer.begin(SPEC, p, CONTENT)
    text = transfer.advance.lower(SPEC, p, state, steps=jnp.int32(1), room=4).as_text()
    assert 'dense<"0x' not in text


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_lanes_equal_single_runs(solver):
    spec = SPEC if solver == "adam" else SPEC._replace(solver=lbfgs, options=(("memory", 5), ("evaluations", 10)))

    def end(style_weight):
        p = problem(1.0)
        weights = {k: style_weight * v if k.startswith("style") else v for k, v in p.weights.items()}
        p = p._replace(weights=weights, hyper=p.hyper if solver == "adam" else {})
        return transfer.stylise(spec, p, CONTENT, steps=8).image

    lanes = jax.jit(jax.vmap(end))(jnp.asarray([10.0, 1e3]))
    for lane, w in zip(lanes, (10.0, 1e3), strict=True):
        np.testing.assert_allclose(lane, end(jnp.float32(w)), atol=2e-3)


def test_an_absurd_learning_rate_keeps_the_best_image():
    spec = SPEC._replace(options=(("clamp", False),))
    result = transfer.stylise(spec, problem(learning_rate=1e30), CONTENT, steps=9)
    assert jnp.isfinite(result.image).all()
    assert not jnp.isfinite(result.infos.value).all()


def test_public_names_are_there():
    for name in nst_jax.__all__:
        assert getattr(nst_jax, name) is not None
    with pytest.raises(AttributeError, match="nothing_like_it"):
        nst_jax.nothing_like_it  # noqa: B018
