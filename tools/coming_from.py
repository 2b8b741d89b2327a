"""Write docs/how_to/coming_from.md from the table of synonyms.

python -m tools.coming_from           # write it
python -m tools.coming_from --check   # exit code 1 if it is out of date
"""

import sys
from pathlib import Path

from nst_jax.shell.settings.synonyms import ANY, PRESETS, SYNONYMS, Synonym

PAGE = Path(__file__).parents[1] / "docs" / "how_to" / "coming_from.md"

HEAD = """\
# Coming from another program

A line of `nst` is `nst photo.jpg painting.jpg`, and settings, `KEY=VALUE` or `--key VALUE`, in any order. `nst help`
lists them. Words of other programs are read where they mean the same, and the log says as what. A line of
neural-style, neural-style-pt or style-transfer-pytorch is answered with the line that does it here. A weight of another
program means the same only with that program's preset: each has constants of its own
([conventions.md](../explanations/conventions.md)).

Generated from `nst_jax/shell/settings/synonyms.py` by `python -m tools.coming_from`.
"""


def render() -> str:
    """The page."""
    text = [HEAD]
    for of in dict.fromkeys(s.of for s in SYNONYMS):
        text.append(f"## {'Words of many programs' if of == ANY else of[0].upper() + of[1:]}\n")
        if of in PRESETS:
            text.append(f"All of its settings at once: `+preset={PRESETS[of]}`.\n")
        text.append("| there | here | |\n|---|---|---|")
        text += [row(s) for s in SYNONYMS if s.of == of]
        text.append("")
    return "\n".join(text)


def row(s: Synonym) -> str:
    """One word."""
    hyphens = "" if s.of == ANY else "-" if s.of.startswith("neural") or len(s.word) < 4 else "--"
    word = s.word if hyphens != "--" else s.word.replace("_", "-")
    here = " ".join(f"`{setting}`" for setting in (*(s.also), s.means) if setting) or "–"
    values = ", ".join(f"{a} is {b}" for a, b in s.values.items())
    return f"| `{hyphens}{word}` | {here} | {'; '.join(filter(None, (values, s.note)))} |"


def main() -> int:
    """Write the page, or compare it; returns the exit code."""
    if "--check" in sys.argv[1:]:
        stale = not PAGE.exists() or PAGE.read_text(encoding="utf-8") != render()
        print(f"{PAGE.name} is out of date: python -m tools.coming_from" if stale else f"{PAGE.name} is up to date")
        return int(stale)
    PAGE.write_text(render(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
