"""Four people meet the tool; their screens are those in tests/visits."""

import re
import sys

import pytest
import screens
from screens import HERE

PEOPLE = {"artist": 8, "student": 5, "researcher": 10, "engineer": 10}


def compared(screen):
    """What is the same on every machine: the words. A bar is as long as its numbers leave room for."""
    screen = re.sub(r"[|\u2588-\u258f]+ *", "|", screen)
    screen = re.sub(r"^nst_jax \d\S*$", "nst_jax VERSION", screen)  # of the commits since the last tag
    screen = re.sub(r"/\S*/(?=site-packages)", "", screen)
    screen = re.sub(r"\d{4}(-\d\d){2}_\d\d(-\d\d){2}", "TIME", screen)
    screen = re.sub(r"-?\b\d[\d.,:]*(e[+-]?\d+)?", "0", screen)
    screen = re.sub(r"(0 (h|min) )+(?=0 s)", "", screen.replace("0s/step", "0step/s"))
    return re.sub(r"\s+", " ", screen).strip()


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    return screens.environment(tmp_path_factory.mktemp("environment"))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the commands are those of a Linux shell")
@pytest.mark.parametrize("person", PEOPLE)
def test_the_screens_are_the_kept_ones(person, programs, tmp_path):
    _, kept = screens.read(HERE / f"{person}.txt")
    assert len(kept) == PEOPLE[person]
    for was, now in zip(kept, screens.visit(kept, programs, tmp_path), strict=True):
        assert now.code == was.code, f"{was.command}\n{now.screen}"
        assert compared(now.screen) == compared(was.screen), was.command


def test_no_screen_is_a_traceback():
    """But of what a user's own Python raises."""
    for person in PEOPLE:
        for scene in screens.read(HERE / f"{person}.txt")[1]:
            assert scene.command.startswith("python lesson.py") or "Traceback" not in scene.screen


def test_a_screen_is_what_is_left_of_what_was_written():
    assert screens.render("a bar 1/2\ra bar 2/2\nbelow\x1b[A\rabove\n\nend") == "above 2/2\nbelow\nend"
    assert screens.render("long line\rshort\x1b[K\n") == "short"
