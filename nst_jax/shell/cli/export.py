"""The command `nst-export`: copy results to a tracker, measure them, or turn a trained network into another format."""

import sys
from pathlib import Path

from nst_jax.shell.cli.screen import command
from nst_jax.shell.errors import UserError

USAGE = """\
nst-export: copy the results of a sweep or of one run to a tracker, measure them, or turn a trained network into
another format

  nst-export FOLDER tensorboard [WHERE]   event files, in FOLDER/tensorboard; extra `tensorboard`
  nst-export FOLDER mlflow [WHERE]        a run for each job; WHERE: a tracking URI, else MLFLOW_TRACKING_URI,
                                          else sqlite in FOLDER/mlflow.db; extra `mlflow`

  nst-export FOLDER metrics [to=FILE] [measures=ssim,lpips_alex,sifid,judge_distance]
                                          a table, FOLDER/metrics.csv, with a row for each run. Also: lpips_vgg,
                                          lpips_squeeze, judge_frechet. LPIPS and SIFID download torchvision's weights
                                          once; alex=FILE, vgg=FILE, squeeze=FILE and inception=FILE take a file
  nst-export FOLDER artfid [to=FOLDER] [size=PIXELS]
                                          the folders that ArtFID's program reads, and a README.md with its command

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
    """Export, and return where the result is. Raises UserError for a folder or a model that cannot be exported."""
    if kind in FORMATS:
        from nst_jax.shell.running import portable

        given = read_words(more, ("to", "size"), f"nst-export MODEL {kind} takes to=FILE and size=WIDTHxHEIGHT")
        model = what[1:-1].split(",") if what.startswith("[") else what
        return str(portable.run(model, kind, **given))
    if kind in EVALUATIONS:
        return EVALUATIONS[kind](Path(what).expanduser(), more)
    from nst_jax.shell.reports import export

    if len(more) > 1:
        raise UserError(f"{more[1]}: nst-export FOLDER TRACKER takes one place at most")
    return export.run(Path(what).expanduser(), kind, *more)


def read_words(words: list[str], known: tuple[str, ...], usage: str) -> dict[str, str]:
    """The words KEY=VALUE. Raises UserError for any other word."""
    if unknown := [word for word in words if word.partition("=")[0] not in known or "=" not in word]:
        raise UserError(f"{unknown[0]}: {usage}")
    return dict(word.split("=", 1) for word in words)


def tell(line: str) -> None:
    """Print a line about the progress to standard error."""
    print(line, file=sys.stderr)


def tabulate(folder: Path, words: list[str]) -> str:
    """Write the table of measures."""
    from nst_jax.shell.running import evaluation

    files = tuple(evaluation.WEIGHTS.values())
    usage = f"nst-export FOLDER metrics takes to=FILE, measures=NAME,NAME and {', '.join(f'{n}=FILE' for n in files)}"
    given = read_words(words, ("to", "measures", *files), usage)
    measures = given["measures"].strip("[]").split(",") if "measures" in given else evaluation.USUAL
    own = {name: path for name, path in given.items() if name in files}
    to = Path(given["to"]).expanduser() if "to" in given else None
    return str(evaluation.tabulate(folder, tell, measures=measures, to=to, files=own))


def lay_out(folder: Path, words: list[str]) -> str:
    """Write the folders of ArtFID."""
    from nst_jax.shell.running import evaluation

    given = read_words(words, ("to", "size"), "nst-export FOLDER artfid takes to=FOLDER and size=PIXELS")
    size = given.get("size")
    if size is not None and not (size.isdecimal() and int(size) > 0):
        raise UserError(f"size={size}: a number of pixels")
    to = Path(given["to"]).expanduser() if "to" in given else None
    return str(evaluation.lay_out(folder, tell, size=int(size) if size else None, to=to))


EVALUATIONS = {"metrics": tabulate, "artfid": lay_out}


if __name__ == "__main__":
    main()
