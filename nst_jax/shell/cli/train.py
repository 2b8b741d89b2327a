"""The command `nst-train`."""

import sys
from typing import TYPE_CHECKING, Any

from nst_jax.shell.cli.screen import command, log_to_screen
from nst_jax.shell.errors import Ended, UserError

if TYPE_CHECKING:
    from nst_jax.shell.training.config import Config

USAGE = """\
nst-train: train a network

  nst-train distil data=FOLDER                       the network `distilled`, from VGG-16 and a folder of pictures
  nst-train distil data=FOLDER weights=file weights.path=FILE      with the teacher's weights in a file of yours
  nst-train distil data=[FOLDER,FOLDER] steps=2000 folder=FOLDER   other settings: conf/train/distil.yaml

Ctrl-C stops after a step; the same line goes on from there.
"""


@command("nst-train")
def main() -> None:
    """The command. Exit code 2 for a mistake, 130 after Ctrl-C."""
    words = sys.argv[1:]
    if words[:1] != ["distil"] or {"-h", "--help"} & set(words):
        print(USAGE)
        sys.exit(0 if {"-h", "--help"} & set(words) else 2)
    try:
        with log_to_screen():
            print(run(words[1:]))
    except UserError as error:
        print(f"nst-train: {error}", file=sys.stderr)
        sys.exit(2)
    except Ended as ended:
        if ended.early:
            print("nst-train: stopped before the first step; nothing is kept", file=sys.stderr)
        sys.exit(ended.code)


def run(words: list[str]) -> str:
    """Train as the words say, and return the name of the file. Raises UserError for a mistake in them."""
    from nst_jax.shell.running.stop import catch_signals
    from nst_jax.shell.training import distil

    config = read(words)
    with catch_signals() as stop:
        return str(distil.run(config, stop))


def read(words: list[str]) -> "Config":
    """The settings of conf/train/distil.yaml with the words over them."""
    from hydra import compose, initialize_config_dir
    from omegaconf import OmegaConf

    from nst_jax.shell.places import conf
    from nst_jax.shell.settings import config as settings
    from nst_jax.shell.training.config import Config

    try:
        with initialize_config_dir(str(conf().resolve()), version_base=settings.HYDRA):
            found = compose("train/distil", overrides=words)
        if OmegaConf.is_missing(found, "data"):
            raise UserError("data=FOLDER is missing: a folder of pictures, or several, data=[FOLDER,FOLDER]")
        made: Any = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(Config), found))
        return made
    except Exception as error:
        if not settings.is_mistake(error):
            raise
        raise UserError(settings.explain(error)) from error


if __name__ == "__main__":
    main()
