"""Marks sentences that are hard to read: a list of banned constructions, and how prose is taken out of Markdown.

The rules are those of a house style for readers whose first language is not English: subject, verb, object; one thought
a sentence; present tense; the terms of the field. A rule is a name, a pattern or a count, and what to write instead.

    python tests/readable.py [FILE ...]      # every marked sentence, with its rule
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
WORDS = 26  # a sentence without its brackets; a list of numbers is one word, and so is a piece of code
COMMAS = 3  # beside those of a list of short items
SMALL_NAMES = (  # a sentence may begin with them
    *("distilled", "texnet", "style_", "jax", "torch", "cu", "optax", "jcjohnson", "neural-", "crowsonkb", "lpips"),
    *("hatch", "hydra", "grain", "orbax", "pystiche"),
)
BRACKET = 16  # words in one pair of brackets

PATTERNS = {
    "an old word": (
        r"\b(whence|whither|thereof|therein|thereby|therefrom|thereon|herein|hereby|hence|lest|aloud|anew|heed\w*|ought|"
        r"shall|upon|amidst|whilst|whereof|whereby|wherein|albeit|likewise|nought|naught|save for|but for|forthwith|"
        r"thrice|hitherto|as it were)\b",
        "the word of today: from it, so, if, again, except",
    ),
    "a riddle": (
        r"\b((is|are|was|were|be|been) (told|heeded|lent|begun|laid|bidden|wont|seen to)|is said to|says aloud|"
        r"its like|is for nothing|the way there|the way on|as it is told|stands? for itself|gone by)\b",
        "a plain verb: report, set, start, place",
    ),
    "an idiom": (
        r"\b(in parts of|in place of|at hand|is none|alike|one's own|and not (a|an|the|by|of|to|on))\b",
        "relative to, instead of, available, the same, but not",
    ),
    "a speaking thing behind a comma": (
        r", which (the |its |a )?(\w+ )?(log|screen|record|run|line|page|table|header|card|file|test|error) "
        r"(says?|tells?|shows?)\b",
        "a sentence of its own: The log reports ...",
    ),
    "a participle at the head": (
        r"^(being|having|said|told|seen|put|laid|given that|taken|written|made|asked|computed|measured) [^,.:]*, ",
        "subject, verb, object",
    ),
    "a double negative": (
        r"\b(not|no|never|nothing|none|nobody|cannot|neither)\b[^.;:,]*"
        r"\b(without|unless|no|nothing|none|never|nobody)\b(?! longer| more)",
        "the positive",
    ),
    "a passive of duty": (
        r"\b(is|are|was|were|has|have|had) to be (?!\w+ing)\w+",
        "must, or an imperative",
    ),
    "a question for a subject": (
        r"^(what|whatever|whether|whoever|which of)\b(?!.*\?$)",
        "the thing itself: The activations are ...",
    ),
    "a question for an object": (
        r"\b(of|for|on|in|than|as|from|with|to|knows?|has|is|are|by|beside|like|gives|keeps|makes) (what|whatever)\b",
        "the thing itself: the memory, the layers",
    ),
    "a thing that is what it is": (
        r"\b(is|are|was|were|be) (what|that of|those of|as it (is|was)|as they (are|were))\b",
        "the thing itself, or its verb",
    ),
    "a relative behind a relative": (
        r"\b(that|which|who|whose)\b[^.;:]*\b(that|which|who|whose)\b[^.;:]*\b(that|which|who|whose)\b",
        "two sentences",
    ),
    "whose": (r", (of )?whose\b", "a sentence of its own: Its ..."),
    "of which": (r"\b(of|by|with|from|to|in) which\b", "a sentence of its own"),
    "two semicolons": (r";[^;]*;", "sentences"),
    "a clause without its verb": (
        r"[,;] (and )?(not|also|but not|nor) (so )?(by|of|for|in|with|where|when)\b",
        "a whole clause",
    ),
    "alike, the like": (
        r"\b(and its like|and the like|and the same(?=[.,;])|the other way round)",
        "the name of it",
    ),
}


GENERATED = (  # by a program: their sentences come from elsewhere
    "docs/gallery/experiments.md",  # experiments/common/index.py, from the records of the runs
    "docs/project/mutants.md",  # tests/mutants.py
)
BUILT = ("reference/", "project/benchmarks.md", "project/changelog.md")  # `make docs` makes them from other files


def of_repository() -> list[Path]:
    """README.md and the pages of docs/ that the repository holds."""
    docs = ROOT / "docs"
    found = {page.relative_to(docs).as_posix(): page for page in sorted(docs.rglob("*.md"))}
    own = [page for name, page in found.items() if name == "reference/index.md" or not name.startswith(BUILT)]
    return [ROOT / "README.md", *own]


def pages() -> list[Path]:
    """The pages of the repository that people write."""
    return [page for page in of_repository() if page.relative_to(ROOT).as_posix() not in GENERATED]


def modules() -> list[Path]:
    """The modules of the package."""
    return sorted(path for path in (ROOT / "nst_jax").rglob("*.py") if path.name != "_version.py")


class Mark(NamedTuple):
    """A sentence that a rule marks."""

    path: str
    rule: str
    sentence: str
    instead: str


def plain(text: str) -> str:
    """A paragraph without markup: a piece of code is one word, a link its text."""
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)", "", text)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"``[^`]+``|`[^`]+`", "CODE", text)
    text = re.sub(r"\$[^$]+\$", "CODE", text)  # a formula
    text = re.sub(r"<!--.*?-->", "", text)
    return re.sub(r"\s+", " ", text.replace("**", "").replace("*", "")).strip()


def paragraphs(text: str) -> Iterator[str]:
    """The prose of a page of Markdown: no code, no tables, no headings; each item of a list by itself."""
    text = re.sub(r"^---\n.*?\n---\n", "", text, flags=re.DOTALL)
    text = re.sub(r"^( *)(```|~~~).*?^\1\2[^\n]*$", "\n", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"<!--.*?-->|\$\$.*?\$\$", "\n", text, flags=re.DOTALL)
    piece: list[str] = []
    blank, item = True, False
    for line in [*text.splitlines(), ""]:
        code = blank and line.startswith("      " if item else "    ")
        head = bool(re.match(r" *([-*+]|\d+[.)]) ", line))
        if not line.strip() or line.lstrip().startswith(("|", "#", ":::", "[![")) or head or code:
            if piece:
                yield plain(" ".join(piece))
            piece = []
        if head:
            piece, item = [re.sub(r"^ *([-*+]|\d+[.)]) ", "", line)], True
        elif line.strip() and not line.lstrip().startswith(("|", "#", ":::", "[![")) and not code:
            item = item and line.startswith(" ")
            piece.append(line.strip())
        blank = not line.strip() or (blank and code)


def sentences(paragraph: str) -> list[str]:
    """The sentences of a paragraph."""
    kept = re.sub(
        r"\b(et al|e\.g|i\.e|cf|eq|fig|vs|approx)\.", lambda m: m[0].replace(".", "\0"), paragraph, flags=re.IGNORECASE
    )
    parts = re.split(rf"(?<=[.!?])\)? +(?=[\"'(A-Z0-9]|{'|'.join(SMALL_NAMES)})", kept)
    return [part.replace("\0", ".").strip() for part in parts if part.strip()]


def measured(sentence: str) -> tuple[int, int, int]:
    """Words beside brackets, commas beside those of lists, and words of the longest bracket."""
    brackets = re.findall(r"\(([^()]*)\)", sentence)
    bare = re.sub(r"\([^()]*\)", "", sentence)
    number = r"[-+]?\d[\d.,]*\w*( %)?"
    bare = re.sub(rf"({number}(, | and | or | to | x ))+{number}", "NUMBERS", bare)
    short = r"(?:[\w'./+=:-]+ ?){1,3}"
    listed = re.sub(rf"(?:{short}, ){{2,}}(?:and |or )?{short}", "LIST", bare)
    count = len(re.findall(r"[\w'./+-]*\w[\w'./+-]*", bare))
    return count, listed.count(","), max((len(b.split()) for b in brackets), default=0)


def judge(sentence: str, path: str = "") -> list[Mark]:
    """What the rules mark in a sentence."""
    found = [
        Mark(path, name, sentence, instead)
        for name, (rule, instead) in PATTERNS.items()
        if re.search(rule, sentence, re.IGNORECASE)
    ]
    words, commas, bracket = measured(sentence)
    if words > WORDS:
        found.append(Mark(path, f"{words} words", sentence, "two sentences"))
    if commas > COMMAS:
        found.append(Mark(path, f"{commas} commas", sentence, "two sentences"))
    if bracket > BRACKET or (bracket > words and bracket > 6):
        found.append(Mark(path, f"{bracket} words in brackets", sentence, "a sentence of its own"))
    return found


def marks(path: Path) -> list[Mark]:
    """Every marked sentence of a page."""
    name = str(path.resolve().relative_to(ROOT))
    pieces = paragraphs(path.read_text(encoding="utf-8"))
    return [mark for piece in pieces for sentence in sentences(piece) for mark in judge(sentence, name)]


HEADS = ("Args:", "Returns:", "Raises:", "Attributes:")


def docstrings(path: Path) -> Iterator[str]:
    """The prose of a module's docstrings: no lists of arguments, no code."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef):
            parts = (ast.get_docstring(node) or "").split("\n\n")
            yield from (plain(part) for part in parts if not part.strip().startswith(HEADS) and part[:4].strip())


def docstring_marks(path: Path) -> list[Mark]:
    """Every marked construction of a module's docstrings. Lengths do not count: a first line has one sentence.

    A function that returns true or false may begin with "Whether".
    """
    name = str(path.resolve().relative_to(ROOT))
    texts = [text for piece in docstrings(path) for text in sentences(piece) if not text.startswith("Whether ")]
    return [mark for text in texts for mark in judge(text, name) if not re.match(r"\d", mark.rule)]


def main(words: list[str]) -> None:
    """Print the marks of the files that are named, or of all pages and modules."""
    for path in [Path(word) for word in words] or [*pages(), *modules()]:
        for mark in docstring_marks(path) if path.suffix == ".py" else marks(path):
            print(f"{mark.path}: {mark.rule}: {mark.sentence}")


if __name__ == "__main__":
    main(sys.argv[1:])
