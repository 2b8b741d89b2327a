"""What a release is made of: changelog, address, the links on the index, what is in the sdist, and the workflows."""

import json
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from datetime import date
from pathlib import Path

import pytest
import yaml

from tools import release

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
CHANGES = "# Changes\n\n## Unreleased\n\n## 0.2.0 - 2026-12-01\n\nB.\n\n## 0.1.0 - 2026-11-21\n\nA.\n"


def test_the_changelog_has_dates_and_unreleased_on_top():
    found = release.sections((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    assert found[-1] == ((0, 1, 0), date(2026, 11, 21))


@pytest.mark.parametrize(
    ("was", "now", "why"),
    [
        ("## Unreleased\n", "", "begins with '0.2.0 - 2026-12-01'"),
        ("0.2.0 - 2026-12-01", "0.2.0", "'0.2.0' is not VERSION"),
        ("0.2.0 - 2026-12-01", "0.2.0 - 2026-13-01", "month must be in"),
        ("0.2.0 - 2026-12-01", "0.0.9 - 2026-12-01", "does not come first"),
        ("0.2.0 - 2026-12-01", "0.2.0 - 2026-11-01", None),
        ("0.2.0 -", "0.1.0 -", "comes twice"),
    ],
)
def test_a_wrong_changelog_is_found(was, now, why):
    text = CHANGES.replace(was, now)
    assert text != CHANGES
    if why is None:  # a fix of an older version may be released later
        assert len(release.sections(text)) == 2
    else:
        with pytest.raises(ValueError, match=re.escape(why)):
            release.sections(text)


@pytest.fixture
def checkout(tmp_path):
    """A folder that is ready to be released as 0.2.0."""
    citation = "cff-version: 1.2.0\nversion: 0.2.0\ndate-released: 2026-12-01\nlicense: Apache-2.0\n"
    (tmp_path / "CHANGELOG.md").write_text(CHANGES, encoding="utf-8")
    (tmp_path / "CITATION.cff").write_text(citation, encoding="utf-8")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_what_is_ready_has_no_faults(checkout):
    here = release.slug(release.address(checkout))
    assert list(release.check("v0.2.0", checkout, {})) == []
    assert list(release.check("v0.2.0", checkout, {"GITHUB_REPOSITORY": here})) == []


def test_what_is_not_ready_is_said(checkout):
    assert "the tag is v0.2.1" in "".join(release.check("v0.2.1", checkout, {}))
    assert "this repository is a/b" in "".join(release.check("v0.2.0", checkout, {"GITHUB_REPOSITORY": "a/b"}))
    (checkout / "CITATION.cff").write_text("cff-version: 1.2.0\nversion: 0.1.0\n", encoding="utf-8")
    assert "CITATION.cff does not say version: 0.2.0" in "".join(release.check("v0.2.0", checkout, {}))
    (checkout / "CHANGELOG.md").write_text(CHANGES.replace("Unreleased\n", "Unreleased\n\nMore.\n"), encoding="utf-8")
    assert "under Unreleased" in "".join(release.check("v0.2.0", checkout, {}))


def test_the_citation_is_of_the_newest_release():
    newest = release.sections((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))[0]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert str(citation["version"]) == ".".join(map(str, newest.version))
    assert citation["date-released"] == newest.day


def test_every_address_is_that_of_pyproject():
    """One place says it; the others are written from there."""
    ours = release.slug(release.address())
    named = re.compile(r"(?:github(?:usercontent)?\.com|google\.com/github)/([\w.-]+/nst[-_]jax)(?![\w-])")
    for path in release.places():
        for found in named.findall(path.read_text(encoding="utf-8") if path.is_file() else ""):
            assert found == ours, path
    assert all(url.startswith(release.address()) for url in PROJECT["project"]["urls"].values())
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["repository-code"] == release.address()


def test_the_repository_can_move(tmp_path):
    for path in release.places():
        if path.is_file():
            (tmp_path / path.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, tmp_path / path.relative_to(ROOT))
    old = release.slug(release.address())
    changed = release.move("https://github.com/someone/elsewhere", tmp_path)
    assert tmp_path / "pyproject.toml" in changed
    assert release.address(tmp_path) == "https://github.com/someone/elsewhere"
    assert not [path for path in release.places(tmp_path) if path.is_file() and old in path.read_text(encoding="utf-8")]


def test_links_are_absolute_on_the_index():
    """The index shows the README alone: a link into the repository needs its address."""
    text = before = (ROOT / "README.md").read_text(encoding="utf-8")
    hook = PROJECT["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]
    for rule in hook["substitutions"]:
        text = re.sub(rule["pattern"], rule["replacement"], text)
    links = re.findall(r"\]\(([^)\s]+)|(?:src|srcset|href)=\"([^\"]+)|^\[[^\]]+\]: *(\S+)", text, re.MULTILINE)
    assert text != before
    for link in ("".join(parts) for parts in links):
        assert link.startswith(("https://", "#")), link
        if found := re.match(r".*/nst-jax/(?:blob/)?main/([^#]+)", link):
            assert (ROOT / found[1]).exists(), link
            assert Path(found[1]).suffix not in (".jpg", ".png", ".svg") or "raw.githubusercontent" in link


def test_a_badge_with_a_link_is_absolute_on_the_index():
    text = '[![a](docs/a.png)](docs/a.md) ![b](https://x.org/b.png) <img src="docs/c.jpg"> [here](#there)'
    for rule in PROJECT["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]["substitutions"]:
        text = re.sub(rule["pattern"], rule["replacement"], text)
    raw, blob = (f"https://{host}/nst-jax/nst-jax" for host in ("raw.githubusercontent.com", "github.com"))
    expected = f"[![a]({raw}/main/docs/a.png)]({blob}/blob/main/docs/a.md) ![b](https://x.org/b.png) "
    assert text.replace(release.slug(release.address()), "nst-jax/nst-jax") == (
        expected + f'<img src="{raw}/main/docs/c.jpg"> [here](#there)'
    )


def test_the_package_says_that_it_is_typed_and_can_be_run_by_its_name():
    scripts = PROJECT["project"]["scripts"]
    assert scripts[PROJECT["project"]["name"]] == scripts["nst"]
    assert (ROOT / "nst_jax/py.typed").is_file()
    assert "Typing :: Typed" in PROJECT["project"]["classifiers"]


def tracked():
    if not (ROOT / ".git").exists():
        pytest.skip("git says what belongs to the sdist, and this is no clone")
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return {name for name in done.stdout.split("\0") if name and (ROOT / name).exists()}


def test_the_sdist_leaves_nothing_out():
    """By its settings; the next test builds one."""
    settings = PROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]
    assert set(settings) == {"exclude"}
    assert not any(name.startswith(tuple(e.strip("/") for e in settings["exclude"])) for name in tracked())


@pytest.mark.slow
def test_the_sdist_holds_what_git_holds(tmp_path):
    names = tracked()
    done = subprocess.run(
        [sys.executable, "-m", "build", "--sdist", "--outdir", tmp_path, ROOT],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    with tarfile.open(next(tmp_path.glob("*.tar.gz"))) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert held - {"PKG-INFO", "nst_jax/_version.py"} == names


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda p: p.stem)
def test_actions_are_pinned(path):
    """By the hash of a commit, which nobody can move; the version beside it is for Dependabot and for readers."""
    uses = re.findall(r"uses: *(.+)", path.read_text(encoding="utf-8"))
    assert uses
    for action in uses:
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


def test_an_action_has_one_version():
    found: dict[str, set[str]] = {}
    for path in WORKFLOWS:
        for name, pin in re.findall(r"uses: *([^@\s]+)@(.+)", path.read_text(encoding="utf-8")):
            found.setdefault(name, set()).add(pin)
    assert not {name: pins for name, pins in found.items() if len(pins) > 1}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda p: p.stem)
def test_workflows_may_do_little(path):
    """Nothing by default, no secret, credentials that do not stay, and no words of a stranger in a shell."""
    text = path.read_text(encoding="utf-8")
    flow = yaml.safe_load(text)
    assert flow["permissions"] in ({}, {"contents": "read"})
    assert "concurrency" in flow
    assert "secrets." not in text
    for job in flow["jobs"].values():
        wanted = {key for key, value in job.get("permissions", {}).items() if value == "write"}
        assert wanted <= {"id-token", "pages", "attestations"}
        assert job.get("timeout-minutes"), "a job without a limit runs for six hours"
        for step in job["steps"]:
            assert "${{" not in step.get("run", ""), step
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False
        if wanted:
            assert job["environment"], "a person can stop what is published"


def test_only_what_was_tested_is_published():
    flow = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8"))
    jobs, publish = flow["jobs"], flow["jobs"]["publish"]
    assert set(publish["needs"]) == set(jobs) - {"publish"}
    assert publish["permissions"] == {"id-token": "write"}
    assert not [step for step in publish["steps"] if "run" in step or "checkout" in step["uses"]]
    assert list(flow[True]) == ["push"]  # YAML reads `on` as true
    assert flow[True]["push"] == {"tags": ["v*"]}


def test_dependabot_sees_actions_and_packages():
    found = yaml.safe_load((ROOT / ".github/dependabot.yml").read_text(encoding="utf-8"))
    assert {entry["package-ecosystem"] for entry in found["updates"]} >= {"github-actions", "pip"}


def test_the_newest_python_that_is_allowed_is_the_newest_that_is_tested():
    flow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    pythons = json.dumps(flow["jobs"])
    named = {c.rpartition(" ")[2] for c in PROJECT["project"]["classifiers"] if re.search(r":: 3\.\d+$", c)}
    assert named == {f"3.{minor}" for minor in (11, 12, 13)}
    assert all(f'"{version}"' in pythons for version in named)


NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_opens_on_colab(path):
    """Its badge leads to itself, and it installs the package before it imports it, only where there is none."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    texts = ["".join(cell["source"]) for cell in cells]
    place = (
        f"https://colab.research.google.com/github/{release.slug(release.address())}/blob/main/notebooks/{path.name}"
    )
    assert f"]({place})" in texts[0]
    install = next(n for n, text in enumerate(texts) if "%pip install" in text)
    assert install < next(n for n, text in enumerate(texts) if "import nst_jax" in text)
    assert f"    %pip install --quiet {PROJECT['project']['name']}" in texts[install]
    assert 'if find_spec("nst_jax") is None:' in texts[install]


def test_the_container_is_built_from_what_there_is():
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    extras = set(re.findall(r"cuda\d+", text))
    assert extras
    assert extras <= set(PROJECT["project"]["optional-dependencies"])
    entry = json.loads(re.findall(r"^ENTRYPOINT (.*)$", text, re.MULTILINE)[0])
    assert entry[0] in PROJECT["project"]["scripts"]
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert not {".git", ".git/", "**"} & set(ignored), "the version comes from git"
    used = set(re.findall(r"FROM python:(3\.\d+)-slim", text))
    assert used <= {c.rpartition(" ")[2] for c in PROJECT["project"]["classifiers"]}


def test_the_development_container_makes_what_the_makefile_has():
    text = (ROOT / ".devcontainer/devcontainer.json").read_text(encoding="utf-8")
    found = json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE))
    target = found["postCreateCommand"].removeprefix("make .venv/")
    assert f"$(VENV)/{target}:" in (ROOT / "Makefile").read_text(encoding="utf-8")
