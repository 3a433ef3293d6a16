"""While a process imports, nobody looks for garbage; afterwards whoever looked before looks again."""

import gc
from collections.abc import Iterator

import pytest

from app.kernel.garbage import none_meanwhile


@pytest.fixture(params=[True, False], ids=["looked for", "not looked for"])
def before(request: pytest.FixtureRequest) -> Iterator[bool]:
    """Whether garbage is looked for; as it was again after the test."""
    is_looked_for = gc.isenabled()
    (gc.enable if request.param else gc.disable)()
    yield request.param
    (gc.enable if is_looked_for else gc.disable)()


def test_nobody_looks_for_garbage_among_what_is_imported(before: bool) -> None:
    with none_meanwhile():
        assert not gc.isenabled()
        imported: dict[str, list[str]] = {"names": []}
    assert gc.isenabled() is before
    assert all(each is not imported for each in gc.get_objects()), "later rounds pass it by"


def test_an_import_that_fails_leaves_it_as_it_was(before: bool) -> None:
    with pytest.raises(ModuleNotFoundError), none_meanwhile():
        raise ModuleNotFoundError
    assert gc.isenabled() is before
