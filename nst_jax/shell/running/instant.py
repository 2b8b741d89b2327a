"""`nst content=photos/ model=FILE`: a trained network paints photographs, one after the other, by one process."""

import logging
import shlex
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from nst_jax.shell.announce import announce
from nst_jax.shell.errors import UserError
from nst_jax.shell.io.atomic import write_text
from nst_jax.shell.io.lock import alone
from nst_jax.shell.io.pictures import Picture, expand
from nst_jax.shell.io.saving import sidecar, write
from nst_jax.shell.reports import deliver
from nst_jax.shell.running import again, provenance, single, trained
from nst_jax.shell.running import folder as folders
from nst_jax.shell.running.inputs import paths_of, read_picture
from nst_jax.shell.running.one_pass import Painted, Setup, paint_one, set_up
from nst_jax.shell.running.stop import EXIT, Stop, catch_signals
from nst_jax.shell.settings import config as settings
from nst_jax.shell.settings.model import GROUPS, TAKES
from nst_jax.shell.settings.schema import Config

LOG = logging.getLogger("nst_jax")
KEPT = ("picture", "folder", "size", "seconds")  # of the record of one of many
LEAST = "a smaller size, or free some memory"


@dataclass
class Tally:
    """The results of the photographs so far."""

    pictures: list[Path] = field(default_factory=list)  # of those that are painted, where output.to has them, too
    records: list[dict[str, Any]] = field(default_factory=list)  # and what is known of them
    wrong: dict[str, str] = field(default_factory=dict)  # the others: why not
    seconds: float = 0.0  # to read, paint and write, without compiling


def run(config: Config, contents: Sequence[str], words: Sequence[str]) -> int:
    """Paint and return the exit code: 0, 1 where a photograph of several could not be painted, 130 after Ctrl-C.

    Args:
      config: the settings.
      contents: the photographs.
      words: the command line, for the folder's record.

    Raises:
      UserError: a setting or a file that does not fit; or the only photograph cannot be painted.
    """
    check(config, contents)
    with catch_signals() as stop, enough_memory():
        model = trained.load(config.model, source=config.weights, log=LOG.info)
        setup = set_up(config, model, LOG.info)
        stop.check()
        folder = make_folder(config, contents, words)
        with alone(folder, "a run", keep=False), folders.log_into(folder):
            LOG.info("model: %s", describe(setup))
            LOG.info("device: %s", provenance.device())
            LOG.info("folder: %s", folder)
            for line in again.others(facts(setup)):
                LOG.info(line)
            return report(setup, paint_all(setup, contents, folder, stop), contents, folder, stop)


def check(config: Config, contents: Sequence[str]) -> None:
    """Refuse what can be refused before any work."""
    single.check(config)
    to = config.output.to
    if len(contents) > 1 and to and not deliver.is_folder(to):
        raise UserError(f"output.to={to}: {len(contents)} pictures need a folder: output.to={Path(to).parent}/")


@contextmanager
def enough_memory() -> Iterator[None]:
    """Within, an error for memory that runs out says what needs less."""
    try:
        yield
    except MemoryError as error:
        raise UserError(f"out of memory: try {LEAST}") from error
    except RuntimeError as error:  # jax.errors.JaxRuntimeError is one
        if "RESOURCE_EXHAUSTED" not in str(error):
            raise
        raise UserError(f"out of memory ({str(error).splitlines()[0]}): try {LEAST}") from error


def make_folder(config: Config, contents: Sequence[str], words: Sequence[str]) -> Path:
    """A new folder for the run, with its settings in it."""
    root = Path(config.output.folder).expanduser()
    photo = contents[0] if len(contents) == 1 else str(Path(contents[0]).absolute().parent)
    model = config.model[0] if isinstance(config.model, list) else config.model
    names = [photo, *(settings.styles_of(config) or [trained.name_of(model)])]
    folder = folders.make(root / "_".join(settings.folder_name(name) for name in names))
    write_text(folder / "config.yaml", settings.yaml(config))
    write_text(folder / "command.txt", shlex.join(["nst", *words]) + "\n")
    folders.point_latest(root, folder)
    return folder


def describe(setup: Setup) -> str:
    """The model in words."""
    header = setup.model.header
    files = ", ".join(file["path"] for file in header["files"])
    encoder = f"; it sees by {used['source']}" if (used := header.get("encoder_used")) else ""
    return f"{files}, {setup.model.method}, {header.get('steps', 'unknown')} steps{encoder}"


def paint_all(setup: Setup, contents: Sequence[str], folder: Path, stop: Stop) -> Tally:
    """Paint each photograph. One that cannot be painted is reported, and the others go on.

    A thread reads the next one meanwhile, and another writes the last one.
    """
    config, tally, shared = setup.config, Tally(), facts(setup)
    log = LOG.info if len(contents) == 1 else lambda line: None  # a picture's record has it
    read = lambda path: read_picture(config, path, log)
    places = names_of(contents, config)
    began, waiting = time.perf_counter(), None
    with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(1) as writer, progress(contents) as bar:
        coming: Future[Picture] | None = reader.submit(read, contents[0])
        for number, path in enumerate(contents):
            photo, coming = coming, None
            if number + 1 < len(contents) and not stop.asked:
                coming = reader.submit(read, contents[number + 1])
            try:
                with enough_memory():
                    picture = photo.result()  # pyright: ignore[reportOptionalMemberAccess]
                    start = time.perf_counter()
                    painted = paint_one(setup, picture, path, log)
                record = describe_result(shared, setup, path, picture, painted, seconds=time.perf_counter() - start)
                settle(tally, waiting, many=len(contents))
                waiting = path, writer.submit(save, config, folder / places[number], painted, record)
            except UserError as error:
                lose(tally, path, error, many=len(contents))
            bar.update()
            if stop.asked:
                break
        settle(tally, waiting, many=len(contents))
    tally.seconds = time.perf_counter() - began - setup.programs.seconds
    return tally


def progress(contents: Sequence[str]) -> Any:
    """A progress bar, on a terminal, of several photographs."""
    return tqdm(total=len(contents), unit=" pictures", dynamic_ncols=True, disable=len(contents) == 1 or None)


def settle(tally: Tally, waiting: tuple[str, Future[tuple[Path, dict[str, Any]]]] | None, *, many: int) -> None:
    """Wait until a picture is written. Of many photographs the tally keeps the least: each has a record beside it."""
    if waiting is None:
        return
    path, future = waiting
    try:
        picture, record = future.result()
    except UserError as error:
        lose(tally, path, error, many=many)
        return
    tally.pictures.append(picture)
    tally.records.append(record if many == 1 else {key: record[key] for key in KEPT})


def lose(tally: Tally, path: str, error: UserError, *, many: int) -> None:
    """Report a photograph that is not painted. Raises the error where it is the only one."""
    if many == 1:
        raise error
    LOG.error("not painted: %s: %s", path, error)
    tally.wrong[path] = str(error)


def names_of(contents: Sequence[str], config: Config) -> list[str]:
    """The names of the results: output.file of one; of several the names of the photographs, all different."""
    if len(contents) == 1:
        return [config.output.file]
    suffix, taken, found = Path(config.output.file).suffix, set(), []
    for path in contents:
        stem, number = Path(path).stem[:150], 1
        name = stem
        while name.lower() in taken:
            number += 1
            name = f"{stem}_{number}"
        taken.add(name.lower())
        found.append(name + suffix)
    return found


def facts(setup: Setup) -> dict[str, Any]:
    """The common part of all records."""
    config, header = setup.config, setup.model.header
    chosen = {key.partition(".")[0] for key in (*TAKES, *GROUPS)}
    used = ("steps", "date", "licence", "encoder", "encoder_sha256")
    model = {"method": setup.model.method, "files": header["files"], **{k: header[k] for k in used if k in header}}
    names = header.get("style_names") or list(setup.styles)
    return {
        "config": {key: value for key, value in settings.plain(config).items() if key in chosen},
        **({"from": config.origin} if config.origin else {}),
        "model": model,
        **({"encoder": header["encoder_used"]} if "encoder_used" in header else {}),
        "alpha": config.alpha if setup.model.apply.styles is None else None,
        "shares": setup.shares and dict(zip(names, setup.shares, strict=True)),
        "directory": str(Path.cwd()),
        "versions": provenance.versions(),
        "git_commit": provenance.commit(),
        "device": provenance.device(),
        "threads": provenance.threads(),
    }


def describe_result(
    shared: dict[str, Any], setup: Setup, path: str, photo: Picture, painted: Painted, *, seconds: float
) -> dict[str, Any]:
    """The origin of one result."""
    paths = paths_of(setup.config) | {"content": path}
    files = {"content": photo, **setup.styles, **painted.files}
    read = {name: {"path": paths[name], "sha256": p.sha256} for name, p in files.items() if p}
    notes = [note for picture in files.values() if picture for note in picture.notes]
    config = {**shared["config"], "content": path}
    return {
        **shared,
        "config": config,
        **painted.facts,
        "pictures": notes,
        "files": read,
        "seconds": {"paint": seconds},
    }


def save(config: Config, path: Path, painted: Painted, record: dict[str, Any]) -> tuple[Path, dict[str, Any]]:
    """Write a picture, its record beside it, and where output.to says; returns its place and what is known of it."""
    metadata = provenance.text_chunks(record)
    write(path, painted.image, alpha=painted.alpha, quality=config.output.quality, metadata=metadata)
    sidecar(path, record)
    picture = path
    if to := config.output.to:
        named = path.name if path.name != config.output.file else Path(record["config"]["content"]).stem + path.suffix
        place = expand(to) / named if deliver.is_folder(to) else expand(to)
        picture = deliver.deliver(path, place, quality=config.output.quality)
    return picture, {"picture": str(picture.absolute()), "folder": str(path.parent.absolute()), **record}


def report(setup: Setup, tally: Tally, contents: Sequence[str], folder: Path, stop: Stop) -> int:
    """Say what has come of the photographs and where they are; returns the exit code."""
    painted, compiling = len(tally.records), setup.programs.seconds
    if stop.asked:
        LOG.info("stopped after %d of %d pictures", painted + len(tally.wrong), len(contents))
    rate = painted / tally.seconds if tally.seconds > 0 else 0.0
    many = "1 picture" if painted == 1 else f"{painted} pictures"
    LOG.info("%s in %.2f s, %.2g a second (and %.1f s to compile)", many, tally.seconds, rate, compiling)
    to = setup.config.output.to
    if len(contents) > 1:
        announce("results", expand(to) if to else folder, tally.records)
    elif tally.records:
        announce("result", folder / setup.config.output.file, None if to else tally.records[0])
        if to:
            announce("picture", tally.pictures[0], tally.records[0])
    if tally.wrong:
        LOG.error("%d of %d pictures could not be painted: %s", len(tally.wrong), len(contents), ", ".join(tally.wrong))
    return EXIT[stop.asked] if stop.asked else int(bool(tally.wrong))
