"""Neural style transfer research in JAX.

The names below are the pure core: arrays and frozen values in, arrays out. They are handed out lazily
(PEP 562), so that the command line, which lives in the same package, answers before jax is loaded.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_WHERE = {
    "advance": "transfer",
    "begin": "transfer",
    "objective": "transfer",
    "stylise": "transfer",
    "targets": "transfer",
    "terms": "transfer",
    "weights": "transfer",
    "Problem": "transfer",
    "Result": "transfer",
    "Spec": "transfer",
    "Info": "optimise",
    "Solver": "optimise",
    "State": "optimise",
    "SOLVERS": "optimise",
    "Convention": "losses",
    "Moments": "losses",
    "Targets": "losses",
    "Terms": "losses",
    "gram": "losses",
    "moments": "losses",
    "total": "losses",
    "CONVENTIONS": "conventions",
    "BLOCKS": "extractors",
    "VGG": "vgg",
    "VGG16": "vgg",
    "VGG19": "vgg",
    "features": "vgg",
    "layers": "vgg",
    "random_params": "vgg",
    "over": "sweep",
    "over_weights": "sweep",
    "ssim": "metrics",
    "resize": "image",
    "target_shape": "image",
}
_MODULES = ("canvas", "conventions", "image", "losses", "metrics", "optimise", "sweep", "transfer", "types", "vgg")

__all__ = [*sorted(_WHERE), *_MODULES]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(import_module(f"nst_jax.{_WHERE[name]}"), name)
    if name in _MODULES:
        return import_module(f"nst_jax.{name}")
    raise AttributeError(f"nst_jax has no {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
