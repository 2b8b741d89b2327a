"""Write docs/gallery/experiments.md, the page of all experiments, and their figures beside it, from the records.

An experiment that has no record here keeps its section of the page. After running some of them:

    python -m experiments.common.index
"""

import ast
import re
from pathlib import Path

from PIL import Image

from experiments.common.study import HOME
from nst_jax.shell.places import conf

DOCS = Path("docs/gallery")
WIDE = 1200  # pixels of a figure at most
HEAD = """# Experiments

Seventeen questions, a command for each. Their pages are `experiments/papers/NAME.py`, their settings
`conf/experiment/NAME.yaml`. Each takes any setting of `nst` on its line, runs only what is missing, and writes a
figure, a table and a record to `outputs/experiments/NAME/`. `make experiment NAME=seeds WORDS="size=128"` does the same
in the project's environment. `make experiments-smoke` runs all of them at a tiny size.

The figures were made on two processor cores, at small sizes. The command under each figure gives pixels, steps and
network. `outputs/data` is the folder of weights and pictures that NST_TEST_DATA names. The answers hold for these
figures only.
"""
NETWORKS = {  # a word of the command -> the network, in a sentence
    "vgg19_blocks1-3": "The network: the first three blocks of VGG-19, trained on ImageNet. The deeper ones "
    "were not available. Layers of these blocks stand for the paper's.",
    "vgg16_hed": "The network: VGG-16 at full depth, trained on ImageNet and then fine-tuned to find edges. Its deep "
    "layers keep outlines and lose colours.",
    "network=distilled": "The network: distilled, the small VGG-16 of the package.",
}


def main() -> Path:
    """Write the page and the figures, and return the page's path."""
    page = DOCS / "experiments.md"
    names = sorted(path.stem for path in (conf() / "experiment").glob("*.yaml"))
    kept = sections(page.read_text(encoding="utf-8"))
    page.write_text("\n".join([HEAD, *(entry(name, kept.get(name)) for name in names)]), encoding="utf-8")
    return page


def sections(page: str) -> dict[str, str]:
    """The sections of the page, by the experiment's name."""
    parts = re.split(r"^(?=## )", page, flags=re.MULTILINE)[1:]
    return {part.splitlines()[0].removeprefix("## "): part.rstrip("\n") + "\n" for part in parts}


def entry(name: str, kept: str | None = None) -> str:
    """One experiment: question, figure, answer, command. kept: its section so far, where there is no record."""
    page = ast.get_docstring(ast.parse(Path(f"experiments/papers/{name}.py").read_text(encoding="utf-8"))) or ""
    question, default = page.splitlines()[0], re.search(r"^    (python .*)$", page, re.MULTILINE)
    record = HOME / name / "README.md"
    if not record.exists():
        rest = kept.split("\n\n", 2)[2] if kept else f"Not run here yet. `{default.group(1) if default else ''}`\n"
        return f"## {name}\n\n{question}\n\n{rest}"
    _, answer, _, command, made = record.read_text(encoding="utf-8").strip().split("\n\n")
    figure = DOCS / f"{name}.jpg"
    shrink(HOME / name / "figure.png", figure)
    made = re.sub(r", commit .*", ".", made, flags=re.DOTALL)
    image = f"[![{name}]({figure.name})]({figure.name})"
    network = next((text for word, text in NETWORKS.items() if word in command), "")
    return f"## {name}\n\n{question}\n\n{image}\n\n*{network} {made}*\n\n{answer}\n\n{command}\n"


def shrink(source: Path, path: Path) -> None:
    """Write a figure as JPEG, no wider than WIDE."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(source) as whole:
        whole.thumbnail((WIDE, 2 * WIDE))
        whole.convert("RGB").save(path, quality=82, optimize=True)


if __name__ == "__main__":
    print(main())
