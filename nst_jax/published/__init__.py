"""Published programs as records: one module a family. See `base` for the records.

To add one, write its records in a module of this folder, name a new module in FAMILIES, and run
`python -m tools.published`.
"""

from importlib import import_module

from nst_jax.losses import matching
from nst_jax.losses.grams import SQUARES
from nst_jax.published import (
    crowson,
    gatys,
    gordicaleksa,
    keras,
    mrf,
    neural_style,
    ours,
    pystiche,
    reports,
    statistics,
    strotss,
    tensorflow,
    textures,
    tutorials,
)
from nst_jax.published.base import Convention, Losses, Profile, Program
from nst_jax.published.gatys import GATYS_2016, GATYS_RELEASED
from nst_jax.published.keras import KERAS
from nst_jax.published.looks import LOOKS, Look
from nst_jax.published.neural_style import NEURAL_STYLE, NEURAL_STYLE_PT

__all__ = [
    "CONVENTIONS",
    "FAMILIES",
    "GATYS_2016",
    "GATYS_RELEASED",
    "GRAM",
    "KERAS",
    "LOOKS",
    "LOSSES",
    "NEURAL_STYLE",
    "NEURAL_STYLE_PT",
    "PROFILES",
    "PROGRAMS",
    "Look",
    "convention",
    "draws",
]

FAMILIES = (
    gatys,
    neural_style,
    pystiche,
    gordicaleksa,
    tensorflow,
    keras,
    tutorials,
    textures,
    crowson,
    statistics,
    mrf,
    strotss,
    ours,
    reports,
)

LOSSES: dict[str, Losses] = {record.name: record for family in FAMILIES for record in family.LOSSES}
PROFILES: dict[str, Profile] = {record.name: record for family in FAMILIES for record in family.PROFILES}
PROGRAMS: dict[str, Program] = {record.name: record for family in FAMILIES for record in family.PROGRAMS}

CONVENTIONS: dict[str, Convention] = {name: record.convention for name, record in LOSSES.items() if not record.same_as}


def convention(name: str) -> Convention:
    """The convention of this name, as in the setting convention.name.

    A convention of another package is named "package.module:NAME", where NAME is a `Convention`.

    Raises:
      KeyError: the name is not in CONVENTIONS.
      ImportError, AttributeError: there is no such module, or no such NAME in it.
    """
    module, colon, attribute = name.partition(":")
    return getattr(import_module(module), attribute) if colon else CONVENTIONS[name]


GRAM: dict[str, Convention] = {  # those that compare Gram matrices by squares: each can be said in the terms of another
    name: convention for name, convention in CONVENTIONS.items() if convention.style_term.compare in SQUARES
}


def draws(name: str) -> bool:
    """Whether a convention draws a part of its aims. One of another package, "module:NAME", is taken to."""
    if ":" in name:
        return True
    found = CONVENTIONS.get(name)
    terms = () if found is None else (found.content_term, found.style_term, *(term for term, _ in found.others))
    return any(getattr(term.aim, "finish", None) in matching.DRAWS for term in terms)
