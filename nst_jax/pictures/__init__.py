"""Six small pictures to try the method on, and masks of one, drawn by `python -m tools.pictures.draw`."""

from importlib import resources
from pathlib import Path

CONTENTS = ("landscape", "portrait")
STYLES = ("brush", "mosaic", "ink")
TEXTURES = ("brick",)
NAMES = CONTENTS + STYLES + TEXTURES
# white where the sky is; each part of the landscape in a colour of its own
MASKS = ("landscape_sky", "landscape_parts")


def path(name: str) -> Path:
    """Where the bundled picture or mask of this name lies. Raises ValueError for another name."""
    if name not in NAMES + MASKS:
        raise ValueError(f"no bundled picture {name!r}: there are {', '.join(NAMES + MASKS)}")
    return Path(str(resources.files(__name__) / f"{name}.{'png' if name in MASKS else 'jpg'}"))
