"""How often the campaigns of docs/explanations/reliability.md try.

`make test` tries a tenth of each; `make campaign` all of it; NST_CAMPAIGN=10 make campaign ten times as often.
"""

import os

SHARE = float(os.environ.get("NST_CAMPAIGN", "0.1"))


def times(many: int) -> int:
    """So many, or a share of them, but at least one."""
    return max(1, round(many * SHARE))
