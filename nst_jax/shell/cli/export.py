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

  nst-export MODEL jax [to=FILE]          StableHLO, which jax.export reads without nst_jax; extra `export`;
                                          MODEL: a file of nst-train
  nst-export MODEL onnx size=640x480 [to=FILE]
                                          ONNX for pictures of that size, of johnson and cin; extra `onnx`
"""

FORMATS = ("jax", "onnx")


@command("nst-export")
def main() -> None:
    """Run the command. Exit code 2 for a mistake of the user's."""
    words = sys.argv[1:]
    if len(words) < 2 or words[0] in ("-h", "--help"):
        print(USAGE)
        sys.exit(0 if words[:1] in (["-h"], ["--help"]) else 2)
    try:
        print(run(words[0], words[1], words[2:]))
    except UserError as error:
        print(f"nst-export: {error}", file=sys.stderr)
        sys.exit(2)


def run(what: str, kind: str, more: list[str]) -> str:
    """Export, and return where the result is. Raises UserError for what cannot be exported."""
    if kind in FORMATS:
        from nst_jax.shell.running import portable

        given = dict(word.split("=", 1) for word in more if "=" in word)
        if unknown := [word for word in more if word.partition("=")[0] not in ("to", "size") or "=" not in word]:
            raise UserError(f"{unknown[0]}: nst-export MODEL {kind} takes to=FILE and size=WIDTHxHEIGHT")
        model = what[1:-1].split(",") if what.startswith("[") else what
        return str(portable.run(model, kind, **given))
    from nst_jax.shell.reports import export

    if len(more) > 1:
        raise UserError(f"{more[1]}: nst-export FOLDER TRACKER takes one place at most")
    return export.run(Path(what).expanduser(), kind, *more)


if __name__ == "__main__":
    main()
