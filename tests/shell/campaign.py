"""How often the campaigns of docs/reliability.md try: NST_CAMPAIGN=10 pytest tests/shell tries ten times as often."""

import os

TIMES = int(os.environ.get("NST_CAMPAIGN", "1"))


def times(many: int) -> int:
    """So many, or a multiple."""
    return many * TIMES
