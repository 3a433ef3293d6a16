"""A folder of anchors: what it was given it holds whole, and what it could not take it says."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Barrier, Thread

import pytest

from app.adapters.anchors import FIRST, Anchor, AnchorsUnreadable, FolderAnchors

AT = datetime(2026, 6, 10, 20, tzinfo=UTC)
HALF = 40


def anchor(number: int, before: Anchor | None = None) -> Anchor:
    return Anchor(number, bytes([number]) * 32, number, AT, before.digest if before else FIRST)


@contextmanager
def room_for(bytes_: int) -> Iterator[None]:
    """No file may grow beyond this: what a full disk does, for one process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_where_there_is_no_room_for_a_whole_line_nothing_of_it_stays(place: FolderAnchors) -> None:
    first = anchor(1)
    place.append(first)
    before = place.file.read_bytes()
    with room_for(len(before) + HALF), pytest.raises(AnchorsUnreadable, match="File too large"):
        place.append(anchor(2, first))
    assert place.file.read_bytes() == before
    place.append(anchor(2, first))
    assert place.all() == [first, anchor(2, first)]


def test_what_a_crash_left_in_part_was_never_kept_and_is_cut_by_the_next(place: FolderAnchors) -> None:
    first = anchor(1)
    place.append(first)
    whole = place.file.read_bytes()
    place.file.write_bytes(whole + whole[:HALF])
    assert (place.last(), place.all()) == (first, [first])
    place.append(anchor(2, first))
    assert place.all() == [first, anchor(2, first)]


def test_a_first_line_that_was_torn_is_no_anchor(place: FolderAnchors) -> None:
    place.folder.mkdir()
    place.file.write_bytes(b'{"block":1,"ha')
    assert (place.last(), place.all()) == (None, [])
    place.append(anchor(1))
    assert place.all() == [anchor(1)]


def test_a_line_that_has_its_end_is_never_cut_whatever_it_says(place: FolderAnchors) -> None:
    place.folder.mkdir()
    place.file.write_bytes(b"no anchor\n")
    place.append(anchor(1))
    assert place.file.read_bytes().startswith(b"no anchor\n{")
    with pytest.raises(AnchorsUnreadable, match="line 1"):
        place.all()


def test_a_file_without_lines_is_left_alone(place: FolderAnchors) -> None:
    place.folder.mkdir()
    place.file.write_bytes(bytes(5_000))
    with pytest.raises(AnchorsUnreadable):
        place.append(anchor(1))
    assert place.file.read_bytes() == bytes(5_000)


def test_of_many_who_append_at_once_none_tears_anothers_line(place: FolderAnchors) -> None:
    ready = Barrier(8)

    def append(number: int) -> None:
        ready.wait()
        place.append(anchor(number))

    threads = [Thread(target=append, args=(number,)) for number in range(1, 9)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(each.block_no for each in place.all()) == list(range(1, 9))
