"""The list of mutants fits the repository. `python tests/mutants.py` tries them."""

import mutants
import pytest


def test_each_has_a_name_of_its_own():
    names = [m.name for m in mutants.read()]
    assert len(names) == len(set(names)) >= 56


@pytest.mark.parametrize("mutant", mutants.read(), ids=lambda m: m.name)
def test_what_it_changes_is_there_once(mutant):
    assert (mutants.ROOT / mutant.file).read_text(encoding="utf-8").count(mutant.right) == 1
    assert mutant.right != mutant.wrong
    assert (mutants.ROOT / mutant.tests.split()[0]).exists()


def test_the_page_shows_all_of_them_killed():
    page = mutants.PAGE.read_text(encoding="utf-8")
    assert page == mutants.render([(m, True) for m in mutants.read()]), "run python tests/mutants.py"
