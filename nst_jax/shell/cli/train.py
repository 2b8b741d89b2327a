"""The command `nst-train`."""

import itertools
import re
import sys
from pathlib import Path
from typing import Any

from nst_jax.shell.cli.screen import command, log_to_screen
from nst_jax.shell.errors import Ended, UserError

USAGE = """\
nst-train: train a network

  nst-train johnson style=PAINTING.jpg data=FOLDER   a network that paints in one style, in one pass
  nst-train cin styles=FOLDER data=FOLDER            one network for several styles, by conditional instance norm
  nst-train adain styles=FOLDER data=FOLDER          a decoder for any style, by AdaIN
  nst-train wct data=FOLDER                          decoders for any style, by whitening and colouring
  nst-train distil data=FOLDER                       the network `distilled`, from VGG-16 and a folder of pictures

  nst-train johnson ... steps=2000 folder=FOLDER     other settings: conf/train/METHOD.yaml has all of them
  nst-train johnson ... network=distilled            the network that sees; this one comes with the package
  nst-train distil ... weights=file weights.path=FILE      with the weights of the network that sees in a file of yours
  nst-train -m johnson ... style_weight=1,5,25       several trainings, one after the other, each in a folder of its own

Ctrl-C stops after a step; the same line goes on from there.
"""

METHODS = ("johnson", "cin", "adain", "wct", "distil")
MANY = ("-m", "--multirun")


@command("nst-train")
def main() -> None:
    """The command. Exit code 2 for a mistake, 130 after Ctrl-C."""
    words = sys.argv[1:]
    asked = bool({"-h", "--help"} & set(words))
    if asked or not words:
        print(USAGE)
        sys.exit(0 if asked else 2)
    try:
        with log_to_screen():
            for path in run(words):
                print(path)
    except UserError as error:
        print(f"nst-train: {error}", file=sys.stderr)
        sys.exit(2)
    except Ended as ended:
        if ended.early:
            print("nst-train: stopped before the first step; nothing is kept", file=sys.stderr)
        sys.exit(ended.code)


def run(words: list[str]) -> list[Path]:
    """Train as the words say, and return the names of the files. Raises UserError for a mistake in them."""
    from nst_jax.shell.running.stop import catch_signals

    method, rest = split(words)
    jobs = list(combine(method, rest)) if set(MANY) & set(words) else [rest]
    configs = [read(method, job) for job in jobs]  # a mistake in the last line is known before the first training
    with catch_signals() as stop:
        return [path for config in configs for path in train(method, config, stop)]


def split(words: list[str]) -> tuple[str, list[str]]:
    """The method and the settings. Raises UserError where no method is said."""
    from nst_jax.shell.names import look_up

    plain = [word for word in words if word not in MANY]
    named = [word for word in plain if "=" not in word and not word.startswith(("~", "-"))]
    if not named:
        raise UserError(f"say what to train: {', '.join(METHODS)}; nst-train --help has a line of each")
    method = look_up({name: name for name in METHODS}, named[0], "nst-train")
    if len(named) > 1:
        raise UserError(f"{named[1]} is no setting: write KEY=VALUE, such as style={named[1]}")
    return method, [word for word in plain if word != named[0]]


def train(method: str, config: Any, stop: Any) -> list[Path]:
    """One training."""
    if method == "distil":
        from nst_jax.shell.training import distil

        return [distil.run(config, stop)]
    from nst_jax.shell.training.feedforward import run as feedforward

    return feedforward.run(method, config, stop)


def combine(method: str, words: list[str]) -> list[list[str]]:
    """The words of each of several trainings: each combination of settings with several values, in its own folder."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    from nst_jax.shell.cli.quoting import literal

    try:
        overrides = OverridesParser.create().parse_overrides(words)
    except HydraException as error:
        raise UserError(" ".join(str(error).split())) from error
    columns: list[list[str]] = []
    for word, override in zip(words, overrides, strict=True):
        if not override.is_sweep_override():
            columns.append([word])
        elif override.is_discrete_sweep():
            columns.append([f"{override.get_key_element()}={value}" for value in override.sweep_string_iterator()])
        else:
            raise UserError(f"{word}: an interval has no list of values; name them: KEY=1,5,25")
    varied = [number for number, column in enumerate(columns) if len(column) > 1]
    if not varied:
        raise UserError("-m: no setting has several values; give some: style_weight=1,5,25")
    root = Path(read(method, [column[0] for column in columns]).folder)
    named = ((job, name_of([job[i] for i in varied])) for job in itertools.product(*columns))
    return [[*job, f"folder={literal(str(root / name))}"] for job, name in named]


def name_of(words: list[str]) -> str:
    """A folder's name that says what is special to a training. Of a path it has the last part."""
    told = (f"{key}={Path(value).name}" for key, _, value in (word.partition("=") for word in words))
    return re.sub(r"[^\w.,=+-]+", "_", ",".join(told))


def read(method: str, words: list[str]) -> Any:
    """The settings of conf/train/METHOD.yaml with the words over them. Raises UserError for a mistake in them."""
    from hydra import compose, initialize_config_dir
    from omegaconf import OmegaConf

    from nst_jax.shell.places import conf
    from nst_jax.shell.settings import config as settings
    from nst_jax.shell.training import config as distil
    from nst_jax.shell.training.feedforward import config as feedforward

    kind = distil.Config if method == "distil" else feedforward.Config
    needs = feedforward.NEEDS.get(method, ("data",))
    try:
        with initialize_config_dir(str(conf().resolve()), **settings.VERSION_BASE):
            found = compose(f"train/{method}", overrides=words)
        if absent := [key for key in needs if OmegaConf.is_missing(found, key)]:
            raise UserError(feedforward.SAY[absent[0]])
        return OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(kind), found))
    except Exception as error:
        if not settings.is_mistake(error):
            raise
        own = OmegaConf.load(conf() / "train" / f"{method}.yaml")
        raise UserError(settings.explain(error, [str(key) for key in own if key != "defaults"])) from error


if __name__ == "__main__":
    main()
