"""Change one constant at a time, and demand that a test fails.

    python tests/mutants.py               # all of them, and write docs/project/mutants.md
    python tests/mutants.py bures adam    # those whose name contains a word

mutants.toml lists them: one replacement in one file, and the tests that must notice it. Each is tried in a copy of the
repository. The tests are run without mutants first, and must pass. A mutant survives if they pass with it too. A few of
them need NST_TEST_DATA.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from queue import Queue
from typing import NamedTuple, TypeVar

T = TypeVar("T")
R = TypeVar("R")
AT_ONCE = 2
ROOT = Path(__file__).resolve().parents[1]
LIST, PAGE = ROOT / "tests/mutants.toml", ROOT / "docs/project/mutants.md"


class Mutant(NamedTuple):
    """A wrong constant."""

    name: str
    file: str
    right: str  # occurs once in the file
    wrong: str
    tests: str  # words for pytest


def read() -> list[Mutant]:
    """All mutants."""
    return [Mutant(**entry) for entry in tomllib.loads(LIST.read_text(encoding="utf-8"))["mutant"]]


def copy(folder: Path) -> Path:
    """A copy of what is in the working tree, without what git ignores."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target)
    return folder


def lend(folders: "Queue[Path]", go: Callable[[Path, T], R], item: T) -> R:
    """Go with one of the folders, which nobody else has meanwhile."""
    folder = folders.get()
    try:
        return go(folder, item)
    finally:
        folders.put(folder)


def run_tests(folder: Path, tests: str) -> int:
    """pytest's exit code: 0 all passed, 1 some failed."""
    command = f"{sys.executable} -m pytest -x -q -p no:cacheprovider --durations=0 {tests}"
    environment = {**os.environ, "PYTHONPATH": str(folder), "NPROC": "1"}
    done = subprocess.run(command, shell=True, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{tests}: pytest ended with {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.returncode


def is_killed(folder: Path, mutant: Mutant) -> bool:
    """Whether a test fails with the mutant. `folder` is as before afterwards."""
    file = folder / mutant.file
    text = file.read_text(encoding="utf-8")
    if text.count(mutant.right) != 1:
        raise ValueError(f"{mutant.name}: {mutant.right!r} occurs {text.count(mutant.right)} times in {mutant.file}")
    file.write_text(text.replace(mutant.right, mutant.wrong), encoding="utf-8")
    try:
        return run_tests(folder, mutant.tests) == 1
    finally:
        file.write_text(text, encoding="utf-8")


def render(results: list[tuple[Mutant, bool]]) -> str:
    """docs/project/mutants.md."""
    survivors = sum(not killed for _, killed in results)
    lines = [
        "# Mutants",
        "",
        "Each line is one wrong constant, tried in a copy of the repository. A mutant is killed if one of its tests",
        "fails. `python tests/mutants.py` runs all mutants of `tests/mutants.toml` and writes this page.",
        "",
        f"{len(results)} mutants, {survivors} survivors.",
        "",
        "| constant | file | right | wrong | tests | result |",
        "|---|---|---|---|---|---|",
    ]
    for mutant, killed in results:
        old, new = (" ".join(text.split()).replace("|", "\\|") for text in (mutant.right, mutant.wrong))
        row = (mutant.name, f"`{mutant.file}`", f"`{old}`", f"`{new}`", f"`{mutant.tests}`")
        lines.append(f"| {' | '.join(row)} | {'killed' if killed else '**survives**'} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Run the mutants, two at a time. Exit code 1 if one survives."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", help="parts of names; none: all, and write docs/project/mutants.md")
    words = parser.parse_args().words
    chosen = [m for m in read() if not words or any(word in m.name for word in words)]
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as place, ThreadPoolExecutor(AT_ONCE) as pool:
        folders: Queue[Path] = Queue()
        for number in range(AT_ONCE):
            folders.put(copy(Path(place) / str(number)))
        selections = list(dict.fromkeys(m.tests for m in chosen))
        for tests, code in zip(selections, pool.map(partial(lend, folders, run_tests), selections), strict=True):
            if code:
                print(f"{tests}: fails without a mutant", file=sys.stderr)
                return 2
        results = list(zip(chosen, pool.map(partial(lend, folders, is_killed), chosen), strict=True))
    for mutant, killed in results:
        print(f"{'killed  ' if killed else 'SURVIVES'} {mutant.name}")
    survivors = sum(not killed for _, killed in results)
    print(f"{len(results)} mutants, {survivors} survivors, {time.monotonic() - began:.0f} s")
    if not words:
        PAGE.write_text(render(results), encoding="utf-8")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
