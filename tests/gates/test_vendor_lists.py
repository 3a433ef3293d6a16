"""The rules by which a vendor's list is brought to what it should be."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.adapters.gates.words import ListRow as Held
from app.domain.gates.rules.lists import ListRow, wire_time
from app.domain.gates.rules.vendor_lists import LONGEST_PAUSE, UNTIL_IT_LEAVES, difference, is_level, pause, wanted

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
PLATES = st.sampled_from([f"浙A0000{number}" for number in range(5)])
HOURS = st.integers(0, 5)


def hour(number: int) -> datetime:
    return NOW + timedelta(hours=number)


def row(plate: str, begins: int, ends: int | None) -> ListRow:
    until = wire_time(None if ends is None else hour(ends))
    return ListRow(f"{plate}-{begins}", plate, "blue", wire_time(hour(begins)), until, "both")


HELD = st.builds(lambda plate, begins, more: Held(plate, hour(begins), hour(begins + more + 1)), PLATES, HOURS, HOURS)
LISTS = st.lists(HELD, unique_by=lambda held: held.plate).map(lambda rows: {held.plate: held for held in rows})


@given(LISTS, LISTS, st.sets(PLATES))
def test_carrying_out_the_difference_leaves_nothing_to_do_and_others_rows_alone(
    want: dict[str, Held], held: dict[str, Held], ours: set[str]
) -> None:
    change = difference(want, held, ours)
    after = {**held, **{each.plate: each for each in change.put}}
    for plate in change.drop:
        del after[plate]
    told = ours | {each.plate for each in change.put}
    assert not difference(want, after, told)
    assert {plate: each for plate, each in held.items() if plate not in ours}.items() <= after.items()
    conflicting = any(plate in held and plate not in ours for plate in want)
    assert conflicting or is_level(want, after, told)


@given(LISTS, LISTS, st.sets(PLATES))
def test_a_level_list_serves_every_promise_and_none_of_ours_that_is_over(
    want: dict[str, Held], held: dict[str, Held], ours: set[str]
) -> None:
    if is_level(want, held, ours):
        assert all(
            held[plate].begins_at <= each.begins_at and each.ends_at <= held[plate].ends_at
            for plate, each in want.items()
        )
        assert not {plate for plate in ours if plate in held} - set(want)


def test_of_two_promises_the_nearer_one_is_listed_and_touching_ones_are_one() -> None:
    apart = wanted([row("浙A1", 3, 4), row("浙A1", 1, 2)], NOW)
    assert apart == {"浙A1": Held("浙A1", hour(1), hour(2))}
    assert wanted([row("浙A1", 1, 2), row("浙A1", 2, 4)], NOW) == {"浙A1": Held("浙A1", hour(1), hour(4))}


def test_what_is_over_is_not_wanted_and_a_car_inside_is_for_a_long_time() -> None:
    assert wanted([row("浙A1", -3, 0)], NOW) == {}
    assert wanted([row("浙A1", 0, None)], NOW)["浙A1"].ends_at == NOW + UNTIL_IT_LEAVES


def test_a_list_that_will_not_take_our_rows_is_left_alone_longer_and_longer() -> None:
    assert pause(0) == pause(1) == timedelta()
    assert pause(2) < pause(5) < pause(50) == LONGEST_PAUSE
