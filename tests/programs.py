"""Every operation of a program, those of its loops and branches too."""

from collections.abc import Iterator
from typing import Any

import jax


def operations(function: Any, *shapes: Any) -> Iterator[Any]:
    """The operations of a function of arrays, or of shapes."""
    yield from _inner(jax.make_jaxpr(function)(*shapes).jaxpr)


def _inner(jaxpr: Any) -> Iterator[Any]:
    for equation in jaxpr.eqns:
        yield equation
        for value in jax.tree.leaves(list(equation.params.values()), is_leaf=lambda v: hasattr(v, "eqns")):
            inner = getattr(value, "jaxpr", value)
            if hasattr(inner, "eqns"):
                yield from _inner(inner)


def slow_operations(function: Any, *shapes: Any) -> list[str]:
    """What must not be in the gradient of a network: convolutions of images with holes, and scatters of poolings."""
    found = []
    for one in operations(function, *shapes):
        if one.primitive.name == "conv_general_dilated" and set(one.params["lhs_dilation"]) != {1}:
            found.append("lhs_dilation")
        if one.primitive.name.startswith(("reduce_window", "select_and_scatter")):
            found.append(one.primitive.name)
    return found
