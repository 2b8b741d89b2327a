"""Where things lie. Nothing but pathlib is imported, so that `nst --help` answers at once."""

from pathlib import Path


def conf() -> Path:
    """The folder conf/: within the package in a wheel, beside it in a checkout or an editable install."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "conf"
    return inside if inside.is_dir() else package.parent / "conf"


PACKAGED = {"texnet": Path(__file__).resolve().parents[1] / "trained" / "texnet.safetensors"}  # network -> its weights
