"""Write the settings and the tables that say what nst_jax/published/ says.

python -m tools.published           # write conf/{convention,layers,preset,look}/, conf/*/published_*.yaml
                                    # and the tables of docs/explanations/conventions.md
python -m tools.published --check   # name the files that are out of date; exit code 1 if there are any
"""

import argparse
import re
import sys
import textwrap
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from types import ModuleType

import yaml

from nst_jax import published
from nst_jax.published import Look, looks
from nst_jax.published.base import Losses, Profile, Program
from nst_jax.shell.settings.options import PUBLISHED

ROOT = Path(__file__).parents[1]
PAGE = Path("docs/explanations/conventions.md")
WIDTH = 120  # columns
MARK = "# Generated from "
FLAT = 6  # layers up to which a profile's part is written in one line

OWN = {
    "weights": "weights",
    "optimiser": "solver",
    "canvas": "start",
    "scale": "scale",
}  # groups whose numbers belong to the option, and their fields
USAGE = "Write the files that say what nst_jax/published/ says."

Value = float | int | bool | str


def render(value: Value) -> str:
    """A value as YAML 1.1 reads it: 1.0e-6, not 1e-06, which would be a text."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, float) or value == 0 or 1e-3 <= abs(value) < 1e4:
        return str(value)
    mantissa, _, exponent = f"{Decimal(repr(value)).normalize():e}".partition("e")
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}e{exponent}"


def comment(text: str, *, start: str = "# ", later: str = "# ") -> list[str]:
    """The text as lines of a comment: `start` begins the first, `later` the others."""
    return textwrap.wrap(
        text, WIDTH, initial_indent=start, subsequent_indent=later, break_long_words=False, break_on_hyphens=False
    )


def sentence(text: str) -> str:
    """The text with a full stop."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def origin(module: ModuleType) -> str:
    """The line that says where a file comes from."""
    path = module.__name__.replace(".", "/")
    return f"{MARK}{path}.py: change that, then run python -m tools.published."


def convention_yaml(record: Losses, module: ModuleType) -> str:
    """conf/convention/NAME.yaml."""
    lines = comment(record.source)
    for note in record.notes:
        lines += comment(note)
    lines += [origin(module), f"name: {record.same_as or record.name}"]
    for key in ("content_weight", "style_weight", "tv_weight"):
        lines.append(f"{key}: {render(getattr(record, key))}")
    return "\n".join(lines) + "\n"


def look_yaml(record: Look) -> str:
    """conf/look/NAME.yaml."""
    lines = ["# @package _global_", *comment(record.about), origin(looks)]
    lines += ["defaults:", f"  - override /canvas: {record.start}", ""] if record.start else []
    lines += [f"look: {record.name}"]
    parts: dict[str, dict[str, Value]] = {}
    for key, value in record.settings().items():
        group, _, name = key.rpartition(".")
        parts.setdefault(group, {})[name] = value
    lines += [f"{key}: {render(value)}" for key, value in parts.pop("", {}).items()]
    return "\n".join([*lines, *(f"{group}: {flow(part)}" for group, part in parts.items())]) + "\n"


def flow(settings: Mapping[str, Value]) -> str:
    """A mapping in one line."""
    return "{" + ", ".join(f"{key}: {render(value)}" for key, value in settings.items()) + "}"


def profile_yaml(record: Profile, module: ModuleType) -> str:
    """conf/layers/NAME.yaml."""
    lines = [*comment(record.source), origin(module)]
    for part in ("content", "style"):
        factors: Mapping[str, float] = getattr(record, part)
        line = f"{part}: {flow(factors)}"
        block = [f"{part}:", *(f"  {layer}: {render(factor)}" for layer, factor in factors.items())]
        lines += [line] if len(factors) <= FLAT and len(line) <= WIDTH else block
    return "\n".join(lines) + "\n"


def preset_yaml(record: Program, module: ModuleType) -> str:
    """conf/preset/NAME.yaml."""
    lines = ["# @package _global_", *comment(sentence(record.source)), origin(module)]
    for text in (f"Weights: {sentence(record.needs)} {record.otherwise}", *record.notes):
        lines += comment(text)
    lines += missing(record)
    options = {
        "network": record.network,
        "weights": named("weights", record),
        "layers": record.layers,
        "convention": record.convention,
        **{group: named(group, record) for group in ("optimiser", "canvas")},
        **({"scale": named("scale", record)} if record.scale else {}),
    }
    remarks = dict(record.remarks)
    numbers = settings(record)
    lines += ["defaults:"]
    for group, name in options.items():  # a remark on a group stands at its numbers, or else at its name
        lines.append(f"  - override /{group}: {name}{'' if group in numbers else remark(remarks, group)}")
    lines += ["", *(f"{key}: {text}{remark(remarks, key)}" for key, text in numbers.items())]
    return "\n".join(lines) + "\n"


def named(group: str, record: Program) -> str:
    """The option that the preset chooses of a group of OWN: one of its own if its numbers are not the defaults."""
    return f"{PUBLISHED}{record.name}" if own(group, record) else getattr(record, OWN[group]).name


def own(group: str, record: Program) -> dict[str, Value]:
    """All settings of the preset's own option of a group; none if it has the defaults of the option that it names."""
    option = getattr(record, OWN[group])
    if option is None:
        return {}
    known = yaml.safe_load((ROOT / f"conf/{group}/{option.name}.yaml").read_text(encoding="utf-8"))
    found = known | dict(option.settings)
    return {} if found == known else found


def option_yaml(group: str, record: Program, module: ModuleType) -> str:
    """conf/GROUP/published_NAME.yaml. It is an option, so that another word for the group replaces all of it."""
    lines = [f"# @package {group}", *comment(f"Of +preset={record.name}."), origin(module)]
    lines += [f"{key}: {render(value)}" for key, value in own(group, record).items()]
    return "\n".join(lines) + "\n"


def missing(record: Program) -> list[str]:
    """What is not reproduced, one phrase a line."""
    lines = []
    for number, phrase in enumerate(record.not_reproduced, 1):
        text = phrase + (";" if number < len(record.not_reproduced) else ".")
        first = comment(f"Not reproduced: {text}", later="#   ")
        lines += first if number == 1 else comment(text, start="#   ", later="#   ")
    return lines


def remark(remarks: Mapping[str, str], key: str) -> str:
    """The comment behind a setting."""
    return f" # {remarks[key]}" if key in remarks else ""


def settings(record: Program) -> dict[str, str]:
    """What the preset sets, by key, as YAML."""
    parts: dict[str, Mapping[str, Value]] = {
        "network": {"pool": record.pool, "rounding": record.rounding, "padding": record.padding},
    }
    found = {key: flow(part) for key, part in parts.items() if part}
    names = ("content_weight", "style_weight", "tv_weight", "size", "size_rule", "style_scale", "steps", "average")
    given = {name: getattr(record, name) for name in names}
    found |= {name: render(value) for name, value in given.items() if value is not None}
    if record.output:
        found["output"] = flow(dict(record.output))
    return found


def table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table in Markdown."""
    lines = [columns, ("---",) * len(columns), *rows]
    texts = ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]
    return "\n".join([texts[0], texts[1].replace(" ", ""), *texts[2:]])


def tables() -> dict[str, str]:
    """The tables of docs/explanations/conventions.md, by name."""
    losses, profiles = sorted(published.LOSSES.items()), sorted(published.PROFILES.items())
    programs = sorted(published.PROGRAMS.items())
    return {
        "conventions": table(("name", "from"), ((f"`{name}`", r.source) for name, r in losses)),
        "presets": table(
            ("name", "from", "made for the weights"), ((f"`{name}`", r.source, r.needs) for name, r in programs)
        ),
        "not reproduced": table(
            ("name", "not reproduced"),
            ((f"`{name}`", "; ".join(r.not_reproduced)) for name, r in programs if r.not_reproduced),
        ),
        "layers": table(("name", "from"), ((f"`{name}`", r.source.removesuffix(".")) for name, r in profiles)),
    }


def fill(page: str, texts: Mapping[str, str]) -> str:
    """The page with each table between its marks. Raises ValueError for marks without a table, or the reverse."""
    marks = re.compile(r"<!-- generated: ([^>]+?) -->\n.*?<!-- end -->", re.DOTALL)
    if set(marks.findall(page)) != set(texts):
        raise ValueError(f"{PAGE} must have a place for each of: {', '.join(texts)}")
    return marks.sub(lambda m: f"<!-- generated: {m[1]} -->\n{texts[m[1]]}\n<!-- end -->", page)


def expected(root: Path = ROOT) -> dict[Path, str]:
    """The text of every generated file, by its path from the root."""
    texts = {}
    for module in published.FAMILIES:
        texts |= {Path(f"conf/convention/{r.name}.yaml"): convention_yaml(r, module) for r in module.LOSSES}
        texts |= {Path(f"conf/layers/{r.name}.yaml"): profile_yaml(r, module) for r in module.PROFILES}
        texts |= {Path(f"conf/preset/{r.name}.yaml"): preset_yaml(r, module) for r in module.PROGRAMS}
        chosen = ((group, record) for group in OWN for record in module.PROGRAMS if own(group, record))
        texts |= {Path(f"conf/{g}/{PUBLISHED}{r.name}.yaml"): option_yaml(g, r, module) for g, r in chosen}
    texts |= {Path(f"conf/look/{r.name}.yaml"): look_yaml(r) for r in published.LOOKS.values()}
    texts[PAGE] = fill((root / PAGE).read_text(encoding="utf-8"), tables())
    return texts


def orphans(root: Path, texts: Mapping[Path, str]) -> list[Path]:
    """Generated files that no record makes any more."""
    groups = ("convention", "layers", "preset", "look", *OWN)
    files = (p for group in groups for p in sorted((root / "conf" / group).glob("*.yaml")))
    marked = (p.relative_to(root) for p in files if f"\n{MARK}" in p.read_text(encoding="utf-8"))
    return [path for path in marked if path not in texts]


def stale(root: Path = ROOT) -> list[Path]:
    """The files that are missing, differ from their record, or have none any more."""
    texts = expected(root)
    differ = [p for p, t in texts.items() if not (root / p).is_file() or (root / p).read_text(encoding="utf-8") != t]
    return differ + orphans(root, texts)


def write(root: Path = ROOT) -> list[Path]:
    """Write what is out of date. Returns the paths."""
    texts, changed = expected(root), stale(root)
    for path in changed:
        if path in texts:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(texts[path], encoding="utf-8")
        else:
            (root / path).unlink()
    return changed


def main(words: list[str] | None = None) -> int:
    """Write, or check. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.published", description=USAGE)
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 if a file is out of date")
    check = parser.parse_args(words).check
    changed = stale() if check else write()
    for path in changed:
        print(f"{'out of date' if check else 'written'}: {path}")
    return int(check and bool(changed))


if __name__ == "__main__":
    sys.exit(main())
