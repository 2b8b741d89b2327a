"""What a release needs to be: the tag, the changelog, the citation and the address agree.

python -m tools.release check v0.2.0    # before the tag is pushed, and in the release workflow; exit code 1 if not
python -m tools.release address URL     # the repository has another address: write it wherever it stands
"""

import argparse
import os
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
HEAD = re.compile(r"^## (.+)$", re.MULTILINE)
DATED = re.compile(r"(\d+\.\d+\.\d+) - (\d{4}-\d\d-\d\d)")
TOP = "Unreleased"


class Section(NamedTuple):
    """A release in the changelog."""

    version: tuple[int, ...]
    day: date


def address(root: Path = ROOT) -> str:
    """The repository's address: https://github.com/OWNER/NAME."""
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]["Repository"]


def slug(url: str) -> str:
    """OWNER/NAME of an address."""
    return url.removeprefix("https://github.com/")


def sections(text: str) -> list[Section]:
    """The releases in a changelog, in its order.

    Raises:
      ValueError: the first section is not "Unreleased", another one has no version and date, or they are not in order.
    """
    first, *others = HEAD.findall(text)
    if first != TOP:
        raise ValueError(f"CHANGELOG.md begins with {first!r}, and not with {TOP!r}")
    found = []
    for head in others:
        if not (match := DATED.fullmatch(head)):
            raise ValueError(f"CHANGELOG.md: {head!r} is not VERSION - YYYY-MM-DD")
        found.append(Section(tuple(map(int, match[1].split("."))), date.fromisoformat(match[2])))
    if found != sorted(found, reverse=True) or len({s.version for s in found}) < len(found):
        raise ValueError("CHANGELOG.md: the newest version does not come first, or one comes twice")
    return found


def unreleased(text: str) -> str:
    """What the changelog says under "Unreleased"."""
    return HEAD.split(text)[2].strip()


def check(tag: str, root: Path = ROOT, environment: Mapping[str, str] = os.environ) -> Iterator[str]:
    """What keeps a tag from being a release, in words.

    Args:
      tag: v1.2.3.
      root: the checkout.
      environment: GITHUB_REPOSITORY is the repository that releases, where a workflow runs.
    """
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    citation = (root / "CITATION.cff").read_text(encoding="utf-8")
    newest = sections(text)[0]
    version, day = ".".join(map(str, newest.version)), newest.day.isoformat()
    if tag != f"v{version}":
        yield f"the tag is {tag}, and the newest version of CHANGELOG.md is {version}"
    if lines := unreleased(text):
        yield f"CHANGELOG.md has changes under {TOP}, which belong to {version}: {lines.splitlines()[0]}"
    if f"\nversion: {version}\n" not in citation or f"\ndate-released: {day}\n" not in citation:
        yield f"CITATION.cff does not say version: {version} and date-released: {day}"
    here = environment.get("GITHUB_REPOSITORY")
    if here and here != slug(address(root)):
        yield (
            f"this repository is {here}, and pyproject.toml says {address(root)}: "
            f"python -m tools.release address https://github.com/{here}"
        )


def places(root: Path = ROOT) -> list[Path]:
    """The files that may name the repository's address."""
    names = ("pyproject.toml", "README.md", "CITATION.cff", "Dockerfile")
    pages = (
        p
        for folder in ("docs", "notebooks")
        for suffix in ("md", "ipynb", "py")
        for p in (root / folder).rglob(f"*.{suffix}")
    )
    return [*(root / name for name in names), *sorted(pages)]


def move(url: str, root: Path = ROOT) -> list[Path]:
    """Write another address wherever the present one stands. Returns the files that changed."""
    old, changed = slug(address(root)), []
    for path in places(root):
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        new = re.sub(rf"{re.escape(old)}(?![\w-])", slug(url), text)
        if new != text:
            path.write_text(new, encoding="utf-8", newline="\n")
            changed.append(path)
    return changed


def main(arguments: list[str] | None = None) -> int:
    """The command line. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.release", description="Check a release.")
    parser.add_argument("what", choices=("check", "address"))
    parser.add_argument("value", help="the tag, or the address")
    given = parser.parse_args(arguments)
    if given.what == "address":
        if not re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+", given.value):
            parser.error("the address is https://github.com/OWNER/NAME, with no slash behind it")
        for path in move(given.value):
            print(path.relative_to(ROOT))
        return 0
    wrong = list(check(given.value))
    for line in wrong:
        print(line, file=sys.stderr)
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
