"""The networks of torchvision with our parameters, and the losses of `relative`. Imported only where it is installed.

Tapped by torchvision's own `create_feature_extractor`, so that nothing deeper is computed. Batch normalisations are
folded into the convolutions, and no parameter has a gradient, as with ours.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import torch  # pyright: ignore[reportMissingImports]
import torchvision  # pyright: ignore[reportMissingImports]
from torch.fx.experimental.optimization import fuse  # pyright: ignore[reportMissingImports]
from torchvision.models.feature_extraction import create_feature_extractor  # pyright: ignore[reportMissingImports]

from benchmarks.ours import pictures
from benchmarks.pytorch import gram
from nst_jax.extractors import architecture
from nst_jax.extractors.inception import TORCHVISION
from nst_jax.types import Params

NAMES = {"squeezenet": "squeezenet1_1"}  # ours -> torchvision's
PLAIN = {"init_weights": False, "transform_input": False}  # 2 x - 1 belongs to the weights
OPTIONS = {"inception_v3": PLAIN, "googlenet": PLAIN}
FIRES = {"conv1": 1, "fire2": 3, "fire4": 6, "fire5": 7, "fire6": 9}  # among the `features` of SqueezeNet
PARTS = {"weight": "scale", "bias": "offset", "running_mean": "mean", "running_var": "variance"}

Objective = Callable[[torch.Tensor], torch.Tensor]


def tap(name: str, layer: str) -> str:
    """torchvision's name of the module whose output is our layer."""
    if name == "squeezenet":
        return f"features.{FIRES[layer]}"
    if name == "inception_v3":
        return next(block.name for block in TORCHVISION if layer in (block.name, block.also))
    if name.startswith("resnet"):
        return layer.replace("_", ".") if layer.startswith("layer") else "relu"
    return layer


def network(name: str, params: Params, layers: Iterable[str], form: torch.memory_format) -> torch.nn.Module:
    """The network up to the deepest of these layers; it returns their activations by name."""
    model = getattr(torchvision.models, NAMES.get(name, name))(weights=None, **OPTIONS.get(name, {})).eval()
    arch = architecture(name)
    for path, module in model.named_modules():
        if isinstance(module, torch.nn.Conv2d) and path in arch.aliases:
            layer = params[arch.aliases[path]]
            module.weight.data = torch.from_numpy(np.array(layer["kernel"]).transpose(3, 2, 0, 1).copy())
            if module.bias is not None:
                module.bias.data = torch.from_numpy(np.array(layer["bias"]))
        elif path in arch.norms:
            for theirs, own in PARTS.items():
                getattr(module, theirs).data = torch.from_numpy(np.array(params[arch.norms[path]][own]))
    tapped = create_feature_extractor(model, {tap(name, layer): layer for layer in layers}).eval()
    tapped = fuse(tapped, inplace=True, no_trace=True)  # a copy would forget that it is in evaluation
    if any(isinstance(module, torch.nn.BatchNorm2d) for module in tapped.modules()):
        raise ValueError(f"{name}: a batch normalisation is not folded")
    return tapped.requires_grad_(False).to(memory_format=form)


def objective(
    size: int, name: str, params: Params, layers: Mapping[str, Any], form: torch.memory_format, style_weight: float
) -> Objective:
    """The objective of the image (1, 3, height, width). layers: `content` and `style`, their names."""
    model = network(name, params, {*layers["content"], *layers["style"]}, form)
    see = lambda x: model(255 * x - 127.5)
    content, style = (torch.from_numpy(np.array(p)).permute(2, 0, 1)[None].contiguous() for p in pictures(size))
    with torch.no_grad():
        aims = {k: v for k, v in see(content.contiguous(memory_format=form)).items() if k in layers["content"]}
        grams = {k: gram(v) for k, v in see(style.contiguous(memory_format=form)).items() if k in layers["style"]}
    parts = {k: float((a**2).sum()) for k, a in (aims | {f"style/{k}": g for k, g in grams.items()}).items()}

    def measure(x: torch.Tensor) -> torch.Tensor:
        found = see(x)
        style = sum(((gram(found[k]) - g) ** 2).sum() / parts[f"style/{k}"] for k, g in grams.items())
        content = sum(((found[k] - a) ** 2).sum() / parts[k] for k, a in aims.items())
        return content + style * (style_weight / len(grams))  # type: ignore[return-value]

    return measure


def gradient(measure: Objective, start: np.ndarray, form: torch.memory_format, *, compiled: bool) -> Callable[[], Any]:
    """One value-and-gradient of the objective, eager or by `torch.compile`."""
    if compiled:
        torch.compiler.reset()
        measure = torch.compile(measure, dynamic=False)
    x = torch.from_numpy(start.transpose(2, 0, 1)[None].copy()).contiguous(memory_format=form).requires_grad_(True)

    def once() -> tuple[float, torch.Tensor]:
        value = measure(x)
        (slope,) = torch.autograd.grad(value, x)
        return float(value.detach()), slope

    return once
