"""The solvers on functions whose answers are known, and against plain twins."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nst_jax.optim import zoom
from nst_jax.optim.lbfgs import quasi_newton
from nst_jax.optim.minimise import advance, begin, begin_chunk, take_turn
from nst_jax.optim.solvers import SOLVERS, adam, lbfgs, lbfgs_torch, rmsprop, sgd

pytestmark = pytest.mark.optimised

SETTINGS = {
    "adam": {"learning_rate": 0.05, "b1": 0.9, "b2": 0.99, "eps": 1e-8, "clamp": False},
    "sgd": {"learning_rate": 0.02, "momentum": 0.9, "clamp": False},
    "adagrad": {"learning_rate": 0.3, "eps": 1e-10, "clamp": False},
    "rmsprop": {"learning_rate": 0.01, "decay": 0.99, "eps": 1e-8, "clamp": False},
    "lbfgs": {"memory": 10, "evaluations": 20},
    "lbfgs_torch": {"learning_rate": 1.0, "memory": 10, "unit": 1.0},
}
SCALES = jnp.asarray([1.0, 3.0, 10.0])
START = jnp.asarray([0.9, 0.1, 0.8])
FAR = -2 * START  # line searches of several lengths on the way down `wall`


def bowl(x):
    return 0.5 * (SCALES * (x - 0.4) ** 2).sum()


def numbers(name) -> Any:
    return {k: v if isinstance(v, bool | int) else jnp.float32(v) for k, v in SETTINGS[name].items()}


def run(solver, objective, start, steps, room=None):
    go = jax.jit(partial(advance, objective, solver), static_argnames="room")
    return go(begin(solver, start), steps=steps, room=room or steps)


@pytest.mark.parametrize("name", SOLVERS)
def test_finds_the_bottom(name):
    state, infos = run(SOLVERS[name](**numbers(name)), bowl, START, 300)
    np.testing.assert_allclose(state.x, 0.4, atol=0.02)
    assert infos.value[0] == bowl(START)
    assert int(state.steps) == 300
    assert int(state.evaluations) >= 300
    assert int(state.evaluations) == int(infos.evaluations.sum())


def test_settings_cover_every_solver():
    assert set(SETTINGS) == set(SOLVERS)


def test_adam_is_algorithm_1():
    """Kingma & Ba 2015, as a for-loop in float64."""
    x, m, v = np.asarray(START, np.float64), 0.0, 0.0
    for t in range(1, 21):
        g = np.asarray(SCALES) * (x - 0.4)
        m, v = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * g**2
        x = x - 0.05 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.99**t)) + 1e-8)
    state, _ = run(adam(**numbers("adam")), bowl, START, 20)
    np.testing.assert_allclose(state.x, x, rtol=1e-4)


def test_a_learning_rate_that_falls():
    """Keras' ExponentialDecay, rate * factor^(step / steps): 0.05 at first, 0.05 * 0.5 after ten steps."""
    x, m, v = np.asarray(START, np.float64), 0.0, 0.0
    for t in range(1, 21):
        g = np.asarray(SCALES) * (x - 0.4)
        m, v = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * g**2
        x = x - 0.05 * 0.5 ** ((t - 1) / 10) * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.99**t)) + 1e-8)
    state, _ = run(adam(**numbers("adam"), falloff=jnp.float32(0.5**0.1)), bowl, START, 20)
    np.testing.assert_allclose(state.x, x, rtol=1e-4)


@pytest.mark.parametrize("rate", [0.02, 0.3137])
def test_a_falloff_of_one_changes_no_bit(rate):
    given = numbers("adam") | {"learning_rate": jnp.float32(rate)}
    (plain, _), (faded, _) = (run(adam(**given, **own), bowl, START, 20) for own in ({}, {"falloff": jnp.float32(1)}))
    np.testing.assert_array_equal(plain.x, faded.x)


def loop(update, steps=4):
    """A first-order method in float64: update(gradient, memory) -> (change of x, memory)."""
    x, memory = np.asarray(START, np.float64), np.zeros(3)
    for _ in range(steps):
        change, memory = update(np.asarray(SCALES) * (x - 0.4), memory)
        x = x + change
    return x


def test_the_others_are_torchs():
    """Heavy-ball momentum; Adagrad from an empty accumulator; RMSprop, whose epsilon is outside the root in torch."""
    momentum = loop(lambda g, v: (-0.02 * (g + 0.9 * v), g + 0.9 * v))
    accumulate = loop(lambda g, s: (-0.3 * g / np.sqrt(s + g**2 + 1e-10), s + g**2))
    decay = loop(lambda g, s: (-0.01 * g / np.sqrt(0.99 * s + 0.01 * g**2 + 1e-8), 0.99 * s + 0.01 * g**2))
    for name, wanted in (("sgd", momentum), ("adagrad", accumulate), ("rmsprop", decay)):
        state, _ = run(SOLVERS[name](**numbers(name)), bowl, START, 4)
        np.testing.assert_allclose(state.x, wanted, rtol=1e-4, err_msg=name)


def twin_of_torch(gradient, x, steps, memory):
    """torch/optim/lbfgs.py without a line search, in NumPy: two loops, first step min(1, 1 / |g|_1)."""
    pairs, before, direction, length, scale = [], None, np.zeros_like(x), 1.0, 1.0
    for _ in range(steps):
        g = gradient(x)
        if before is None:
            direction, scale, length = -g, 1.0, min(1.0, 1.0 / np.abs(g).sum())
        else:
            y, s = g - before, direction * length
            if y @ s > 1e-10:
                pairs = [*pairs, (s, y)][-memory:]
                scale = (y @ s) / (y @ y)
            q, alphas = -g, []
            for s, y in reversed(pairs):
                alphas.append((s @ q) / (y @ s))
                q = q - alphas[-1] * y
            direction = q * scale
            for (s, y), a in zip(pairs, reversed(alphas), strict=True):
                direction = direction + s * (a - (y @ direction) / (y @ s))
            length = 1.0
        before, x = g, x + length * direction
    return x


@pytest.mark.parametrize("memory", [2, 10])
def test_lbfgs_torch_is_torchs(memory):
    scales = np.geomspace(1, 30, 8)
    start = np.linspace(-1, 1, 8)

    def valley(x):
        return 0.5 * (scales * x**2).sum() + 0.1 * (x**4).sum()

    wanted = twin_of_torch(lambda x: scales * x + 0.4 * x**3, start, 12, memory)
    state, _ = run(
        lbfgs_torch(learning_rate=jnp.float32(1), memory=memory, unit=jnp.float32(1)), valley, jnp.float32(start), 12
    )
    np.testing.assert_allclose(state.x, wanted, rtol=2e-3, atol=2e-4)


def test_lbfgs_beats_gradient_descent_by_far():
    scales = jnp.geomspace(1, 1000, 50)
    hill = lambda x: 0.5 * (scales * x**2).sum()
    quick, _ = run(lbfgs(memory=10, evaluations=20), hill, jnp.ones(50), 40)
    slow, _ = run(sgd(learning_rate=jnp.float32(1e-3), momentum=jnp.float32(0), clamp=False), hill, jnp.ones(50), 40)
    assert hill(quick.x) < hill(slow.x) / 50


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_lbfgs_does_not_mind_the_objectives_scale(scale):
    hill = lambda x: scale * bowl(x)
    state, infos = run(lbfgs(memory=5, evaluations=20), hill, START, 8)
    np.testing.assert_allclose(state.x, 0.4, atol=1e-2)
    assert int(infos.evaluations[0]) < 10


@pytest.mark.parametrize("name", SETTINGS)
def test_a_start_without_a_slope_stays_as_it_is(name):
    """There the gradient is exactly 0, and has no direction."""
    bottom = jnp.full(3, 0.4)
    state, infos = run(SOLVERS[name](**numbers(name)), bowl, bottom, 3)
    np.testing.assert_array_equal(state.x, bottom)
    assert bool(state.finite)
    np.testing.assert_array_equal(infos.value[:3], 0)


def test_clamp_keeps_the_image_in_range():
    settings = {**numbers("rmsprop"), "clamp": True, "learning_rate": jnp.float32(0.5)}
    state, _ = run(rmsprop(**settings), lambda x: -x.sum(), START, 5)
    np.testing.assert_array_equal(state.x, 1.0)


def cliff(x):
    """Finite until x passes 1."""
    return jnp.sqrt(1 - x.sum())


def test_stops_at_the_first_value_that_is_not_finite():
    solver = sgd(learning_rate=jnp.float32(0.5), momentum=jnp.float32(0), clamp=False)
    state, infos = run(solver, cliff, jnp.zeros(1), 20)
    seen = np.asarray(infos.value)[: int(state.steps)]
    assert not bool(state.finite)
    assert int(state.steps) < 20
    assert np.isfinite(seen[:-1]).all()
    assert not np.isfinite(seen[-1])
    assert np.isfinite(cliff(state.best))
    assert float(state.lowest) == seen[:-1].min()


def test_a_lane_that_fails_stands_still_and_the_others_go_on():
    def one(rate):
        solver = sgd(learning_rate=rate, momentum=jnp.float32(0), clamp=False)
        return advance(lambda x: cliff(x) + 0 * x.sum(), solver, begin(solver, jnp.zeros(1)), steps=9, room=9)[0]

    lanes = jax.jit(jax.vmap(one))(jnp.asarray([0.01, 0.5]))
    assert lanes.finite.tolist() == [True, False]
    assert lanes.steps[0] == 9
    assert lanes.steps[1] < 9


def test_chunks_equal_one_go_and_compile_once():
    solver = lbfgs(memory=5, evaluations=10)
    compiled = jax.jit(partial(advance, bowl, solver), static_argnames="room")
    state = begin(solver, START)
    for steps in (1, 2, 4):
        state, infos = compiled(state, steps=jnp.int32(steps), room=8)
        assert int(jnp.isfinite(infos.value).sum()) == steps
    whole, _ = compiled(begin(solver, START), steps=jnp.int32(7), room=8)
    np.testing.assert_allclose(state.x, whole.x, rtol=1e-6)
    assert compiled._cache_size() == 1  # pyright: ignore[reportAttributeAccessIssue]


def wall(x):
    """Steep on one side: line searches of many lengths."""
    return bowl(x) + jnp.exp(8 * (x - 0.5)).sum() + (jnp.sin(20 * x) * 0.05).sum()


def nested(objective, x, steps, memory, evaluations):
    """L-BFGS as its parts in plain loops, a whole line search within each iteration: every value, and evaluations."""
    direction = quasi_newton(lambda g, _: 0.03 * g.size**0.5 / jnp.linalg.norm(g), memory=memory, least=0.0)
    past, (value, gradient), values, counts = direction.init(x), jax.value_and_grad(objective)(x), [], []
    for _ in range(steps):
        found: Any = direction.update(gradient, past, x, fresh=True)
        way, past = found
        search = zoom.begin(value, gradient, -way)
        while not zoom.is_over(search):
            at = zoom.propose(search)
            there = jax.value_and_grad(objective)(x - at * way)
            search = zoom.judge(search, at, *there, -way, evaluations=evaluations)
        values, counts = [*values, value], [*counts, int(search.turns)]
        (step, value, *_), gradient = zoom.outcome(search)
        x = x - step * way
    return x, values, [counts[0] + 1, *counts[1:]]  # the first one evaluates the start, too


@pytest.mark.parametrize("shape", [(4,), (16, 16, 3)])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_the_first_trial_of_lbfgs_knows_neither_scale_nor_size(scale, shape):
    seen = []

    def hill(x):
        jax.debug.callback(lambda at: seen.append(np.asarray(at)), x)
        return scale * ((x - 0.7) ** 2).sum()

    start = jax.random.uniform(jax.random.key(0), shape)
    solver = lbfgs(memory=5, evaluations=10)
    jax.block_until_ready(advance(hill, solver, begin(solver, start), steps=1, room=1))
    jax.effects_barrier()
    assert np.sqrt(np.mean((seen[1] - start) ** 2)) == pytest.approx(0.03, rel=1e-4)


def test_lbfgs_is_its_parts():
    """In float64: in float32 an error of rounding in the start becomes one of 1e-3 in the values on the way."""
    with jax.enable_x64(True):
        far = jnp.asarray(FAR, jnp.float64)
        x, values, counts = nested(wall, far, 12, 5, 10)
        state, infos = run(lbfgs(memory=5, evaluations=10), wall, far, 12)
    assert state.x.dtype == jnp.float64
    assert infos.evaluations.tolist() == counts
    assert max(counts[1:]) > 1
    np.testing.assert_allclose(infos.value, values, rtol=1e-8)
    np.testing.assert_allclose(state.x, x, rtol=1e-8)


@pytest.mark.parametrize("name", SOLVERS)
def test_an_inactive_turn_changes_nothing(name):
    """Not the image, not the memory, not a line search on its way; and the run goes on as if it had not been."""
    solver = SOLVERS[name](**numbers(name))
    turn = jax.jit(partial(take_turn, wall, solver))
    chunk = begin_chunk(begin(solver, FAR), room=20)
    searching = False
    for _ in range(12):
        held = turn(chunk, active=jnp.bool_(False))
        jax.tree.map(np.testing.assert_array_equal, held, chunk)
        searching |= name == "lbfgs" and bool(chunk.state.opt.search.turns > 0)
        before, chunk = chunk, turn(chunk, active=jnp.bool_(True))
        assert int(chunk.state.evaluations) == int(before.state.evaluations) + 1
    assert searching == (name == "lbfgs")


def test_turns_may_end_within_a_line_search():
    """Three evaluations at a time, wherever that ends: the same run, and no iteration counted twice or lost."""
    solver = lbfgs(memory=5, evaluations=10)
    compiled = jax.jit(partial(advance, wall, solver), static_argnames="room")
    whole, wanted = compiled(begin(solver, FAR), steps=12, room=12)
    state, values = begin(solver, FAR), []
    while int(state.steps) < 12:
        before = int(state.evaluations)
        state, infos = compiled(state, steps=jnp.int32(12 - int(state.steps)), room=12, turns=jnp.int32(3))
        assert int(state.evaluations) - before <= 3
        values += infos.value[jnp.isfinite(infos.value)].tolist()
    np.testing.assert_array_equal(values, wanted.value)
    np.testing.assert_array_equal(state.x, whole.x)
    assert int(state.evaluations) == int(whole.evaluations)


def test_one_evaluation_in_the_program():
    """The objective appears once: two copies of a network take twice as long to compile."""
    solver = lbfgs(memory=5, evaluations=10)
    program = jax.make_jaxpr(partial(advance, lambda x: jnp.sin(x).sum(), solver, steps=3, room=3))(
        begin(solver, START)
    )
    assert str(program).count(" cos ") == 1


def test_lanes_do_not_wait_for_each_others_line_searches():
    """Together they take as many turns as the one that needs most, not the sum of each iteration's longest search."""
    solver = lbfgs(memory=5, evaluations=10)
    starts = jnp.stack([-0.5 * START, FAR, 1.5 * FAR, 1.5 * FAR[::-1]])
    go = lambda x, turns: advance(wall, solver, begin(solver, x), steps=12, room=12, turns=turns)
    alone = [int(jax.jit(go)(x, 999)[0].evaluations) for x in starts]
    lanes, infos = jax.jit(jax.vmap(go, in_axes=(0, None)))(starts, max(alone))
    assert lanes.steps.tolist() == [12] * 4
    assert int(infos.evaluations.max(0).sum()) > max(alone)


def test_room_bounds_the_steps():
    state, _ = run(adam(**numbers("adam")), bowl, START, 50, room=8)
    assert int(state.steps) == 8


@pytest.mark.parametrize("name", ["lbfgs", "lbfgs_torch"])
def test_lbfgs_keeps_its_memory_in_place(name):
    """A copy of it in each step would cost more than the rest of the bookkeeping."""
    solver = SOLVERS[name](**{**numbers(name), "memory": 100})
    state = begin(solver, jnp.ones((16, 16, 3)))
    go = jax.jit(partial(advance, lambda x: (x**4).sum(), solver), static_argnames="room", donate_argnums=0)
    needed = go.lower(state, steps=jnp.int32(3), room=8).compile().memory_analysis()
    if needed is None:
        pytest.skip("this device does not say")
    assert needed.temp_size_in_bytes < 100 * state.x.nbytes
