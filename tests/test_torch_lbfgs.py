"""L-BFGS against torch's own, on problems of every preset that uses it: tests/golden/torch_lbfgs.py has the numbers."""

import json
import sys
from functools import cache
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

GOLDEN = Path(__file__).parent / "golden"
sys.path.insert(0, str(GOLDEN))

import torch_lbfgs  # noqa: E402  # pyright: ignore[reportMissingImports]

from nst_jax.methods import transfer  # noqa: E402
from nst_jax.optim.solvers import lbfgs_torch  # noqa: E402

pytestmark = pytest.mark.optimised  # trajectories are compared
KNOWN = json.loads((GOLDEN / "torch_lbfgs.json").read_text(encoding="utf-8"))


def test_every_preset_with_torchs_lbfgs_has_numbers():
    assert KNOWN.keys() == set(torch_lbfgs.PRESETS)


def test_torch_refuses_pairs_in_some_of_the_problems():
    assert sum(entry["refused"] > 0 for problems in KNOWN.values() for entry in problems.values()) >= 4


@cache
def run(preset):
    """The value at each evaluation, in float64, by problem."""
    found, steps = {}, torch_lbfgs.END + 1
    with jax.enable_x64(True):
        spec, *_ = torch_lbfgs.program(preset)
        for pair in KNOWN[preset]:
            problem, start = torch_lbfgs.problem(preset, pair, np.float64)
            state = transfer.begin(spec, problem, start)
            _, infos = transfer.advance(spec, problem, state, steps=steps, room=steps)
            found[pair] = np.asarray(infos.value)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("preset", KNOWN)
def test_it_follows_torch(preset):
    """For 20 steps, in float64, to the accuracy that torch's own float32 has up to that step: 1e-6 to 1e-3.

    The second value is after the first step, whose length the preset's unit sets. The first pair is a difference of two
    gradients nearly alike: from there on a last bit becomes 1e-9, and 1e-5 on the way.
    """
    for pair, known in KNOWN[preset].items():
        ours, torchs = run(preset)[pair][: torch_lbfgs.FIRST + 1], np.asarray(known["values"])
        allowed = np.clip(np.maximum.accumulate(known["errors"]), 1e-6, 1e-3)
        assert (np.abs(ours / torchs - 1) <= allowed).all(), f"{pair}: {ours} for {torchs}"
        np.testing.assert_allclose(ours[:3], torchs[:3], rtol=1e-6, err_msg=pair)


@pytest.mark.slow
def test_it_ends_no_higher_than_torch():
    """After 100 steps, in the median over all problems: by then rounding decides, as between torch's two precisions."""
    ends = [(run(preset)[pair][-1], known) for preset in KNOWN for pair, known in KNOWN[preset].items()]
    for name in ("end", "end32"):
        assert np.median([value / known[name] for value, known in ends]) <= 1.05
    assert all(value < known["values"][0] for value, known in ends if known["end"] < known["values"][0])


def test_a_pair_with_negative_curvature_is_refused():
    """Where y . s < 0 the memory stays as it is, and the next step still points downhill."""
    hill = lambda x: -jnp.cos(3 * x).sum() + 0.1 * (x**2).sum()
    x = jnp.full(4, 0.9, jnp.float32)  # beyond the point of inflection: the gradient falls on the way down
    solver = lbfgs_torch(learning_rate=jnp.float32(1), memory=5, unit=jnp.float32(1))
    opt, values = solver.init(x), []
    for _ in range(12):
        before = x
        x, opt, info, _ = solver.turn(hill, x, opt, True)
        values.append(float(info.value))
        assert jnp.vdot(jax.grad(hill)(before), x - before) <= 0
    assert values[-1] < values[0]
