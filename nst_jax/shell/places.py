"""Where things lie. Nothing but pathlib is imported, so that `nst --help` answers at once."""

from pathlib import Path

PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif")  # suffixes, in folders
PACKAGE = Path(__file__).resolve().parents[1]


def conf() -> Path:
    """The folder conf/: within the package in a wheel, beside it in a checkout or an editable install."""
    inside = PACKAGE / "conf"
    return inside if inside.is_dir() else PACKAGE.parent / "conf"


def package_file(file: str) -> Path:
    """The path of a file of the package, for example trained/distilled.safetensors."""
    return PACKAGE / file
