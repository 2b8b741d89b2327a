"""List the experiments, each with what it shows and what it costs: `make experiment`, `python -m experiments`."""

import ast
import sys
from pathlib import Path

FOLDER = Path(__file__).parent / "papers"


def listed() -> str:
    """A paragraph for each experiment, and how to run one."""
    text = []
    for path in sorted(FOLDER.glob("*.py")):
        said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        if "Cost: " in said:
            text += [f"{path.stem}: {said.splitlines()[0]}", f"    {cost(said)}"]
    text += ["", "one of them: make experiment NAME=start WORDS='size=small'"]
    text += ["    size=small: network=distilled size=128 steps=100, minutes on a laptop and nothing to download"]
    return "\n".join(text)


def cost(said: str) -> str:
    """What an experiment's docstring says of its cost."""
    paragraph = said.split("Cost: ", 1)[1].split("\n\n")[0]
    return f"Cost: {' '.join(paragraph.split())}"


if __name__ == "__main__":
    print(listed())
    sys.exit(0)
