"""The same problem in PyTorch: the same weights, layers, losses and start. Imported only where it is installed."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch  # pyright: ignore[reportMissingImports]
import torch.nn.functional as F  # pyright: ignore[reportMissingImports]

from benchmarks.ours import CONTENT, PARAMS, STYLE, pictures
from nst_jax.extractors.vgg import VGG19, layers

Params = dict[str, tuple[torch.Tensor, torch.Tensor]]


def parameters(form: torch.memory_format) -> Params:
    """Kernels as (out, in, 3, 3)."""
    made = {}
    for name, layer in PARAMS.items():
        if name != "input":
            kernel = torch.from_numpy(np.array(layer["kernel"]).transpose(3, 2, 0, 1).copy())
            made[name] = kernel.contiguous(memory_format=form), torch.from_numpy(np.array(layer["bias"]))
    return made


def features(params: Params, image: torch.Tensor) -> dict[str, torch.Tensor]:
    """Activations to relu5_1."""
    x, found = 255 * image - 127.5, {}
    for name in layers(VGG19):
        if name.startswith("conv"):
            x = F.conv2d(x, *params[name], padding=1)
        elif name.startswith("relu"):
            x = found[name] = F.relu(x)
            if name == "relu5_1":
                return found
        elif name.startswith("pool"):
            x = F.avg_pool2d(x, 2)
    return found


def gram(a: torch.Tensor) -> torch.Tensor:
    """Mean over positions."""
    flat = a.flatten(2)[0]
    return flat @ flat.T / flat.shape[1]


def problem(
    size: int, form: torch.memory_format, style_weight: float = 1e3
) -> tuple[Callable[[torch.Tensor], torch.Tensor], torch.Tensor]:
    """The objective (leongatys/PytorchNeuralStyleTransfer: mean squared errors, 1 / N^2), and the start."""
    params = parameters(form)
    content, style = (
        torch.from_numpy(np.array(p)).permute(2, 0, 1)[None].contiguous(memory_format=form) for p in pictures(size)
    )
    with torch.no_grad():
        aims = {k: v for k, v in features(params, content).items() if k in CONTENT}
        grams = {k: gram(v) for k, v in features(params, style).items() if k in STYLE}

    def objective(x: torch.Tensor) -> torch.Tensor:
        found = features(params, x)
        style = sum(F.mse_loss(gram(found[k]), g) * (style_weight / g.shape[0] ** 2) for k, g in grams.items())
        return style + sum(F.mse_loss(found[k], a) for k, a in aims.items())  # type: ignore[return-value]

    return objective, content


def gradient(size: int, form: torch.memory_format, *, compiled: bool = False) -> Callable[[], Any]:
    """One value-and-gradient of the objective, eager or by `torch.compile`."""
    objective, start = problem(size, form)
    if compiled:
        torch.compiler.reset()
        objective = torch.compile(objective)
    x = start.clone(memory_format=form).requires_grad_(True)

    def once() -> tuple[float, torch.Tensor]:
        value = objective(x)
        (slope,) = torch.autograd.grad(value, x)
        return float(value.detach()), slope

    return once
