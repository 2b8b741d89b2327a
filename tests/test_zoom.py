"""The line search against optax's, turn by turn, on functions of every kind; and what it is there for."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from nst_jax.optim import zoom

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
POINT = (0.7, -0.4, 0.2, 0.9)


def search(function, x, way, value, gradient, evaluations):
    """The whole search, one evaluation after the other."""
    seen = zoom.begin(value, gradient, way)
    while not zoom.is_over(seen):
        at = zoom.propose(seen)
        seen = zoom.judge(seen, at, *jax.value_and_grad(function)(x + at * way), way, evaluations=evaluations)
    point, gradient = zoom.outcome(seen)
    return point.at, point.value, gradient, seen.turns


def optaxs(function, x, way, value, gradient, evaluations):
    search = optax.scale_by_zoom_linesearch(max_linesearch_steps=evaluations, initial_guess_strategy="one")
    found: Any = search.update(way, search.init(x), x, value=value, grad=gradient, value_fn=function)
    moved, state = found
    return state.learning_rate, state.value, state.grad, state.info.num_linesearch_steps, moved


@pytest.mark.parametrize("evaluations", [3, 20])
@pytest.mark.parametrize("length", STEPS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_decides_as_optax_does(name, length, evaluations):
    """In float64, where no decision hangs on rounding."""
    with jax.enable_x64(True):
        compare_with_optax(name, length, evaluations)


def compare_with_optax(name, length, evaluations):
    function, start = FUNCTIONS[name], jnp.asarray(POINT, jnp.float64)
    value, gradient = jax.value_and_grad(function)(start)
    way = -STEPS[length] * (gradient if name != "broken" else jnp.ones(4))
    found, lowest, there, taken = search(function, start, way, value, gradient, evaluations)
    step, ended, slope, turns, moved = optaxs(function, start, way, value, gradient, evaluations)
    assert int(taken) == int(turns)
    np.testing.assert_allclose(found, step, rtol=1e-4)
    np.testing.assert_allclose(lowest, ended, rtol=1e-5, atol=1e-6 * abs(float(value)))
    np.testing.assert_allclose(there, slope, rtol=1e-3, atol=1e-5 * float(jnp.abs(slope).max()) + 1e-6)
    np.testing.assert_allclose(found * way, moved, rtol=1e-4)


def test_a_step_satisfies_both_conditions():
    """Nocedal & Wright 2006, eq. 3.7, checked from their text."""
    function, start = FUNCTIONS["wavy"], jnp.asarray(POINT)
    value, gradient = jax.value_and_grad(function)(start)
    step, *_ = search(function, start, -gradient, value, gradient, 30)
    slope = -float(gradient @ gradient)
    assert function(start - step * gradient) <= value + 1e-4 * step * slope
    assert abs(float(jax.grad(function)(start - step * gradient) @ -gradient)) <= 0.9 * abs(slope)
