"""File names of every kind that a system allows: Unicode's categories, and what shells and parsers take for theirs."""

import random
import unicodedata

SPECIAL = (
    *(
        "café",
        "日本",
        "x!",
        "a;b",
        "a,b",
        "a=b",
        "a b",
        "  two  ",
        "[a]",
        "(a)",
        "{a}",
        "it's",
        'say "hi"',
        "back\\slash",
    ),
    *(
        "C:\\pics\\ship",
        "$HOME",
        "${size}",
        "`ls`",
        "a|b",
        "a&b",
        "a<b>",
        "a*b",
        "a?b",
        "a#b",
        "~",
        "~x",
        "-dash",
        "--two",
    ),
    *(
        "+plus",
        "@at",
        "%41",
        "a:b",
        "null",
        "true",
        "1",
        "1e3",
        "nan",
        "???",
        "help",
        "a\tb",
        "a\nb",
        "'",
        '"',
        "\\",
        "\\'",
    ),
    *(
        "'quoted'",
        '"quoted"',
        "choice(a,b)",
        "glob(x)",
        "range(1,3)",
        "a,b,c",
        "content=a",
        "style=b",
        "size=3",
        "é" * 60,
    ),
    *("x" * 100, "مرحبا", "שלום", "Ω≈ç√", "😀", "e\u0301", "a\u200bb", "a\u00a0b", "🇨🇭", "ﬁ", "İstanbul", "ñandú"),
    *(
        ".hidden",
        "a.b.c",
        "end.",
        "..",
        "...",
        "_",
        "a'b\"c",
        "a\\\\b",
        "[a,b]",
        "{a:1}",
        "key@pkg",
        "a/../b".replace("/", "∕"),
    ),
)


def drawn(many: int, seed: int = 5) -> list[str]:
    """Names of letters of all categories that may stand in one."""
    rng, found = random.Random(seed), []
    letters: dict[str, list[str]] = {}
    for code in range(32, 0x1FFFF):
        category = unicodedata.category(chr(code))
        if category not in ("Cs", "Cn", "Cc") and chr(code) != "/":
            letters.setdefault(category, []).append(chr(code))
    while len(found) < many:
        name = "".join(rng.choice(letters[rng.choice(sorted(letters))]) for _ in range(rng.randint(1, 12)))
        found.append(name)
    return found


def names(many: int = 100) -> list[str]:
    """So many different names, without their suffix."""
    return list(dict.fromkeys([*SPECIAL, *drawn(many)]))[:many]
