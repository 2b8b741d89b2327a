"""The line search against optax's, turn by turn, on functions of every kind; and what it is there for."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from nst_jax import zoom

FUNCTIONS = {
    "bowl": lambda x: 0.5 * (x**2).sum(),
    "narrow": lambda x: 50 * (x**2 * jnp.arange(1.0, 5)).sum(),
    "quartic": lambda x: ((x - 3) ** 4).sum(),
    "flat": lambda x: jnp.log1p(x**2).sum(),
    "wavy": lambda x: (jnp.cos(3 * x) + 0.1 * x**2).sum(),
    "walled": lambda x: (x - jnp.log(1.0 - x)).sum(),  # not a number beyond 1
    "linear": lambda x: x.sum(),  # no step is long enough
    "tiny": lambda x: 1e-8 * ((x - 1) ** 2).sum(),
    "broken": lambda x: jnp.where(x[0] == 0.7, 0.0, jnp.nan) * x.sum(),
}
STEPS = {"short": 1e-3, "middling": 0.3, "long": 30.0, "uphill": -0.3}
START = jnp.asarray([0.7, -0.4, 0.2, 0.9])


def optaxs(function, x, way, value, gradient, evaluations):
    search = optax.scale_by_zoom_linesearch(max_linesearch_steps=evaluations, initial_guess_strategy="one")
    moved, state = search.update(way, search.init(x), x, value=value, grad=gradient, value_fn=function)
    return state.learning_rate, state.value, state.grad, state.info.num_linesearch_steps, moved


@pytest.mark.parametrize("evaluations", [3, 20])
@pytest.mark.parametrize("length", STEPS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_decides_as_optax_does(name, length, evaluations):
    function = FUNCTIONS[name]
    value, gradient = jax.value_and_grad(function)(START)
    way = -STEPS[length] * (gradient if name != "broken" else jnp.ones(4))
    found = zoom.search(jax.value_and_grad(function), START, way, value, gradient, evaluations=evaluations)
    step, ended, slope, turns, moved = optaxs(function, START, way, value, gradient, evaluations)
    assert int(found.evaluations) == int(turns)
    np.testing.assert_allclose(found.step, step, rtol=1e-4)
    np.testing.assert_allclose(found.value, ended, rtol=1e-5)
    np.testing.assert_allclose(found.gradient, slope, rtol=1e-3, atol=1e-5 * float(jnp.abs(slope).max()))
    np.testing.assert_allclose(found.step * way, moved, rtol=1e-4)


def test_a_step_satisfies_both_conditions():
    """Nocedal & Wright 2006, eq. 3.7, checked from their text."""
    function = FUNCTIONS["wavy"]
    value, gradient = jax.value_and_grad(function)(START)
    found = zoom.search(jax.value_and_grad(function), START, -gradient, value, gradient, evaluations=30)
    slope = -float(gradient @ gradient)
    assert function(START - found.step * gradient) <= value + 1e-4 * found.step * slope
    assert abs(float(jax.grad(function)(START - found.step * gradient) @ -gradient)) <= 0.9 * abs(slope)


def test_one_evaluation_in_the_program():
    """The objective appears once: two copies of a network take twice as long to compile."""
    function = lambda x: jnp.sin(x).sum()
    program = jax.make_jaxpr(
        lambda x, g: zoom.search(jax.value_and_grad(function), x, -g, function(x) * 0, g, evaluations=9)
    )(START, START)
    assert str(program).count(" cos ") == 1
