"""The command `nst-gallery`."""

import sys
from pathlib import Path

from nst_jax.shell.cli.screen import command
from nst_jax.shell.errors import UserError
from nst_jax.shell.reports import gallery

USAGE = """\
nst-gallery: a sweep as one static page

  nst-gallery runs/sweeps/NAME    writes index.html, grid.png and results.* into the folder; open index.html
"""


@command("nst-gallery")
def main() -> None:
    """The command. Exit code 2 for a folder that holds no sweep."""
    words = sys.argv[1:]
    if len(words) != 1 or words[0] in ("-h", "--help"):
        print(USAGE)
        sys.exit(0 if words else 2)
    try:
        print(gallery.build(Path(words[0]).expanduser()))
    except UserError as error:
        print(f"nst-gallery: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
