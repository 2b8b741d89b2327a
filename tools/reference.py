"""Write the pages of the reference: settings, published programs, networks, commands, names in Python.

python -m tools.reference           # write them under docs/, where git ignores them; the build of the site does it, too

The sources are conf/ and its schema, nst_jax/published/, what the commands print, and the docstrings. Copies come with
these pages: the notebooks, the changelog, the benchmarks and the cards of the trained models, with their links as they
must be at their new place.
"""

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args

import nst_jax
from nst_jax import extractors, published
from nst_jax.extractors.addresses import PUBLISHED
from nst_jax.published.base import Losses, Option, Profile, Program
from nst_jax.shell.cli import manual
from nst_jax.shell.settings import schema
from tools.published import render, sentence, table

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
COPIES = {  # page -> what it is a copy of
    "project/changelog.md": "CHANGELOG.md",
    "project/benchmarks.md": "BENCHMARKS.md",
    "reference/models/any_style.md": "nst_jax/trained/models/any_style.md",
    "reference/models/eight_styles.md": "nst_jax/trained/models/eight_styles.md",
}
TYPES = {int: "int", float: "float", bool: "bool", str: "text"}
GROUPS = {  # groups of options that are not published programs, and what a reader asks of them
    "look": "How much of the painting, in a word",
    "optimiser": "What moves the image",
    "canvas": "Where the image starts",
    "colour": "Whose colours the result has",
    "scale": "One size, or several from coarse to fine",
    "network": "What sees",
    "weights": "What the network has learnt, and from where",
    "output": "What is written, and where",
    "device": "The machine",
    "experiment": "The figures of papers",
    "hydra/launcher": "What runs the jobs of a sweep",
    "hydra/sweeper": "What chooses the jobs of a sweep",
}
PARTS = (  # of the Python page: title, modules of the names
    (
        "A picture in a line",
        ("api.networks", "api.stylise", "api.instant", "api.results", "methods.feedforward.instant"),
    ),
    ("A problem, and its run", ("api.problems", "api.runs", "api.optimisers")),
    (
        "Regions, strokes, textures, sizes",
        ("api.regions", "api.strokes", "api.textures", "api.scales", "methods.regions"),
    ),
    ("The pure layer", ("methods.transfer", "optim.minimise", "optim.solvers")),
    ("Terms of the objective", ("losses.",)),
    ("Networks", ("extractors",)),
    ("Published conventions", ("published",)),
    ("Pictures and measures", ("images.", "analysis.", "api.")),
)


def code(text: object) -> str:
    """The text as code in a cell of a table."""
    return f"`{text}`" if str(text) else ""


def linked(text: str, folder: str = "reference") -> str:
    """The text with the pages of docs/ that it names as links."""
    return re.sub(r"`?docs/((?:\w+/)+)(\w+)\.md`?", lambda m: f"[{m[2]}]({relative(m[1] + m[2], folder)}.md)", text)


def relative(page: str, folder: str) -> str:
    """The way from a folder of docs/ to a page of docs/."""
    return os.path.relpath(page, folder)


# Settings


def type_of(key: str) -> str:
    """What the schema takes for a setting: int, float, bool, text, list or mapping; "" where it takes several."""
    kind: Any = schema.Config
    for part in key.split("."):
        if not is_dataclass(kind):
            return ""
        found = {f.name: f.type for f in fields(kind)}
        if part not in found:
            return ""
        kind = found[part]
    plain = [k for k in (get_args(kind) or (kind,)) if k is not type(None)]
    name = str(kind)
    if name.startswith(("list", "dict")):
        return "list" if name.startswith("list") else "mapping"
    return TYPES.get(plain[0], "") if len(plain) == 1 else ""


def row(entry: manual.Entry) -> tuple[str, ...]:
    """A setting as a row."""
    value = "" if entry.value == "???" else entry.value
    shown = "the convention's" if value.startswith("${convention.") else code(value) if value else "needed"
    return code(entry.key), shown, type_of(entry.key), linked(entry.meaning)


SETTING = ("setting", "default", "type", "meaning")


def settings_page() -> str:
    """Every setting of `nst` that a line has whatever it chooses, in the sections of `nst help`."""
    left = {e.key: e for e in manual.settings()}
    text = [
        "# Settings of nst\n",
        "`nst KEY=VALUE ...` overrides any setting, in any order. `nst help` prints this list, `nst help KEY` a part "
        "of it. The defaults are in `conf/`, a file for each group. `null` stands for none. [Options](options.md) has "
        "the settings that come with a choice.\n",
    ]
    groups = [(title, {*keys, *(file.split("/")[0] for file in files)}) for title, keys, _, files in manual.SECTIONS]
    for title, keys in (*groups, ("Others", {key.split(".")[0] for key in left})):
        rows = [row(left.pop(key)) for key in list(left) if key.split(".")[0] in keys]
        if rows:
            text += [f"## {title}\n", table(SETTING, rows) + "\n"]
    return "\n".join(text)


def options_page() -> str:
    """The options of each group, and the settings that they bring."""
    text = [
        "# Options of groups\n",
        "`GROUP=OPTION` chooses an option, and the option brings settings of its own. The groups `convention`, "
        "`layers` and `preset` are on the page [Published programs](published.md).\n",
    ]
    for group, title in GROUPS.items():
        text += [f"## {group}: {title[0].lower()}{title[1:]}\n", *options(group)]
    return "\n".join(text)


def options(group: str) -> Iterable[str]:
    """The options of a group, each with its settings."""
    files = [manual.conf() / group / f"{name}.yaml" for name in manual.options(group)]
    yield table(("option", "what"), ((code(f"{group}={f.stem}"), linked(said(f))) for f in files)) + "\n"
    prefix = "" if group in ("experiment", "look", "network") else f"{group.replace('/', '.')}."
    found = {file: [e for e in manual.entries(file) if e.key not in manual.OWN] for file in files}
    meanings = {
        e.key: e.meaning for own in found.values() for e in own if e.meaning
    }  # a file says what the others repeat
    for file in files:
        rows = [row(manual.Entry(prefix + e.key, e.value, e.meaning or meanings.get(e.key, ""))) for e in found[file]]
        if rows and group != "experiment":
            yield f"`{group}={file.stem}` has the settings:\n"
            yield table(SETTING, rows) + "\n"


def said(file: Path) -> str:
    """What a file of conf/ says of itself."""
    named = (e.meaning for e in manual.entries(file) if e.key in manual.OWN and e.meaning)
    return manual.about(file) or next(named, "")


def training_page() -> str:
    """Every setting of `nst-train`."""
    text = [
        "# Settings of nst-train\n",
        "`nst-train METHOD KEY=VALUE ...`. The defaults are in `conf/train/METHOD.yaml`.\n",
    ]
    for file in sorted((manual.conf() / "train").glob("*.yaml")):
        rows = [
            (code(e.key), code(e.value) if e.value != "???" else "needed", linked(e.meaning)) for e in entries(file)
        ]
        text += [
            f"## {file.stem}\n",
            f"{linked(manual.about(file))}\n",
            table(("setting", "default", "meaning"), rows) + "\n",
        ]
    return "\n".join(text)


def entries(file: Path) -> list[manual.Entry]:
    """The settings of a file of conf/train/."""
    return [e for e in manual.entries(file) if e.key != "_target_"]


# Published programs


def settings_of(option: Option | None) -> str:
    """An option of a record, with its numbers."""
    if option is None:
        return ""
    return code(option.name) + "".join(f", `{key}={render(value)}`" for key, value in option.settings)


def factors(layers: Mapping[str, float]) -> str:
    """Layers, each with its factor where that is not 1."""
    return ", ".join(code(name) if factor == 1 else f"{code(name)} x {factor:.4g}" for name, factor in layers.items())


def program(record: Program) -> Iterable[str]:
    """A preset."""
    weights = {k: getattr(record, f"{k}_weight") for k in ("content", "style", "tv")}
    names = ("size", "size_rule", "style_scale", "steps", "average")
    numbers = {f"{k}_weight": v for k, v in weights.items()} | {name: getattr(record, name) for name in names}
    yield f"### {record.name}\n"
    yield f"{sentence(record.source)}\n\n    nst photo.jpg painting.jpg +preset={record.name}\n"
    network = ", ".join(f"{k} {v}" for k, v in (("pool", record.pool), ("padding", record.padding)) if v)
    rows = [
        ("network", code(record.network) + (f" ({network})" if network else "")),
        ("weights", f"{settings_of(record.weights)}. Made for: {record.needs}"),
        ("convention", f"[`{record.convention}`](#convention-{slug(record.convention)})"),
        ("layers", f"[`{record.layers}`](#layers-{slug(record.layers)})"),
        ("optimiser", settings_of(record.solver)),
        ("start", settings_of(record.start)),
        ("sizes", settings_of(record.scale)),
        ("numbers", ", ".join(f"`{key}={render(value)}`" for key, value in numbers.items() if value is not None)),
        ("not reproduced", "; ".join(record.not_reproduced)),
        ("remarks", " ".join(sentence(note) for note in record.notes)),
    ]
    yield table(("what", "value"), [(what, linked(value)) for what, value in rows if value]) + "\n"


def losses(record: Losses) -> tuple[str, ...]:
    """A convention as a row."""
    name = f"[`{record.name}`]{{#convention-{slug(record.name)}}}"
    same = f" The terms are those of `{record.same_as}`." if record.same_as else ""
    numbers = code(", ".join(f"{w:g}" for w in (record.content_weight, record.style_weight, record.tv_weight)))
    return name, numbers, linked(sentence(record.source) + same + "".join(f" {sentence(n)}" for n in record.notes))


def profile(record: Profile) -> tuple[str, ...]:
    """A choice of layers as a row."""
    name = f"[`{record.name}`]{{#layers-{slug(record.name)}}}"
    return name, factors(record.content), factors(record.style), linked(sentence(record.source))


def slug(name: str) -> str:
    """A name as a part of an address."""
    return name.replace("_", "-").replace(".", "-")


def published_page() -> str:
    """Every preset, convention, choice of layers and look, from the records."""
    looks = [
        (code(look.name), ", ".join(code(f"{k}={render(v)}") for k, v in look.settings().items()), sentence(look.about))
        for look in published.LOOKS.values()
    ]
    presets = [published.PROGRAMS[name] for name in sorted(published.PROGRAMS)]
    conventions = [published.LOSSES[name] for name in sorted(published.LOSSES)]
    layers = [published.PROFILES[name] for name in sorted(published.PROFILES)]
    text = [
        "# Published programs\n",
        "Each program is a record in `nst_jax/published/`. `+preset=NAME` selects all of its settings. "
        "`convention=NAME` selects its losses alone, and `layers=NAME` its layers. "
        "[Conventions](../explanations/conventions.md) explains how they differ, and why one weight means another "
        "thing in each.\n",
        f"This page has {len(presets)} presets, {len(conventions)} conventions, {len(layers)} choices of layers and "
        f"{len(looks)} looks.\n",
        "## Looks\n",
        "`look=NAME`, made for `convention=gatys_released`.\n",
        table(("look", "what it sets", "what"), looks) + "\n",
        "## Conventions\n",
        "`convention=NAME`. The three numbers are the published weights of content, style and smoothness.\n",
        table(("convention", "weights", "from"), map(losses, conventions)) + "\n",
        "## Layers\n",
        "`layers=NAME`. A factor stands behind its layer; without one it is 1.\n",
        table(
            ("layers", "content", "style", "from"),
            map(profile, layers),
        ),
        "\n## Presets\n",
        "`+preset=NAME`. What a row does not name is the default of [the settings](settings.md).\n",
    ]
    for record in presets:
        text += program(record)
    return "\n".join(text)


def networks_page() -> str:
    """Every network: its layers, and where its weights come from."""
    text = [
        "# Networks\n",
        "`network=NAME`. [Networks](../explanations/networks.md) compares them. A layer has its published name: "
        "`layers.style={relu1_1: 1, relu2_1: 1}` chooses among those below.\n",
    ]
    for name in sorted(extractors.MODULES):
        known = extractors.architecture(name)
        files = [(who, file) for (network, who), found in PUBLISHED.items() if network == name for file in found]
        text += [
            f"## {name}\n",
            f"{linked(said(manual.conf() / 'network' / f'{name}.yaml'))}\n" if exists(name) else "",
        ]
        text += [f"Layers: {', '.join(map(code, known.layers))}.\n"]
        if known.raw:
            text += [f"Before the ReLU: {', '.join(map(code, known.raw))}.\n"]
        rows = [(code(who), code(file.file), megabytes(file.size), code(file.urls[0])) for who, file in files]
        if rows:
            text += [table(("weights", "file", "size", "first address"), rows) + "\n"]
    return "\n".join(text)


def megabytes(size: int | None) -> str:
    """A file's size."""
    return f"{size / 1e6:.0f} MB" if size else ""


def exists(name: str) -> bool:
    """Whether conf/ has an option for the network."""
    return (manual.conf() / "network" / f"{name}.yaml").is_file()


# Commands


def commands_page() -> str:
    """What each command prints when it is asked for help."""
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    first = {
        target: name for name, target in reversed(scripts.items())
    }  # a second name of one command is not shown twice
    jobs = [(name, target, ("--help",)) for target, name in sorted(first.items(), key=lambda item: item[1])]
    with ThreadPoolExecutor(2) as pool:
        helps = list(pool.map(answer, jobs))
    parts = [
        (name, target, (word, "--help"))
        for (name, target, _), said in zip(jobs, helps, strict=True)
        for word in subcommands(said)
    ]
    with ThreadPoolExecutor(2) as pool:
        more = list(pool.map(answer, parts))
    text = ["# Commands\n", "What each command prints when it is asked for help.\n"]
    for (name, _, _), said in zip(jobs, helps, strict=True):
        text += [f"## {name}\n", f"```text\n{said}\n```\n"]
        for (owner, _, words), told in zip(parts, more, strict=True):
            text += [f"### {name} {words[0]}\n", f"```text\n{told}\n```\n"] if owner == name else []
    return "\n".join(text)


def subcommands(said: str) -> list[str]:
    """The subcommands that argparse's help lists."""
    found = re.search(r"COMMAND\n((?: {4}.*\n?)+)", said)
    return re.findall(r"^ {4}(\w+)", found[1], re.MULTILINE) if found else []


def answer(job: tuple[str, str, Sequence[str]]) -> str:
    """What a command prints. Raises CalledProcessError if it does not answer."""
    name, target, words = job
    module, _, function = target.partition(":")
    program = f"import sys; sys.argv = {[name, *words]!r}; from {module} import {function} as main; sys.exit(main())"
    environment = {**os.environ, "COLUMNS": "100", "PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu", "NO_COLOR": "1"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name} {' '.join(words)}: exit code {done.returncode}\n{done.stderr}")
    return done.stdout.strip()


# Python


def summary(module: str, name: str) -> str:
    """The first line of a name's docstring, or of the comment at it."""
    path = ROOT / "nst_jax" / module.replace(".", "/")
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    text = file.read_text(encoding="utf-8")
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            return (ast.get_docstring(node) or "").split("\n")[0]
    return ""


def python_page() -> str:
    """The names of `import nst_jax as nst`, by what one does with them."""
    left = dict(nst_jax._WHERE)
    text = [
        "# Python\n",
        "`import nst_jax as nst` hands out the names below. [The API](api/nst_jax/index) has their signatures and "
        "docstrings, and those of every module of the pure layers. An image is "
        "`(height, width, 3)` float32 RGB in [0, 1].\n",
    ]
    for title, modules in (*PARTS, ("Others", ("",))):
        names = [name for name, module in left.items() if module.startswith(modules)]
        rows = [(f"{{py:obj}}`nst.{n} <nst_jax.{n}>`", summary(left.pop(n), n)) for n in sorted(names, key=str.lower)]
        text += [f"## {title}\n", table(("name", "what"), rows) + "\n"] if rows else []
    return "\n".join(text)


def lazy_names() -> str:
    """nst_jax/__init__.py as it would be without laziness, for what reads source text and does not import."""
    doc = ast.get_docstring(ast.parse((ROOT / "nst_jax/__init__.py").read_text(encoding="utf-8")))
    lines = [f'"""{doc}\n"""', *(f"from nst_jax.{module} import {name}" for name, module in nst_jax._WHERE.items())]
    return "\n".join([*lines, f"__all__ = {sorted(nst_jax._WHERE)!r}", ""])


# All of them

PAGES = {
    "reference/settings.md": settings_page,
    "reference/options.md": options_page,
    "reference/training.md": training_page,
    "reference/published.md": published_page,
    "reference/networks.md": networks_page,
    "reference/commands.md": commands_page,
    "reference/python.md": python_page,
}


def moved(text: str, source: str, page: str) -> str:
    """The text of a file at the place of a page of docs/, with its relative links as they must be there."""

    def follow(match: re.Match[str]) -> str:
        here, anchor = match[1], match[2] or ""
        target = os.path.normpath(Path(source).parent / here)
        copies = {of: copy for copy, of in COPIES.items()}
        inside = copies.get(target) or (target.removeprefix("docs/") if target.startswith("docs/") else None)
        way = os.path.relpath(inside or Path("..") / target, Path(page).parent)
        return f"]({way}{anchor})"

    return re.sub(r"\]\((?!https?:|#|mailto:)([^)#\s]+)(#[^)]*)?\)", follow, text)


def expected() -> dict[Path, str | bytes]:
    """The text of each page by its path under docs/."""
    texts: dict[Path, str | bytes] = {Path(path): make() for path, make in PAGES.items()}
    for page, source in COPIES.items():
        texts[Path(page)] = moved((ROOT / source).read_text(encoding="utf-8"), source, page)
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        texts[Path("tutorials") / notebook.name] = notebook.read_bytes()
    return texts


def write(docs: Path = DOCS) -> list[Path]:
    """Write what differs, so that a second build reads only what has changed. Returns the paths."""
    changed = []
    for path, text in expected().items():
        data, file = text if isinstance(text, bytes) else text.encode(), docs / path
        if not file.is_file() or file.read_bytes() != data:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
            changed.append(path)
    return changed


if __name__ == "__main__":
    for name in write():
        print(f"written: docs/{name}")
