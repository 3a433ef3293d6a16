"""The list of planted bugs keeps up with the house."""

from pathlib import Path

import pytest

from tests.planted.bug import Bug
from tests.planted.bugs import BUGS

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_planted_bug_has_its_place_and_tests_that_stand_against_it(bug: Bug) -> None:
    assert (ROOT / bug.file).read_text().count(bug.sound) == 1
    assert bug.sound != bug.spoilt
    assert bug.tests
    assert all((ROOT / test.split("::")[0]).is_file() for test in bug.tests)
