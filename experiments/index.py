"""The page of all experiments, docs/experiments.md, and their figures, small, in docs/gallery/: from their records.

What has not been run here keeps its question and command, and says that it has not. After running some of them:

    python experiments/index.py
"""

import ast
import re
from pathlib import Path

from PIL import Image

from experiments.study import HOME
from nst_jax.shell.places import conf

DOCS = Path("docs")
WIDE = 1200  # pixels of a figure at most
HEAD = """# Experiments

Sixteen questions, a command for each; the pages are `experiments/NAME.py`, their settings `conf/experiment/NAME.yaml`.
Every one goes on where it stopped, takes any setting of `nst` on its line, and leaves figure, table and record in
`outputs/experiments/NAME/`. `make experiment NAME=seeds WORDS="size=128"` does the same in the project's environment;
`make experiments-smoke` runs all of them, tiny.

The figures here were made on two processor cores, small: in how many pixels and steps, and with which network, says the
command under each, where `outputs/data` is the folder of weights and pictures that NST_TEST_DATA names. Answers are
what these figures show, and no more.
"""
EYES = {  # a word of the command -> who saw it
    "vgg19_blocks1-3": "Seen by the first three blocks of VGG-19 as trained on ImageNet. The deeper ones were not at "
    "hand: layers that exist stand in for the paper's.",
    "network=texnet": "Seen by texnet, the small network of the package: its layers stand in for the paper's.",
}


def main() -> Path:
    """Writes the page and the figures; the page's path."""
    names = sorted(path.stem for path in (conf() / "experiment").glob("*.yaml"))
    text = "\n".join([HEAD, *(entry(name) for name in names)])
    (DOCS / "experiments.md").write_text(text, encoding="utf-8")
    return DOCS / "experiments.md"


def entry(name: str) -> str:
    """One experiment: question, figure, answer, command."""
    page = ast.get_docstring(ast.parse(Path(f"experiments/{name}.py").read_text(encoding="utf-8"))) or ""
    question, default = page.splitlines()[0], re.search(r"^    (python .*)$", page, re.MULTILINE)
    record = HOME / name / "README.md"
    if not record.exists():
        return f"## {name}\n\n{question}\n\nNot run here yet. `{default.group(1) if default else ''}`\n"
    _, seen, _, command, made = record.read_text(encoding="utf-8").strip().split("\n\n")
    figure = DOCS / "gallery" / f"{name}.jpg"
    shrunk(HOME / name / "figure.png", figure)
    made = re.sub(r", commit .*", ".", made, flags=re.DOTALL)
    shown = f"[![{name}](gallery/{figure.name})](gallery/{figure.name})"
    eyes = next((told for word, told in EYES.items() if word in command), "")
    return f"## {name}\n\n{question}\n\n{shown}\n\n*{eyes} {made}*\n\n{seen}\n\n{command}\n"


def shrunk(source: Path, path: Path) -> None:
    """A figure as JPEG, no wider than WIDE."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(source) as whole:
        whole.thumbnail((WIDE, 2 * WIDE))
        whole.convert("RGB").save(path, quality=82, optimize=True)


if __name__ == "__main__":
    print(main())
