"""The guard of the bays: what two motorists can never both have."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial

import pytest
from flask import Flask
from psycopg import Connection
from psycopg.errors import LockNotAvailable
from psycopg.rows import TupleRow
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import OperationalError

from app.domain.claims.actions import (
    LotFull,
    OutsideOpenHours,
    PlateBusy,
    cancel,
    enter,
    leave,
    lock_plate,
    promise,
    seat,
    take,
)
from app.domain.claims.actions.take import Free, free_bay
from app.domain.claims.models import BayClaim
from app.domain.claims.queries import claim_by_id, open_bays
from app.domain.claims.rules import CLAIM
from app.domain.lots.models import Bay, Lot
from app.domain.motorists.actions import remember_plate
from app.kernel import clock
from app.kernel.db import transaction
from app.kernel.refusals import Refusal
from app.kernel.spans import span
from tests.statements import errors
from tests.world import open_lot, shanghai, some_plate

RIVALS = 64
DEADLOCK = "40P01"


def hours(begin: datetime, first: float, last: float) -> Range[datetime]:
    return span(begin + timedelta(hours=first), begin + timedelta(hours=last))


def a_promise(lot: Lot, plate_id: int, during: Range[datetime]) -> BayClaim:
    return promise(lot.id, plate_id, during, during)


def some_plate_id() -> int:
    return remember_plate(some_plate())


def live_claims(lot: Lot) -> list[BayClaim]:
    with transaction() as session:
        of_lot = select(BayClaim).join(Bay, Bay.id == BayClaim.bay_id).where(Bay.lot_id == lot.id)
        return list(session.scalars(of_lot.where(BayClaim.state.in_(("held", "confirmed", "in_use")))))


def test_of_sixty_four_rivals_for_one_bay_exactly_one_wins_and_nobody_deadlocks(app: Flask, evening: datetime) -> None:
    lot = open_lot(bays=1)
    plates = [some_plate_id() for _ in range(RIVALS)]
    with errors() as met:
        outcomes = race(app, [partial(a_promise, lot, plate, hours(evening, 1, 2)) for plate in plates])
    assert sorted(outcomes) == sorted(["won"] + ["lot_full"] * (RIVALS - 1))
    assert len(live_claims(lot)) == 1
    assert DEADLOCK not in met


def test_a_bay_that_somebody_is_about_to_claim_is_locked(evening: datetime, admin: Connection[TupleRow]) -> None:
    lot = open_lot(bays=1)
    for wait in (False, True):
        with transaction():
            found = free_bay(lot.id, hours(evening, 1, 2), clock.now(), wait=wait)
            assert found is not None
            with pytest.raises(LockNotAvailable):
                admin.execute("SELECT FROM bay WHERE id = %s FOR NO KEY UPDATE NOWAIT", [found.bay_id])


def test_a_bay_that_a_rival_has_won_meanwhile_is_given_up_for_another(
    evening: datetime, admin: Connection[TupleRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    lot = open_lot(bays=2)
    won = a_promise(lot, some_plate_id(), hours(evening, 1, 2))
    seen: list[Free] = []

    def as_it_was_seen(lot_id: int, during: Range[datetime], now: datetime, *, wait: bool) -> Free | None:
        if seen:
            return free_bay(lot_id, during, now, wait=wait)
        claim_by_id(won.id)
        seen.append(Free(won.bay_id, during, was_held=False))
        return seen[0]

    monkeypatch.setattr(take, "free_bay", as_it_was_seen)
    with transaction():
        claim = a_promise(lot, some_plate_id(), hours(evening, 1, 2))
        assert claim.bay_id != won.bay_id
        admin.execute("SELECT FROM bay WHERE id = %s FOR NO KEY UPDATE NOWAIT", [won.bay_id])
        with pytest.raises(LockNotAvailable):
            admin.execute("SELECT FROM bay WHERE id = %s FOR NO KEY UPDATE NOWAIT", [claim.bay_id])


def test_a_database_that_is_lost_meanwhile_is_told_as_such(
    evening: datetime, admin: Connection[TupleRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    lot, plate_id = open_lot(bays=1), some_plate_id()

    def lost(lot_id: int, during: Range[datetime], now: datetime, *, wait: bool) -> Free | None:
        with transaction() as session:
            admin.execute("SELECT pg_terminate_backend(%s, 5000)", [session.scalar(select(func.pg_backend_pid()))])
        return free_bay(lot_id, during, now, wait=wait)

    monkeypatch.setattr(take, "free_bay", lost)
    with pytest.raises(OperationalError):
        a_promise(lot, plate_id, hours(evening, 1, 2))
    assert live_claims(lot) == []


def test_a_plate_that_is_about_to_claim_a_bay_is_locked(evening: datetime, admin: Connection[TupleRow]) -> None:
    plate_id = some_plate_id()
    with transaction():
        lock_plate(plate_id)
        with pytest.raises(LockNotAvailable):
            admin.execute("SELECT FROM plate WHERE id = %s FOR NO KEY UPDATE NOWAIT", [plate_id])


def test_a_lot_with_room_for_all_refuses_nobody(app: Flask, evening: datetime) -> None:
    lot = open_lot(bays=24)
    plates = [some_plate_id() for _ in range(24)]
    outcomes = race(app, [partial(a_promise, lot, plate, hours(evening, 1, 2)) for plate in plates])
    assert outcomes == ["won"] * 24


def test_one_plate_claimed_everywhere_at_once_gets_one_bay(app: Flask, evening: datetime) -> None:
    lots = [open_lot(bays=2) for _ in range(4)]
    plate = some_plate_id()
    outcomes = race(app, [partial(a_promise, lot, plate, hours(evening, 1, 2)) for lot in lots * 4])
    assert sorted(outcomes) == ["plate_already_claimed"] * 15 + ["won"]


def race(app: Flask, deeds: Sequence[Callable[[], object]]) -> list[str]:
    """All deeds at once, each in a thread and a session of its own; how each of them ended."""
    barrier = threading.Barrier(len(deeds))

    def run(deed: Callable[[], object]) -> str:
        with app.app_context():
            barrier.wait(20)
            try:
                deed()
            except Refusal as refusal:
                return refusal.code
        return "won"

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(run, deeds))


def test_spans_that_touch_do_not_overlap(evening: datetime) -> None:
    lot = open_lot(bays=1)
    first = a_promise(lot, some_plate_id(), hours(evening, 1, 2))
    second = a_promise(lot, some_plate_id(), hours(evening, 2, 3))
    assert first.bay_id == second.bay_id


def test_a_taken_bay_cannot_be_promised_and_leaves_nothing_behind(evening: datetime) -> None:
    lot = open_lot(bays=1)
    a_promise(lot, some_plate_id(), hours(evening, 1, 3))
    with pytest.raises(LotFull):
        a_promise(lot, some_plate_id(), hours(evening, 2, 4))
    assert len(live_claims(lot)) == 1


def test_a_promise_outside_the_open_windows_is_refused_by_the_table(evening: datetime) -> None:
    lot = open_lot()
    with pytest.raises(OutsideOpenHours):
        a_promise(lot, some_plate_id(), hours(evening, 11, 13))


def test_a_promise_may_last_until_the_very_end_of_the_window(evening: datetime) -> None:
    lot = open_lot()
    claim = a_promise(lot, some_plate_id(), hours(evening, 11, 12))
    assert claim.during.upper == shanghai("2026-06-11 08:00")


def test_a_plate_cannot_be_in_two_places(evening: datetime) -> None:
    plate = some_plate_id()
    a_promise(open_lot(), plate, hours(evening, 1, 2))
    with pytest.raises(PlateBusy):
        a_promise(open_lot(), plate, hours(evening, 1.5, 2.5))


def test_a_cancelled_promise_frees_the_bay(evening: datetime) -> None:
    lot = open_lot(bays=1)
    claim = a_promise(lot, some_plate_id(), hours(evening, 1, 2))
    with transaction():
        cancel(claim_by_id(claim.id), "test")
    assert a_promise(lot, some_plate_id(), hours(evening, 1, 2)).bay_id == claim.bay_id


def test_a_stale_hold_blocks_nobody_though_every_sweeper_stands_still(
    evening: datetime, at: Callable[[datetime], None]
) -> None:
    lot = open_lot(bays=1)
    hold = held(lot, hours(evening, 2, 3), until=evening + timedelta(minutes=10))
    with pytest.raises(LotFull):
        a_promise(lot, some_plate_id(), hours(evening, 2, 3))
    at(evening + timedelta(minutes=11))
    assert open_bays([lot.id], hours(evening, 2, 3), clock.now()) == {lot.id: 1}
    a_promise(lot, some_plate_id(), hours(evening, 2, 3))
    with transaction():
        assert claim_by_id(hold).state == "expired"


def held(lot: Lot, during: Range[datetime], until: datetime) -> int:
    """An offer that waits for a motorist's yes."""
    with transaction() as session:
        bay_id = session.scalar(select(func.min(Bay.id)).where(Bay.lot_id == lot.id))
        hold = BayClaim(
            bay_id=bay_id, plate_id=some_plate_id(), kind="reservation", during=during, state="held",
            hold_expires_at=until, admit_from=during.lower, admit_until=during.upper,
        )  # fmt: skip
        session.add(hold)
        CLAIM.born(hold, "test", "held")
        return hold.id


def test_a_walk_in_gets_the_bay_that_stays_free_longest(evening: datetime) -> None:
    lot = open_lot(bays=2)
    promised = a_promise(lot, some_plate_id(), hours(evening, 1, 2))
    seated = seat(lot.id, some_plate_id(), evening, evening + timedelta(hours=5))
    assert seated.bay_id != promised.bay_id
    assert seated.during.upper == evening + timedelta(hours=5)


def test_a_walk_in_before_a_promise_is_told_when_the_bay_is_needed(evening: datetime) -> None:
    lot = open_lot(bays=1)
    a_promise(lot, some_plate_id(), hours(evening, 1, 2))
    seated = seat(lot.id, some_plate_id(), evening, evening + timedelta(hours=5))
    assert seated.during.upper == evening + timedelta(hours=1)


def test_who_came_a_blink_earlier_does_not_get_the_bay_that_the_quicker_one_took(evening: datetime) -> None:
    lot, until = open_lot(bays=1), evening + timedelta(hours=5)
    seat(lot.id, some_plate_id(), evening + timedelta(seconds=1), until)
    with pytest.raises(LotFull):
        seat(lot.id, some_plate_id(), evening, until)


def test_a_clash_of_plates_never_turns_a_car_away(evening: datetime) -> None:
    plate = some_plate_id()
    a_promise(open_lot(), plate, hours(evening, 1, 2))
    seated = seat(open_lot().id, plate, evening, evening + timedelta(hours=5))
    assert seated.state == "in_use"
    assert not seated.exclusive_plate


def test_an_early_car_whose_bay_is_still_occupied_keeps_its_own_span(evening: datetime) -> None:
    lot = open_lot(bays=1)
    seat(lot.id, some_plate_id(), evening, evening + timedelta(hours=1))
    claim = a_promise(lot, some_plate_id(), hours(evening, 1, 2))
    with transaction():
        enter(claim_by_id(claim.id), evening + timedelta(minutes=50))
    with transaction():
        assert claim_by_id(claim.id).during == hours(evening, 1, 2)
        assert claim_by_id(claim.id).state == "in_use"


def test_a_bay_is_free_from_the_moment_the_car_left(evening: datetime) -> None:
    lot = open_lot(bays=1)
    seated = seat(lot.id, some_plate_id(), evening, evening + timedelta(hours=8))
    with transaction():
        leave(claim_by_id(seated.id), evening + timedelta(minutes=30))
    claim = a_promise(lot, some_plate_id(), hours(evening, 0.5, 2))
    assert claim.bay_id == seated.bay_id
