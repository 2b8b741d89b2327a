"""The command `nst-export`: copy the results of a sweep or a run to a tracker."""

import sys
from pathlib import Path

from nst_jax.shell.cli.screen import command
from nst_jax.shell.errors import UserError

USAGE = """\
nst-export: copy the results of a sweep or of one run to a tracker

  nst-export FOLDER tensorboard [WHERE]   event files, in FOLDER/tensorboard; extra `tensorboard`
  nst-export FOLDER mlflow [WHERE]        a run for each job; WHERE: a tracking URI, else MLFLOW_TRACKING_URI,
                                          else sqlite in FOLDER/mlflow.db; extra `mlflow`
"""


@command("nst-export")
def main() -> None:
    """Run the command. Exit code 2 for a mistake of the user's."""
    words = sys.argv[1:]
    if len(words) not in (2, 3) or words[0] in ("-h", "--help"):
        print(USAGE)
        sys.exit(0 if words[:1] in (["-h"], ["--help"]) else 2)
    from nst_jax.shell.reports import export

    try:
        print(export.run(Path(words[0]).expanduser(), *words[1:]))
    except UserError as error:
        print(f"nst-export: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
