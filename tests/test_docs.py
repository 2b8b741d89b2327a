"""The site: every page can be reached, every picture is used, every link leads somewhere, what is made is complete."""

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser

import nst_jax
from nst_jax import extractors, published
from nst_jax.shell.cli import manual
from tools import reference

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
MADE = {*reference.PAGES, *reference.COPIES} | {f"tutorials/{p.name}" for p in (ROOT / "notebooks").glob("*.ipynb")}
EVERY = sorted(p.relative_to(DOCS).as_posix() for p in DOCS.rglob("*.md"))
WRITTEN = [p for p in EVERY if p not in MADE and (p == "reference/index.md" or not p.startswith("reference/"))]
TEXTS = {page: (DOCS / page).read_text(encoding="utf-8") for page in WRITTEN}
OUTSIDE = {name: (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "BENCHMARKS.md", "CHANGELOG.md")}
PICTURES = sorted(p.relative_to(DOCS).as_posix() for p in DOCS.rglob("*") if p.suffix in (".jpg", ".png"))
API = "reference/api/nst_jax/index"  # autoapi's

each = pytest.mark.parametrize("page", WRITTEN)


def stem(page):
    return page.rsplit(".", 1)[0]


def without_code(text):
    return re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)


def children(page, known):
    """The pages that a page's toctrees name."""
    folder = page.rpartition("/")[0]
    for block in re.findall(r"```\{toctree\}\n(.*?)```", TEXTS.get(f"{page}.md", ""), re.DOTALL):
        lines = [line for line in block.splitlines() if line and not line.startswith(":")]
        for line in lines:
            name = re.sub(r".*<(.*)>", r"\1", line)
            path = f"{folder}/{name}" if folder else name
            if "*" in name:
                yield from (k for k in known if k.rpartition("/")[0] == folder and k != page)
            else:
                yield path


def test_every_page_is_in_a_toctree():
    known = {stem(page) for page in (*WRITTEN, *MADE)} | {API}
    found, new = set(), {"index"}
    while new:
        found |= new
        new = {child for page in new for child in children(page, known)} - found
    assert found == known


def links(text):
    return re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)", without_code(text))


@each
def test_every_link_leads_somewhere(page):
    for link in links(TEXTS[page]):
        target = (DOCS / page).parent / link
        inside = target.resolve().relative_to(ROOT.resolve()).as_posix()
        assert inside.removeprefix("docs/") in MADE or target.is_file(), f"{page}: {link}"


@pytest.mark.parametrize("name", OUTSIDE)
def test_every_link_of_what_is_copied_leads_somewhere(name):
    assert [link for link in links(OUTSIDE[name]) if not (ROOT / link).exists()] == []


def test_every_picture_is_used():
    named = {Path(link).name for text in (*TEXTS.values(), *OUTSIDE.values()) for link in links(text)}
    assert [p for p in PICTURES if Path(p).name not in named] == []


def test_no_two_pictures_have_one_name():
    """The site puts them into one folder."""
    names = [Path(p).name for p in PICTURES]
    assert len(set(names)) == len(names)


@each
def test_every_picture_says_what_it_shows(page):
    assert "![](" not in TEXTS[page]


def blocks(text):
    """(language, code) of each block; "" for an indented one."""
    fenced = re.findall(r"^```(\w*)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    rest = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    indented = re.findall(r"(?:^\n|\A)((?:    .*\n(?:\n(?=    ))?)+)", rest, re.MULTILINE)
    return [*fenced, *(("", re.sub(r"^    ", "", code, flags=re.MULTILINE)) for code in indented)]


def commands(text):
    for language, code in blocks(text):
        if language in ("", "bash"):
            lines = code.replace("\\\n", " ").splitlines()
            yield from (line.strip() for line in lines if re.match(r"\s*(nst(-\w+)?|python|pip|make) ", line))


@each
def test_commands_can_be_read(page):
    """Words as a shell takes them, and the settings of `nst` in Hydra's grammar."""
    for line in commands(TEXTS[page]):
        words = shlex.split(line, comments=True)
        if words[0] == "nst" and not {"help", "-cp"} & set(words):
            settings = [w for w in words[1:] if re.match(r"[+~]*[a-z][\w./]*=", w) and not w.endswith("=...")]
            OverridesParser.create().parse_overrides([w.replace("*", "x") for w in settings])


def test_a_page_has_commands():
    """Without this, a change of the pattern would leave nothing to read."""
    assert sum(len(list(commands(text))) for text in TEXTS.values()) > 60


@each
def test_python_and_yaml_can_be_read(page):
    for language, code in blocks(TEXTS[page]):
        if language == "python":
            compile(code, page, "exec")
        elif language == "yaml":
            assert yaml.safe_load(code)


def test_a_first_picture_is_one_click_away():
    """The front page links to a notebook that shows pictures."""
    link = next(link for link in links(TEXTS["index.md"]) if link.endswith(".ipynb"))
    notebook = json.loads((DOCS / link).read_text(encoding="utf-8"))
    shown = [out for cell in notebook["cells"] for out in cell.get("outputs", ()) if "data" in out]
    assert any({"image/jpeg", "image/png"} & set(out["data"]) for out in shown)


@pytest.mark.parametrize("page", ["index.md", "tutorials/index.md"])
def test_an_index_names_every_page_of_its_toctree(page):
    """The hidden toctree is for the side of the page; a reader sees the text."""
    for child in children(stem(page), []):
        assert child.split("/")[-1] in TEXTS[page].split("```{toctree}")[0] or f"{child}.md" in TEXTS[page]


# The reference


def test_what_is_made_is_ignored_by_git():
    paths = [f"docs/{page}" for page in MADE] + [f"docs/{API}.rst"]
    done = subprocess.run(["git", "check-ignore", *paths], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode == 128:
        pytest.skip("not a git repository")
    assert set(done.stdout.split()) == set(paths)


def test_every_setting_is_in_the_reference():
    page = reference.settings_page()
    sections = [e.key for e in manual.settings()]
    assert len(sections) > 60
    assert [key for key in sections if f"| `{key}` |" not in page] == []


def test_every_option_is_in_the_reference():
    page = reference.options_page() + reference.published_page()
    groups = {"convention": "{#convention-", "layers": "{#layers-", "preset": "+preset="}
    for group in manual.groups():
        if group == "sweep":  # two examples
            continue
        for name in manual.options(group):
            shown = f"`{group}={name}`" in page or f"{groups.get(group, '=')}{reference.slug(name)}" in page
            hand_made = group == "layers" and name not in published.PROFILES
            assert shown or hand_made or f"### {name}\n" in page, f"{group}={name}"


def test_the_types_are_those_of_the_schema():
    assert reference.type_of("size") == "int"
    assert reference.type_of("style_weight") == "float"
    assert reference.type_of("output.alpha") == "bool"
    assert reference.type_of("weights.path") == "text"
    assert reference.type_of("regions") == "mapping"
    assert reference.type_of("pattern.offsets") == "list"
    assert reference.type_of("style") == ""
    assert reference.type_of("optimiser.memory") == ""


def test_every_record_is_in_the_reference():
    page = reference.published_page()
    for name in published.PROGRAMS:
        assert f"\n### {name}\n" in page
    wanted = set(re.findall(r"\(#((?:convention|layers)-[\w-]+)\)", page))
    there = set(re.findall(r"\{#((?:convention|layers)-[\w-]+)\}", page))
    assert wanted <= there
    assert len(there) == len(published.LOSSES) + len(published.PROFILES)


def test_every_network_is_in_the_reference():
    page = reference.networks_page()
    for name in extractors.MODULES:
        assert f"\n## {name}\n" in page


def test_every_name_of_python_is_in_the_reference():
    page = reference.python_page()
    names = re.findall(r"\{py:obj\}`nst\.(\w+) <nst_jax\.\1>`", page)
    assert sorted(names) == sorted(nst_jax._WHERE)


def test_the_names_without_laziness_are_those_with_it():
    found: dict = {}
    exec(reference.lazy_names(), found)
    for name in nst_jax._WHERE:
        assert found[name] is getattr(nst_jax, name)


def test_a_setting_of_a_training_is_in_the_reference():
    page = reference.training_page()
    for file in (manual.conf() / "train").glob("*.yaml"):
        assert f"\n## {file.stem}\n" in page
    assert "| `learning_rate` |" in page


@pytest.mark.slow
def test_every_command_is_in_the_reference():
    page = reference.commands_page()
    for name in ("nst", "nst-train", "nst-weights", "nst-convert", "nst-gallery", "nst-export"):
        assert f"\n## {name}\n" in page
    assert "### nst-weights fetch\n" in page
    assert "KEY=VALUE" in page


def test_a_link_is_moved_with_its_page():
    text = "[a](docs/how_to/big.md#x) [b](nst_jax/shell) [c](https://x.y) [d](#z) [e](CHANGELOG.md)"
    moved = reference.moved(text, "BENCHMARKS.md", "project/benchmarks.md")
    assert moved == "[a](../how_to/big.md#x) [b](../../nst_jax/shell) [c](https://x.y) [d](#z) [e](changelog.md)"


def test_a_page_that_is_named_becomes_a_link():
    assert reference.linked("see docs/how_to/big.md") == "see [big](../how_to/big.md)"


def test_writing_twice_changes_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(reference, "PAGES", {"reference/settings.md": reference.settings_page})
    assert Path("reference/settings.md") in reference.write(tmp_path)
    assert reference.write(tmp_path) == []
