"""The command `nst-export`: copy results to a tracker, or a trained network into a format that others read."""

import sys
from pathlib import Path

from nst_jax.shell.cli.screen import command
from nst_jax.shell.errors import UserError

USAGE = """\
nst-export: copy the results of a sweep or of one run to a tracker, or a trained network into another format

  nst-export FOLDER tensorboard [WHERE]   event files, in FOLDER/tensorboard; extra `tensorboard`
  nst-export FOLDER mlflow [WHERE]        a run for each job; WHERE: a tracking URI, else MLFLOW_TRACKING_URI,
                                          else sqlite in FOLDER/mlflow.db; extra `mlflow`

  nst-export MODEL jax [to=FILE]          StableHLO, which jax.export reads without nst_jax; MODEL: of nst-train
  nst-export MODEL onnx [to=FILE]         ONNX; extra `onnx`, which wants an environment of its own
"""

FORMATS = ("jax", "onnx")


@command("nst-export")
def main() -> None:
    """Run the command. Exit code 2 for a mistake of the user's."""
    words = sys.argv[1:]
    if len(words) not in (2, 3) or words[0] in ("-h", "--help"):
        print(USAGE)
        sys.exit(0 if words[:1] in (["-h"], ["--help"]) else 2)
    try:
        print(run(words[0], words[1], words[2] if len(words) > 2 else None))
    except UserError as error:
        print(f"nst-export: {error}", file=sys.stderr)
        sys.exit(2)


def run(what: str, kind: str, where: str | None) -> str:
    """Export, and return where the result is. Raises UserError for what cannot be exported."""
    if kind in FORMATS:
        from nst_jax.shell.running import portable

        given = what[1:-1].split(",") if what.startswith("[") else what
        return str(portable.run(given, kind, None if where is None else where.removeprefix("to=")))
    from nst_jax.shell.reports import export

    return export.run(Path(what).expanduser(), kind, where)


if __name__ == "__main__":
    main()
