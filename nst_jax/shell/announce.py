"""Say where a file is that was made for a person. The screen shows the line, or, as its user likes, only the name."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

LOG = logging.getLogger("nst_jax")


def announce(what: str, path: Path | str, record: Mapping[str, Any] | Sequence[Any] | None = None) -> None:
    """Log one line.

    Args:
      what: "result", "film", "table", ...
      path: the file.
      record: all that is known of it, for `--json`. The one announcement that has it is the run's result.
    """
    LOG.info("%-9s%s", f"{what}:", path, extra={"made": str(path), "record": record})
