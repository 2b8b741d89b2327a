"""Every sentence of README.md, docs/ and docstrings is plain: none has a construction of the list in readable.py.

Left out, since a program writes them and their sentences come from elsewhere:

- docs/gallery/experiments.md: experiments/common/index.py writes it from the records of the runs.
- docs/project/mutants.md: tests/mutants.py writes it.
- docs/reference/ (except for its index), docs/project/benchmarks.md and docs/project/changelog.md: the site's build
  writes them from conf/, from docstrings and from the files at the root.
- tables of any page, such as those of conventions.md and coming_from.md: tools/published.py and tools/coming_from.py
  write them, and a cell is no sentence. Code, headings and captions of pictures are no sentences either.

Everything else is read, and there are no exceptions by sentence. CHANGELOG.md and BENCHMARKS.md are not in docs/.
"""

import pytest
import readable

ROOT = readable.ROOT
PAGES = readable.pages()
MARKED = {
    "an old word": "Hence the run begins anew.",
    "a riddle": "The log is told of it.",
    "a speaking thing behind a comma": "Pictures are converted, which the log says aloud.",
    "a participle at the head": "Being a value, it can be exchanged.",
    "a double negative": "Nothing works without weights.",
    "a passive of duty": "A mask is to be given.",
    "a question for a subject": "What no region takes has the style of the line.",
    "a question for an object": "It is refused in terms of what the network sees.",
    "a thing that is what it is": "The result is that of one device.",
    "a relative behind a relative": "A lane that takes what the one that ended had is the one that goes on.",
    "an idiom": "Each term is in parts of its target.",
    "whose": "It is a table, whose rows are runs.",
    "of which": "It takes a list, of which the last repeats.",
    "two semicolons": "One; two; three.",
    "a clause without its verb": "It is a number, not of pixels.",
    "alike, the like": "Adam and its like take more steps.",
}
LONG = (
    "The plan that takes the whole image where it fits and tiles where it does not fit is chosen by a model of the "
    "memory that costs very little time."
)
PLAIN = (
    "`nst` prints the device. It is in `result.json`, too.",
    "A layer sees a window of some hundred pixels.",
    "The scales are 0.5, 1, 2, 4, 8, 16 and 32, and the networks VGG-16, distilled, texnet, SqueezeNet and GoogLeNet.",
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_is_plain(page):
    marks = [f"{mark.rule}: {mark.sentence}\n    write: {mark.instead}" for mark in readable.marks(page)]
    assert not marks, "\n".join(["", *marks])


@pytest.mark.parametrize("module", readable.modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_docstrings_are_plain(module):
    marks = [f"{mark.rule}: {mark.sentence}\n    write: {mark.instead}" for mark in readable.docstring_marks(module)]
    assert not marks, "\n".join(["", *marks])


@pytest.mark.parametrize("rule", readable.PATTERNS)
def test_each_rule_marks(rule):
    assert rule in {mark.rule for mark in readable.judge(MARKED[rule])}


def test_long_sentences_are_marked():
    assert [mark.rule for mark in readable.judge(LONG)] == ["30 words"]
    assert readable.judge(
        "It is there (as the program of the authors has it, whatever that means to a reader of ours) too."
    )
    assert readable.judge(
        "If the image is a large one, it is cut in tiles, which takes a long time, but if it is a small one, it stays."
    )


@pytest.mark.parametrize("text", PLAIN)
def test_plain_sentences_are_not_marked(text):
    assert [mark for sentence in readable.sentences(readable.plain(text)) for mark in readable.judge(sentence)] == []


def test_prose_is_found_among_code_tables_and_lists():
    page = """# No sentence

A first one. A
second one.

    nst not a sentence

| no | sentence |
|---|---|

- an item
  of two lines
- another, with code:

      nst not a sentence

```python
not_a_sentence()
```

The last one.
"""
    assert list(readable.paragraphs(page)) == [
        "A first one. A second one.",
        "an item of two lines",
        "another, with code:",
        "The last one.",
    ]


def test_nearly_everything_is_read():
    """The list of what is left out is short."""
    assert len(PAGES) > 30
