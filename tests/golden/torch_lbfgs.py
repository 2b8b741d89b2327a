"""Losses of torch.optim.LBFGS on problems of the presets that use it, for a small VGG with random weights.

    pip install torch==2.13.0 && python tests/golden/torch_lbfgs.py    # writes torch_lbfgs.json

torch decides the steps; the objective and its gradient are ours, in the precision of the variable. The variable is the
program's own: unit * image. Each of the four problems is a pair of bundled pictures at 32 pixels.

torch_lbfgs.npz holds what goes in: pictures in 8 bits, noise in 16 bits. It is drawn if it is not there. A picture that
each machine resized for itself would differ in the last bits, and 20 steps make 1e-3 of them.
torch_lbfgs.json: preset -> problem -> `values` of the first evaluations in float64; `errors`, the relative differences
of float32 to them; `end` and `end32`, the values after END steps in float64 and float32; `refused`, how many of the
first pairs torch refused.
"""

import json
import sys
from functools import cache, partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

import make  # noqa: E402

import nst_jax as nst  # noqa: E402
from nst_jax.extractors.vgg import VGG  # noqa: E402
from nst_jax.losses.term import taps  # noqa: E402
from nst_jax.methods import transfer  # noqa: E402
from nst_jax.optim.solvers import lbfgs_torch  # noqa: E402
from nst_jax.published import CONVENTIONS, LOSSES, PROFILES, PROGRAMS  # noqa: E402
from nst_jax.shell.io import preprocessing  # noqa: E402

PAIRS = {"landscape/brush": 1, "portrait/mosaic": 2, "landscape/ink": 3, "portrait/brush": 4}  # -> seed
PRESETS = tuple(name for name, record in PROGRAMS.items() if record.solver.name == "lbfgs_torch")
SIZE, FIRST, END = 32, 20, 100
PARTS = ("content_weight", "style_weight", "tv_weight")
INPUTS = HERE / "torch_lbfgs.npz"
FINE = 2**12  # levels of the noise between two values that differ by its deviation of 0.1


def draw() -> dict[str, Any]:
    """The pictures, (32, 32, 3): all problems of a preset have one shape, and share a program. And noise, by seed."""
    names = sorted({name for pair in PAIRS for name in pair.split("/")})
    found: dict[str, Any] = {
        n: np.round(255 * np.asarray(nst.picture(n, size=SIZE + 16)[:SIZE, :SIZE])).astype(np.uint8) for n in names
    }
    for seed in PAIRS.values():
        normal = np.random.default_rng(seed).standard_normal((SIZE, SIZE, 3))
        found[f"noise{seed}"] = np.round(FINE * normal).astype(np.int16)
    return found


@cache
def load():
    """What goes in, in float64: pictures in [0, 1], and noise of deviation 0.1 around mid-grey."""
    with np.load(INPUTS) as file:
        arrays = {name: np.asarray(a, np.float64) for name, a in file.items()}
    return {name: 0.5 + 0.1 * a / FINE if name.startswith("noise") else a / 255 for name, a in arrays.items()}


def picture(name):
    """One of them."""
    return load()[name]


def numbers(preset):
    """Learning rate, memory and unit of a preset."""
    return dict(PROGRAMS[preset].solver.settings)


def program(preset):
    """What the preset compiles: network, terms and solver. Weights and targets are the problem's."""
    record = PROGRAMS[preset]
    profile, losses = PROFILES[record.layers], LOSSES[record.convention]
    convention = CONVENTIONS[losses.same_as or losses.name]
    terms = convention.terms(profile.content, profile.style)
    settings = {"blocks": make.BLOCKS, "pool": record.pool, "rounding": record.rounding, "padding": record.padding}
    solver = (lbfgs_torch, (("memory", numbers(preset)["memory"]),))
    return transfer.Spec(VGG(taps(terms), **settings), terms, *solver), convention, profile, record, losses


def problem(preset, pair, dtype):
    """The problem and its start, in a precision."""
    spec, convention, profile, record, losses = program(preset)
    arrays = make.load()
    names = {key.split(".")[0] for key in arrays if key.startswith("conv")}
    params = {n: {part: arrays[f"{n}.{part}"].astype(dtype) for part in ("kernel", "bias")} for n in names}
    params["input"] = {k: np.asarray(v, dtype) for k, v in preprocessing.layer("caffe").items()}
    params = jax.tree.map(jnp.asarray, params)
    content, style = (jnp.asarray(picture(name), dtype) for name in pair.split("/"))
    pictures, key = {"content": content, "style": style}, jax.random.key(PAIRS[pair])
    aims = transfer.aims(spec.network, spec.terms, params, pictures, pixels=SIZE * SIZE, key=key)
    activations = jax.eval_shape(partial(nst.features, spec.network, params), content)
    channels = {layer: f.shape[-1] for layer, f in activations.items()}
    parts = {k: getattr(record, k) if getattr(record, k) is not None else getattr(losses, k) for k in PARTS}
    weights = convention.weights(
        {layer: channels[layer] for layer in profile.style},
        **parts,
        content_layers=profile.content,
        style_layers=profile.style,
    )
    chosen = {"learning_rate": numbers(preset)["learning_rate"], "unit": numbers(preset)["unit"]}
    cast = partial(jax.tree.map, lambda a: jnp.asarray(a, dtype))
    start = picture(pair.split("/")[0] if record.start.name == "content" else f"noise{PAIRS[pair]}")
    return transfer.Problem(params, aims, cast(dict(weights)), cast(chosen)), jnp.asarray(start, dtype)


def run_torch(preset, pair, dtype, steps):
    """The value at each evaluation, and how many of the first FIRST pairs were refused."""
    import torch  # pyright: ignore[reportMissingImports]  for this script only

    spec, *_ = program(preset)
    made, start = problem(preset, pair, dtype)
    unit = numbers(preset)["unit"]
    evaluate = jax.jit(jax.value_and_grad(lambda u: transfer.objective(spec, made, u / unit)))
    variable = torch.tensor(np.asarray(start) * np.asarray(unit, dtype))
    values = []

    def closure():
        value, gradient = evaluate(jnp.asarray(variable.detach().numpy()))
        variable.grad = torch.tensor(np.asarray(gradient))
        values.append(float(value))
        return torch.tensor(float(value))

    memory = int(numbers(preset)["memory"])
    optimiser = torch.optim.LBFGS(
        [variable], lr=1.0, max_iter=1, max_eval=2, tolerance_grad=-1, tolerance_change=-1, history_size=memory
    )
    for _ in range(steps):
        optimiser.step(closure)
    closure()
    kept = len(optimiser.state[variable]["old_dirs"])
    return values, max(0, min(steps - 1, memory) - kept)


def compute(preset, pair):
    """The entry of a problem."""
    exact, _ = run_torch(preset, pair, np.float64, END)
    _, refused = run_torch(preset, pair, np.float64, FIRST)
    single, _ = run_torch(preset, pair, np.float32, END)
    first = exact[: FIRST + 1]
    errors = [abs(a - b) / abs(b) if np.isfinite(a) else 1e9 for a, b in zip(single, first, strict=False)]
    return {"values": first, "errors": errors, "end": exact[-1], "end32": single[-1], "refused": refused}


def main():
    if not INPUTS.exists():
        np.savez_compressed(INPUTS, allow_pickle=False, **draw())
    with jax.enable_x64(True):
        found = {}
        for preset in PRESETS:
            found[preset] = {pair: compute(preset, pair) for pair in PAIRS}
            for pair, entry in found[preset].items():
                print(preset, pair, *(f"{entry[k]:.4g}" for k in ("end", "end32", "refused")), flush=True)
            jax.clear_caches()
    (HERE / "torch_lbfgs.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
