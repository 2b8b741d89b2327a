"""One value-and-gradient by each network that is not VGG: ours, and PyTorch's best with torchvision's own.

The network's default layers, `convention=relative`, untrained weights. The script stops if two values differ by more
than 1e-3, or two gradients by more than 1e-2: rounding decides which of two nearly equal values is a maximum.

python -m benchmarks.networks --networks squeezenet inception_v3 --sizes 256 512 --repeats 5
"""

import argparse
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

import nst_jax as nst
from benchmarks import distilled, ours
from benchmarks.interleaved import machine, medians, table
from nst_jax.extractors import architecture
from nst_jax.published import PROFILES
from nst_jax.types import Params

try:
    import torch  # pyright: ignore[reportMissingImports]

    from benchmarks import torch_networks
except ImportError:
    torch = torch_networks = None

NETWORKS = ("squeezenet", "inception_v3", "resnet50", "googlenet", "resnet18")
ROUNDING = {"squeezenet": "ceil"}  # as torchvision has it
NUMBERS = {"content_weight": 1.0, "style_weight": 100.0, "tv_weight": 0.0}


def draw(name: str) -> Params:
    """Untrained parameters."""
    return jax.jit(architecture(name).random)(jax.random.key(0))


def problem(size: int, name: str, params: Params, convolution: str) -> tuple[nst.Spec, nst.Problem]:
    """The problem of the network's own layers."""
    arch = architecture(name)
    profile = PROFILES[arch.profile]
    how = {"pool": arch.pool, "rounding": ROUNDING.get(name, arch.rounding), "padding": "zero"}
    ready = arch.ready(params, convolution=convolution, dtype="float32")
    net = nst.Network(arch.tap({*profile.content, *profile.style}, **how), ready, profile.content, profile.style)
    return nst.split(nst.problem(net, *ours.pictures(size), **NUMBERS), ours.METHODS["adam"])


def start_of(size: int) -> jax.Array:
    """Between both pictures: no term is zero there."""
    content, style = ours.pictures(size)
    return (content + style) / 2


def cases(size: int, name: str, params: Params) -> dict[str, Callable[[], Any]]:
    """Everything that is compared."""
    start, made = start_of(size), {}
    for kind, convolution in {"direct": "direct", "auto": "auto"}.items():
        made[kind] = distilled.once(*problem(size, name, params, convolution), start)
    if torch and torch_networks:
        profile = PROFILES[architecture(name).profile]
        layers = {"content": profile.content, "style": profile.style}
        for kind, form in {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}.items():
            measure = torch_networks.objective(size, name, params, layers, form, NUMBERS["style_weight"])
            for suffix, compiled in {"": False, ", compiled": True}.items():
                once = torch_networks.gradient(measure, np.asarray(start), form, compiled=compiled)
                made[f"torch {kind}{suffix}"] = once
    return made


def check_agreement(name: str, made: Mapping[str, Callable[[], Any]]) -> None:
    """Raise ValueError if any two do not compute the same number and gradient."""
    found = {}
    for kind, case in made.items():
        value, slope = case()
        slope = np.asarray(slope)
        found[kind] = float(value), slope[0].transpose(1, 2, 0) if slope.ndim == 4 else slope
    value, slope = found["direct"]
    for kind, (other, theirs) in found.items():
        apart = np.linalg.norm(theirs - slope) / np.linalg.norm(slope)
        print(f"{name}, {kind}: value {other:.7g}, distance of the gradient from direct's {apart:.2g}", flush=True)
        if abs(other - value) > 1e-3 * abs(value) or apart > 1e-2:
            raise ValueError(f"{name}: {kind} computes {other}, direct {value}; the gradients are {apart:.2g} apart")


def main() -> None:
    """Print the table."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--networks", choices=NETWORKS, nargs="+", default=NETWORKS)
    words.add_argument("--sizes", type=int, nargs="+", default=[256, 512])
    words.add_argument("--repeats", type=int, default=5)
    given = words.parse_args()
    rows, times = [], {}
    for name in given.networks:
        params = draw(name)
        for size in given.sizes:
            made = cases(size, name, params)
            check_agreement(name, made)
            times = medians(made, repeats=given.repeats)
            theirs = min((v for k, v in times.items() if k.startswith("torch")), default=float("nan"))
            rows.append([name, size, *times.values(), times["direct"] / theirs, times["auto"] / theirs])
            print(rows[-1], flush=True)
    head = ["network", "size", *times, "direct / torch's best", "auto / torch's best"]
    print(f"\n{machine()}\n\n" + table(head, rows))


if __name__ == "__main__":
    main()
