"""The needs of a preset of the command line."""

from collections.abc import Iterable

from nst_jax.published import PROGRAMS


def needs(words: Iterable[str]) -> str | None:
    """Which network weights the preset was made for, and what differs with others.

    Args:
      words: of the command line, such as "+preset=cysmith". The last preset counts.

    Returns:
      Sentences; None without a preset, or for one that is not a published program.
    """
    names = [word.partition("=")[2] for word in words if word.lstrip("+").startswith("preset=")]
    program = PROGRAMS.get(names[-1]) if names else None
    if program is None:
        return None
    return f"the preset {program.name} was made for these weights: {program.needs}. {program.otherwise}"
