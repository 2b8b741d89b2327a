"""The command `nst`. jax is imported only when there is something to compute."""

import gc
import logging
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import nst_jax
from nst_jax.shell.cli import again, manual, words
from nst_jax.shell.cli.line import Line
from nst_jax.shell.cli.screen import command, log_to_screen
from nst_jax.shell.errors import Ended, NoWeights, UserError
from nst_jax.shell.places import conf
from nst_jax.shell.running.stop import Stop, catch_signals

if TYPE_CHECKING:
    from omegaconf import DictConfig


LOG = logging.getLogger("nst_jax")
GARBAGE = 100_000  # objects between collections: Python's 700 take 4 % of a start, since tracing makes so many


@command("nst", "there was nothing to save yet")
def main() -> None:
    """Run the command line. Exit code 0, 1 (the run failed), 2 (a mistake of the user's) or 128 + signal."""
    arguments = sys.argv[1:]
    if not arguments:
        print(manual.USAGE)
        return
    if arguments == ["--version"]:
        print(f"nst_jax {nst_jax.__version__}")
        return
    try:
        line = words.read(arguments)
        if line.help:
            print(manual.page(line.words))
            return
    except UserError as error:
        sys.exit(fail(str(error)))
    sys.argv[1:] = line.hydra()
    sys.stderr.silent = line.style() != "full"  # pyright: ignore[reportAttributeAccessIssue]
    gc.set_threshold(GARBAGE)
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # Hydra hands its errors over, and we say them in a line
    if line.origin:
        arguments = [f"from={line.origin.path}", *again.take(arguments)[0]]  # runs/latest is another run tomorrow
    with catch_signals() as stop, log_to_screen(line.style()):
        for note in line.notes:
            LOG.info(note)
        code = start(line, arguments, stop)
    sys.exit(code)


def start(line: Line, arguments: list[str], stop: Stop) -> int:
    """The exit code of the run that the line asks for; a signal before there is something to save is said."""
    try:
        if any(word.startswith("resume=") for word in line.words):
            return resume(line)
        return run(line, arguments, stop)
    except Ended as end:
        if end.early:
            print("nst: interrupted; there was nothing to save yet", file=sys.stderr)
        return end.code


def run(line: Line, arguments: list[str], stop: Stop) -> int:
    """The exit code of the run that the line asks for. The user's mistakes are reported in a line."""
    import hydra

    from nst_jax.shell.settings import config

    stop.check()

    code = 0

    def task(cfg: "DictConfig") -> None:
        nonlocal code
        try:
            wanted = config.read(cfg)
            from nst_jax.shell.running import again as former
            from nst_jax.shell.running import device

            if line.origin:
                former.report(line.origin, [wanted])
            device.set_up(wanted.device)
            from nst_jax.shell.running import instant, single

            stop.check()
            if wanted.model is None:
                code = max(code, single.stylise(wanted, arguments))
            else:
                code = max(code, instant.run(wanted, line.contents or [str(wanted.content)], arguments))
        except UserError as error:  # reported here, so that the other jobs of a sweep go on
            code = max(code, report(error, line.settings()))

    try:
        base = line.origin.base() if line.origin else "config"
        if line.flags:
            hydra.main(config_path=str(conf()), config_name=base, **config.VERSION_BASE)(task)()
        else:  # hydra.main composes twice
            with hydra.initialize_config_dir(str(conf().resolve()), **config.VERSION_BASE):
                composed = hydra.compose(base, overrides=line.hydra())
            task(composed)
    except UserError as error:  # of the sweep as a whole
        return fail(str(error))
    except Ended:
        raise
    except Exception as error:
        if not config.is_mistake(error):
            raise
        return fail(config.explain(error))
    return code


def resume(line: Line) -> int:
    """The exit code of `nst resume=FOLDER [steps=N]`."""
    given = {word.partition("=")[0]: word.partition("=")[2] for word in line.settings()}
    try:
        if other := sorted(given.keys() - {"resume", "steps"}):
            raise UserError(f"resume goes on with the run's own settings, and steps=N; it takes no {', '.join(other)}")
        steps = given.get("steps")
        if steps is not None and not steps.isdecimal():
            raise UserError(f"steps must be a whole number; got {steps}")
        from nst_jax.shell.running import device, single

        folder = Path(given["resume"]).expanduser()
        if (folder / "config.yaml").is_file():
            device.set_up(single.read_record(folder)[0].device)
        return single.resume(folder, None if steps is None else int(steps))
    except UserError as error:
        return report(error, line.words)


def report(error: UserError, given: list[str]) -> int:
    """Say what is wrong, and, where weights are missing, what works without them; returns the exit code."""
    from nst_jax.shell.settings import presets

    code = fail(str(error))
    if isinstance(error, NoWeights):
        if advice := presets.needs(given):
            print(f"nst: {advice}", file=sys.stderr)
        bound = ("weights", "preset", "layers", "network")  # to a network that may have other layers and input
        plain = [word for word in given if not word.lstrip("+~").startswith(bound)]
        print(f"nst: this works now: {shlex.join(['nst', *plain, 'network=distilled'])}", file=sys.stderr)
    return code


def fail(message: str, code: int = 2) -> int:
    """Say what is wrong."""
    print(f"nst: {message}", file=sys.stderr)
    return code
