"""The command `nst`. jax is imported only when there is something to compute."""

import gc
import os
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from nst_jax import __version__
from nst_jax.shell.cli.screen import command
from nst_jax.shell.errors import Ended, NoWeights, UserError
from nst_jax.shell.places import conf
from nst_jax.shell.running.stop import Stop, catch_signals

if TYPE_CHECKING:
    from omegaconf import DictConfig

GARBAGE = 100_000  # objects between collections: Python's 700 take 4 % of a start, since tracing makes so many

SAFE = re.compile(r"[A-Za-z0-9_./+~@-]*|\?\?\?|null")  # what Hydra takes as it is

USAGE = """\
nst: neural style transfer

  nst content=photo.jpg style=painting.jpg             the picture, in a new folder under runs/
  nst content=photo.jpg style=painting.jpg size=256 steps=200 style_weight=1e4
  nst content=photo.jpg style=painting.jpg optimiser=adam canvas=noise seed=1
  nst -m content=a.jpg style=b.jpg style_weight=1e2,1e3,1e4 seed=0,1
                                                       a sweep: six runs as lanes of one program
  nst resume=runs/photo_painting/TIME                  go on with a run that was stopped or killed

  nst --help          every setting, its default and unit
  nst --cfg job ...   the settings that a line gives, without running it
  nst --version
  eval "$(nst -sc install=bash)"   tab completion, also zsh and fish
"""


@command("nst", "there was nothing to save yet")
def main() -> None:
    """Run the command line. Exit code 0, 1 (the run failed), 2 (a mistake of the user's) or 128 + signal."""
    words = sys.argv[1:]
    if not words or words[0] in ("--help", "-h", "--version"):
        print(f"nst_jax {__version__}" if "--version" in words else USAGE if not words else manual())
        return
    sys.argv[1:] = [quote(word) for word in words]
    gc.set_threshold(GARBAGE)
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # Hydra hands its errors over, and we say them in a line
    with catch_signals() as stop:
        code = resume(words) if any(word.startswith("resume=") for word in words) else start(words, stop)
    sys.exit(code)


def start(words: list[str], stop: Stop) -> int:
    """The exit code of the run that the words ask for; a signal before there is something to save is said."""
    try:
        return run(words, stop)
    except Ended as end:
        if end.early:
            print("nst: interrupted; there was nothing to save yet", file=sys.stderr)
        return end.code


def manual() -> str:
    """What --help prints: the usage, then conf/ itself."""
    text = (conf() / "config.yaml").read_text(encoding="utf-8")
    settings = text.split("_self_\n", 1)[1].split("\nhydra:", 1)[0]
    groups = sorted(p for p in (*conf().iterdir(), *(conf() / "hydra").iterdir()) if any(p.glob("*.yaml")))
    listed = "\n".join(
        f"  {g.relative_to(conf())}: {' | '.join(sorted(f.stem for f in g.glob('*.yaml')))}" for g in groups
    )
    groups_title = "Groups (GROUP=OPTION; each option has keys of its own, see conf/)"
    return f"{USAGE}\nSettings (KEY=VALUE)\n{settings}\n{groups_title}\n{listed}"


def quote(word: str) -> str:
    """A path with a sign outside Hydra's grammar in it (a blank, an accent, a comma), quoted for Hydra."""
    key, equals, value = word.partition("=")
    paths = ("content", "style", "weights.path", "canvas.path", "output.folder", "sweep.folder")
    if not equals or key not in paths or SAFE.fullmatch(value) or value[0] in "'\"":
        return word
    if set(value) & set(",=()[]{}") and not Path(value).exists():  # several values, or a function of Hydra's
        return word
    # within quotes a backslash counts as itself, but for those before a quote
    escaped = re.sub(r"(\\+)(?='|$)", r"\1\1", value).replace("'", "\\'")
    return f"{key}='{escaped}'"


def run(words: list[str], stop: Stop) -> int:
    """The exit code of the run that the words ask for. The user's mistakes are reported in a line."""
    import hydra

    from nst_jax.shell.settings import config

    stop.check()

    code = 0

    def task(cfg: "DictConfig") -> None:
        nonlocal code
        try:
            wanted = config.read(cfg)
            from nst_jax.shell.running import device

            device.set_up(wanted.device)
            from nst_jax.shell.running.single import stylise

            stop.check()

            code = max(code, stylise(wanted, words))
        except UserError as error:  # reported here, so that the other jobs of a sweep go on
            code = max(code, report(error, words))

    try:
        hydra.main(config_path=str(conf()), config_name="config", version_base=config.HYDRA)(task)()
    except UserError as error:  # of the sweep as a whole
        return fail(str(error))
    except Ended:
        raise
    except Exception as error:
        if not config.is_mistake(error):
            raise
        return fail(config.explain(error))
    return code


def resume(words: list[str]) -> int:
    """The exit code of `nst resume=FOLDER [steps=N]`."""
    from nst_jax.shell.cli.screen import log_to_screen
    from nst_jax.shell.settings.config import from_plain, plain_yaml

    given = {word.partition("=")[0]: word.partition("=")[2] for word in words}
    try:
        if other := sorted(given.keys() - {"resume", "steps"}):
            raise UserError(f"resume goes on with the run's own settings, and steps=N; it takes no {', '.join(other)}")
        steps = given.get("steps")
        if steps is not None and not steps.isdecimal():
            raise UserError(f"steps must be a whole number; got {steps}")
        from nst_jax.shell.running import device, single

        folder = Path(given["resume"]).expanduser()
        if (folder / "config.yaml").is_file():
            device.set_up(from_plain(plain_yaml(folder / "config.yaml")).device)
        with log_to_screen():
            return single.resume(folder, None if steps is None else int(steps))
    except UserError as error:
        return report(error, words)


def report(error: UserError, words: list[str]) -> int:
    """Say what is wrong, and, where weights are missing, what works without them; returns the exit code."""
    from nst_jax.shell.settings import presets

    code = fail(str(error))
    if isinstance(error, NoWeights):
        if advice := presets.needs(words):
            print(f"nst: {advice}", file=sys.stderr)
        bound = ("weights", "preset", "layers", "convention", "network")  # to another network than texnet
        plain = [word for word in words if not word.lstrip("+~").startswith(bound)]
        print(f"nst: this works now: {shlex.join(['nst', *plain, 'network=texnet'])}", file=sys.stderr)
    return code


def fail(message: str, code: int = 2) -> int:
    """Say what is wrong."""
    print(f"nst: {message}", file=sys.stderr)
    return code
