"""Six small pictures to try the method on, drawn by `python -m tools.pictures.draw`."""

from importlib import resources
from pathlib import Path

CONTENTS = ("landscape", "portrait")
STYLES = ("brush", "mosaic", "ink")
TEXTURES = ("brick",)
NAMES = CONTENTS + STYLES + TEXTURES


def path(name: str) -> Path:
    """Where the bundled picture of this name lies. Raises ValueError for another name than in NAMES."""
    if name not in NAMES:
        raise ValueError(f"no bundled picture {name!r}: there are {', '.join(NAMES)}")
    return Path(str(resources.files(__name__) / f"{name}.jpg"))
