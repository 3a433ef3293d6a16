"""Stories are told in the order of their moments, however they are entwined."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from demo.clock import at
from demo.patience import DemoFailed, awaited, insist_equal
from demo.play import Story, play


def story(told: list[str], name: str, *minutes: int) -> Iterator[datetime]:
    told.append(f"{name} begins")
    for minute in minutes:
        yield at(20, minute)
        told.append(f"{name} at {minute}")


def told_by(*stories: tuple[str, tuple[int, ...]]) -> tuple[list[str], list[datetime]]:
    told: list[str] = []
    moves: list[datetime] = []
    tellable: dict[str, Story] = {name: story(told, name, *minutes) for name, minutes in stories}
    play(tellable, at(19, 0), moves.append)
    return told, moves


def test_who_goes_on_earliest_is_next() -> None:
    told, _ = told_by(("a", (10, 40)), ("b", (20, 30)))
    assert told == ["a begins", "b begins", "a at 10", "b at 20", "b at 30", "a at 40"]


def test_at_the_same_moment_the_first_story_goes_first() -> None:
    told, _ = told_by(("a", (10,)), ("b", (10,)), ("c", ()))
    assert told == ["a begins", "b begins", "c begins", "a at 10", "b at 10"]


def test_the_clock_never_goes_back() -> None:
    _, moves = told_by(("a", (10, 40)), ("b", (20, 30)))
    assert moves == sorted(moves)
    assert moves[-1] == at(20, 40)


def test_a_story_that_fails_ends_the_play_by_its_name() -> None:
    def failing() -> Story:
        yield at(20, 0)
        insist_equal("the fee in fen", 900, 800)

    with pytest.raises(DemoFailed, match="enterprise: the fee in fen: 900 instead of 800"):
        play({"enterprise": failing()}, at(19, 0), lambda _: None)


def test_waiting_ends_with_what_was_seen_or_says_what_it_waited_for() -> None:
    looks = iter([None, 0, "seen"])
    assert awaited("a third look", lambda: next(looks)) == "seen"
    with pytest.raises(DemoFailed, match=r"waited 0 s in vain: the impossible"):
        awaited("the impossible", lambda: None, 0)


def test_the_evening_is_the_same_whatever_today_is() -> None:
    assert at(18, 40).isoformat() == "2026-06-10T18:40:00+08:00"
    assert at(21, 10) - at(18, 40) == timedelta(hours=2, minutes=30)
