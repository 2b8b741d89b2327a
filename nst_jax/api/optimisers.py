"""The optimisers, each with the defaults of the command line."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from nst_jax.optim import solvers


class Method(NamedTuple):
    """An optimiser with its settings."""

    solver: Any
    options: tuple[tuple[str, Any], ...]  # they shape the program
    numbers: Mapping[str, Any]  # they do not; an array of one dimension has a number for each lane


def lbfgs(*, memory: int = 50, evaluations: int = 20) -> Method:
    """L-BFGS with a zoom line search of at most `evaluations` a step. The defaults are the command's."""
    return Method(solvers.lbfgs, (("memory", memory), ("evaluations", evaluations)), {})


def lbfgs_torch(*, learning_rate: Any = 1.0, memory: int = 100, unit: Any = 255.0) -> Method:
    """L-BFGS without a line search, with torch.optim.LBFGS's defaults, on a picture in 0..unit."""
    return method_of(solvers.lbfgs_torch, {"memory": memory}, {"learning_rate": learning_rate, "unit": unit})


def adam(
    learning_rate: Any = 0.02,
    *,
    b1: Any = 0.9,
    b2: Any = 0.99,
    eps: Any = 1e-8,
    falloff: Any = 1.0,
    clamp: bool = True,
) -> Method:
    """Adam, with the b2 and the rate of crowsonkb/style-transfer-pytorch.

    falloff: the factor of the learning rate after each step. clamp: clip the image to [0, 1].
    """
    numbers = {"learning_rate": learning_rate, "b1": b1, "b2": b2, "eps": eps, "falloff": falloff}
    return method_of(solvers.adam, {"clamp": clamp}, numbers)


def sgd(learning_rate: Any, *, momentum: Any = 0.0, clamp: bool = True) -> Method:
    """Gradient descent with heavy-ball momentum."""
    return method_of(solvers.sgd, {"clamp": clamp}, {"learning_rate": learning_rate, "momentum": momentum})


def adagrad(learning_rate: Any = 0.1, *, eps: Any = 1e-10, clamp: bool = True) -> Method:
    """AdaGrad; eps is torch's."""
    return method_of(solvers.adagrad, {"clamp": clamp}, {"learning_rate": learning_rate, "eps": eps})


def rmsprop(learning_rate: Any = 0.01, *, decay: Any = 0.99, eps: Any = 1e-8, clamp: bool = True) -> Method:
    """RMSprop; the defaults are torch's."""
    numbers = {"learning_rate": learning_rate, "decay": decay, "eps": eps}
    return method_of(solvers.rmsprop, {"clamp": clamp}, numbers)


def method_of(solver: Any, options: Mapping[str, Any], numbers: Mapping[str, Any]) -> Method:
    """A method: options in the order of the solver's own."""
    return Method(solver, tuple(options.items()), {k: jnp.asarray(v, jnp.float32) for k, v in numbers.items()})


def solver_name(method: Method) -> str:
    """The optimiser and its settings, in words."""
    given = {**dict(method.options), **{k: np.asarray(v).tolist() for k, v in method.numbers.items()}}
    return f"{method.solver.__name__}({', '.join(f'{k}={v}' for k, v in given.items())})"
