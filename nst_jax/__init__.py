"""Neural style transfer research in JAX.

>>> import nst_jax as nst
>>> net = nst.load("distilled")
>>> content, style = nst.picture("landscape", size=32), nst.picture("brush", size=32)
>>> problem = nst.problem(net, content, style, style_weight=100.0)
>>> result = nst.run(problem, steps=5, progress=False)
>>> result.image.shape, bool(result.curve["total"][-1] < result.curve["total"][0])
((24, 32, 3), True)

The names below are handed out lazily (PEP 562): the command line, which is in the same package, answers before jax is
loaded. `load`, `load_model`, `picture`, `paint`, `stylise` and `sweep` read files; everything else is pure: arrays and
frozen values in, arrays out.
"""

from importlib import import_module
from typing import Any

_API = {
    "instant": ("load_model", "paint"),
    "metrics": ("lpips", "sifid"),
    "networks": ("Network", "load", "picture"),
    "optimisers": ("Method", "adagrad", "adam", "lbfgs", "lbfgs_torch", "rmsprop", "sgd"),
    "problems": ("Task", "add", "over", "problem", "split"),
    "regions": ("region",),
    "strokes": ("repaint",),
    "textures": ("pattern", "texture", "texture_problem"),
    "results": ("Result",),
    "runs": ("run", "sweep", "unrolled"),
    "scales": ("scales",),
    "stylise": ("stylise",),
}
_WHERE = {name: f"api.{module}" for module, names in _API.items() for name in names} | {
    "advance": "methods.transfer",
    "aims": "methods.transfer",
    "Model": "methods.feedforward.instant",
    "begin": "methods.transfer",
    "objective": "methods.transfer",
    "values": "methods.transfer",
    "Problem": "methods.transfer",
    "Spec": "methods.transfer",
    "Aim": "losses.term",
    "Term": "losses.term",
    "View": "losses.term",
    "total": "losses.term",
    "Moments": "losses.moments",
    "laplacian_term": "losses.photo",
    "matting_term": "losses.photo",
    "spectrum_term": "losses.spectrum",
    "shift_term": "losses.offsets",
    "autocorrelation_term": "losses.offsets",
    "Octaves": "extractors.octaves",
    "Softmax": "extractors.softmax",
    "gram": "losses.moments",
    "moments": "losses.moments",
    "Convention": "published.base",
    "CONVENTIONS": "published",
    "Architecture": "extractors.base",
    "Extractor": "extractors.base",
    "Function": "extractors.base",
    "architecture": "extractors",
    "features": "extractors.base",
    "Info": "optim.solvers",
    "Solver": "optim.solvers",
    "SOLVERS": "optim.solvers",
    "Region": "methods.regions",
    "State": "optim.minimise",
    "frechet_distance": "analysis.frechet",
    "ssim": "analysis.metrics",
    "gray": "images.colour",
    "match_colours": "images.colour",
    "palette": "images.colour",
    "with_chroma": "images.colour",
    "resize": "images.size",
    "target_shape": "images.size",
}
_MODULES = (
    *("analysis", "api", "extractors", "images", "losses", "methods", "nn", "optim", "parallel", "pictures"),
    *("published", "types"),
)

__all__ = [*sorted(_WHERE), *_MODULES]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(import_module(f"nst_jax.{_WHERE[name]}"), name)
    if name in _MODULES:
        return import_module(f"nst_jax.{name}")
    if name == "__version__":
        return _read_version()
    raise AttributeError(f"nst_jax has no {name!r}")


def _read_version() -> str:
    """The version that the build has written. An unbuilt checkout has no version: a result's commit identifies it."""
    try:
        return import_module("nst_jax._version").__version__
    except ModuleNotFoundError:
        return "0+unknown"


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
