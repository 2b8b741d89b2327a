"""Neural style transfer research in JAX.

The names below are the pure core: arrays and frozen values in, arrays out. They are handed out lazily
(PEP 562), so that the command line, which lives in the same package, answers before jax is loaded. Two of them
read files, for notebooks: `picture` and `extractor`.

>>> import jax, nst_jax as nst
>>> content, style = (jax.random.uniform(jax.random.key(n), (24, 32, 3)) for n in range(2))
>>> net = nst.VGG(("relu1_1", "relu1_2"), blocks=nst.VGG19, pool="max", rounding="floor", padding="zero")
>>> params = nst.random_params(jax.random.key(2), blocks=nst.VGG19[:1])
>>> goals = nst.targets(net, params, content, style, content_layers=("relu1_2",), style_layers=("relu1_1",))
>>> numbers = {"content_weight": 1.0, "style_weight": 1e3, "tv_weight": 0.0}
>>> factors = {"content_layers": {"relu1_2": 1.0}, "style_layers": {"relu1_1": 1.0}}
>>> weights = nst.weights(nst.CONVENTIONS["gatys_released"], goals, **numbers, **factors)
>>> options = (("memory", 5), ("evaluations", 20))
>>> spec = nst.Spec(net, nst.CONVENTIONS["gatys_released"], nst.SOLVERS["lbfgs"], options)
>>> result = nst.stylise(spec, nst.Problem(params, goals, weights, {}), content, steps=10)
>>> result.image.shape, bool(result.infos.value[-1] < result.infos.value[0])
((24, 32, 3), True)
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
    "Info": "solvers",
    "Solver": "solvers",
    "State": "optimise",
    "SOLVERS": "solvers",
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
    "Extractor": "shell.interactive",
    "extractor": "shell.interactive",
    "picture": "shell.interactive",
}
_MODULES = (
    "canvas",
    "conventions",
    "image",
    "losses",
    "metrics",
    "optimise",
    "pictures",
    "resolution",
    "sweep",
    "transfer",
    "translate",
    "types",
    "vgg",
)

__all__ = [*sorted(_WHERE), *_MODULES]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(import_module(f"nst_jax.{_WHERE[name]}"), name)
    if name in _MODULES:
        return import_module(f"nst_jax.{name}")
    raise AttributeError(f"nst_jax has no {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
