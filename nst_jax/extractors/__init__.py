"""The networks by name. Each is an `Architecture` in a module of this folder; the table says which.

To add a network: write its module with a table ARCHITECTURES, and name it here.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nst_jax.extractors.base import Architecture

MODULES = {  # name -> module
    "vgg19": "vgg",
    "vgg16": "vgg",
    "distilled": "distilled",
    "texnet": "texnet",
    "squeezenet": "squeezenet",
    "inception_v3": "inception",
    "inception_v3_keras": "inception",
    "googlenet": "googlenet",
    "resnet18": "resnet",
    "resnet34": "resnet",
    "resnet50": "resnet",
    "resnet101": "resnet",
    "resnet50_keras": "resnet",
}
METRICS = {"alexnet": "alexnet"}  # networks of metrics alone: no setting names them
AVERAGES = ("vgg", "distilled", "texnet")  # modules whose networks have average pooling, too; the others' overlap


def architecture(name: str) -> "Architecture":
    """The architecture of the network of this name.

    A network of another package is named "package.module:NAME", where NAME is an `Architecture`.

    Raises:
      KeyError: the name is in neither table.
      ImportError, AttributeError: there is no such module, or no such NAME in it.
    """
    module, colon, attribute = name.partition(":")
    if colon:
        return getattr(import_module(module), attribute)
    return import_module(f"nst_jax.extractors.{(MODULES | METRICS)[name]}").ARCHITECTURES[name]
