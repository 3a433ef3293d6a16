"""The board tells what the tables tell: after any changes, after late commits, and at once after a closure."""

import random
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import select, text

from app.domain.claims import actions as claims
from app.domain.claims.models import BayClaim
from app.domain.claims.queries import promises_in
from app.domain.lots.actions import exclude
from app.domain.lots.models import Bay, Lot
from app.domain.lots.rules import LOT
from app.domain.motorists.models import Vehicle
from app.domain.search.actions import forget_old_changes
from app.domain.search.queries.keeping import Age, Keeper
from app.domain.search.rules.board import Board
from app.domain.units.models import Unit
from app.kernel.db import transaction
from app.kernel.refusals import Refusal
from app.kernel.spans import span
from tests.ground import Addresses
from tests.world import driver, open_lot, staff

HOUR = timedelta(hours=1)
PATIENT = Age(3_600)
"""A search that takes claims as old as an hour."""
KINDS = ("standard", "charging", "accessible", "large")

BRUTE_FORCE = text("""
SELECT count(*) FROM bay JOIN lot ON lot.id = bay.lot_id
WHERE lot.id = :lot AND lot.state = 'open' AND bay.shared AND bay.kind = :kind
  AND EXISTS (SELECT FROM open_window w WHERE w.lot_id = lot.id AND w.during @> tstzrange(:begins, :ends))
  AND NOT EXISTS (SELECT FROM lot_closure c WHERE c.lot_id = lot.id AND c.during && tstzrange(:begins, :ends))
  AND NOT EXISTS (SELECT FROM bay_closure c WHERE c.bay_id = bay.id AND c.during && tstzrange(:begins, :ends))
  AND NOT EXISTS (
      SELECT FROM bay_claim c WHERE c.bay_id = bay.id AND c.during && tstzrange(:begins, :ends)
      AND c.state IN ('held', 'confirmed', 'in_use'))
""")


def counted(lot: Lot, kind: str, begins_at: datetime, ends_at: datetime) -> int:
    with transaction() as session:
        told = {"lot": lot.id, "kind": kind, "begins": begins_at, "ends": ends_at}
        return session.scalars(BRUTE_FORCE, told).one()  # type: ignore[no-any-return]


def free(board: Board, lot: Lot, begins_at: datetime, ends_at: datetime, kinds: tuple[str, ...] = KINDS) -> int:
    known = board.by_key(lot.key)
    if known is None:
        return 0
    by_kind = known.gaps.kinds.counts(known.free(begins_at, ends_at))
    return sum(by_kind.get(kind, 0) for kind in kinds)


def some_span(chance: random.Random, evening: datetime) -> tuple[datetime, datetime]:
    begins_at = evening + chance.randrange(1, 60) * timedelta(minutes=30)
    return begins_at, begins_at + chance.randrange(1, 8) * timedelta(minutes=30)


def something_happens(chance: random.Random, city: list[Lot], plates: list[int], evening: datetime) -> None:
    """A promise, a cancellation, a suspension, a reopening, or a bay that gets another kind or is shared no longer."""
    lot = chance.choice(city)
    with suppress(Refusal):  # a full or shut lot promises nothing: then nothing has happened
        chance.choice([promised, promised, promised, cancelled, moved, refitted])(chance, lot, plates, evening)


def promised(chance: random.Random, lot: Lot, plates: list[int], evening: datetime) -> None:
    begins_at, ends_at = some_span(chance, evening)
    claims.promise(lot.id, chance.choice(plates), span(begins_at, ends_at), span(begins_at, ends_at))


def cancelled(chance: random.Random, lot: Lot, _plates: list[int], _evening: datetime) -> None:
    with transaction() as session:
        of_lot = select(BayClaim).join(Bay).where(Bay.lot_id == lot.id, BayClaim.state == "confirmed")
        found = session.scalars(of_lot.order_by(BayClaim.id)).all()
        if found:
            claims.cancel(chance.choice(found), "test")


def moved(_chance: random.Random, lot: Lot, _plates: list[int], _evening: datetime) -> None:
    """No lot is suspended with promises: they are taken back by the same transaction."""
    with transaction() as session:
        row = session.get_one(Lot, lot.id)
        LOT.move(row, "suspend" if row.state == "open" else "reopen", "test")
        for claim in promises_in(lot.id) if row.state == "suspended" else ():
            claims.cancel(claim, "test")


def refitted(chance: random.Random, lot: Lot, _plates: list[int], _evening: datetime) -> None:
    with transaction() as session:
        bay = chance.choice(session.scalars(select(Bay).where(Bay.lot_id == lot.id).order_by(Bay.id)).all())
        bay.kind = chance.choice(KINDS)


@pytest.mark.parametrize("seed", range(3))
def test_free_bays_equal_a_count_in_the_tables_whatever_happened(evening: datetime, seed: int) -> None:
    chance, keeper = random.Random(seed), Keeper()
    city, plates = [open_lot(3) for _ in range(3)], [plate_of(driver().id) for _ in range(6)]
    for _ in range(25):
        something_happens(chance, city, plates, evening)
        board = keeper.fresh()
        lot, kind, (begins_at, ends_at) = chance.choice(city), chance.choice(KINDS), some_span(chance, evening)
        assert free(board, lot, begins_at, ends_at, (kind,)) == counted(lot, kind, begins_at, ends_at)


def plate_of(motorist_id: int) -> int:
    with transaction() as session:
        return session.scalars(select(Vehicle.plate_id).where(Vehicle.motorist_id == motorist_id)).one()


@pytest.fixture
def slow(database: Addresses) -> Any:
    """A connection whose transaction takes its time."""
    with psycopg.connect(database.admin) as connection:
        yield connection


def test_a_commit_that_comes_late_is_not_missed(evening: datetime, slow: psycopg.Connection[Any]) -> None:
    early, other, keeper = open_lot(2), open_lot(2), Keeper()
    keeper.fresh()
    slow.execute("UPDATE bay SET kind = 'large' WHERE lot_id = %s", (early.id,))
    for _ in range(2):
        take_a_bay(other, evening)
        assert free(keeper.fresh(), early, evening, evening + HOUR, ("large",)) == 0, "nothing is committed yet"
    slow.commit()
    assert free(keeper.fresh(), early, evening, evening + HOUR, ("large",)) == 2


def take_a_bay(lot: Lot, begins_at: datetime) -> BayClaim:
    during = span(begins_at + HOUR, begins_at + HOUR + timedelta(minutes=1))
    return claims.promise(lot.id, plate_of(driver().id), during, during)


def test_a_pressing_commit_that_comes_late_is_seen_by_a_patient_search(
    evening: datetime, slow: psycopg.Connection[Any]
) -> None:
    early, other, keeper = open_lot(2), open_lot(2), Keeper()
    keeper.fresh()
    slow.execute("UPDATE bay SET kind = 'large' WHERE lot_id = %s", (early.id,))
    moved(random.Random(), other, [], evening)
    assert free(keeper.fresh(PATIENT), other, evening, evening + HOUR) == 0
    slow.commit()
    assert free(keeper.fresh(PATIENT), early, evening, evening + HOUR, ("large",)) == 2


def test_a_suspended_lot_takes_nobody_in_the_next_search_of_any_process(evening: datetime) -> None:
    lot, processes = open_lot(2), (Keeper(), Keeper())
    assert [free(each.fresh(PATIENT), lot, evening, evening + HOUR) for each in processes] == [2, 2]
    moved(random.Random(), lot, [], evening)
    assert [free(each.fresh(PATIENT), lot, evening, evening + HOUR) for each in processes] == [0, 0]


def test_a_claim_is_seen_as_soon_as_the_search_insists_and_no_sooner_asks_for_the_city(evening: datetime) -> None:
    lot, keeper = open_lot(2), Keeper()
    keeper.fresh(PATIENT)
    looked = keeper.looked
    take_a_bay(lot, evening)
    keeper.fresh(PATIENT)
    assert keeper.looked == looked, "a claim presses nobody: reserving asks again"
    assert free(keeper.fresh(), lot, evening + HOUR, evening + 2 * HOUR) == 1


def test_a_secret_unit_is_gone_from_the_next_search(evening: datetime) -> None:
    lot, keeper = open_lot(2), Keeper()
    assert keeper.fresh(PATIENT).by_key(lot.key)
    with transaction() as session:
        unit_key = session.get_one(Unit, lot.unit_id).key
    exclude(staff("regulator"), unit_key, "secret", "示例", "示例")
    board = keeper.fresh(PATIENT)
    assert board.by_key(lot.key) is None
    assert not board.speaking_of("示例", lot.latitude, lot.longitude, 20)
    assert not board.nearest(lot.latitude, lot.longitude, 2_000, None, 20)


def test_a_change_is_kept_for_ten_minutes(evening: datetime, admin: psycopg.Connection[Any]) -> None:
    open_lot(1)
    forget_old_changes()
    kept = count_of(admin)
    admin.execute("UPDATE lot_change SET at = at - interval '11 minutes' WHERE id = (SELECT min(id) FROM lot_change)")
    assert (forget_old_changes(), count_of(admin)) == (1, kept - 1)


def count_of(admin: psycopg.Connection[Any]) -> int:
    row = admin.execute("SELECT count(*) FROM lot_change").fetchone()
    assert row is not None
    return int(row[0])


def test_one_search_looks_early_and_those_beside_it_need_not_wait(evening: datetime) -> None:
    lot, keeper = open_lot(2), Keeper()
    keeper.fresh()
    take_a_bay(lot, evening)
    with keeper.alone:
        assert free(keeper.fresh(aged(keeper)), lot, evening + HOUR, evening + 2 * HOUR) == 2, "somebody else looks"
    assert free(keeper.fresh(aged(keeper)), lot, evening + HOUR, evening + 2 * HOUR) == 1


def aged(keeper: Keeper) -> Age:
    """What a search accepts that came as the board was last held against the tables, when claims were half as old."""
    keeper.looked = keeper.asked - 6
    return Age(10, keeper.asked)


def test_an_answer_about_another_look_does_not_make_a_board_fresh(evening: datetime) -> None:
    open_lot(1)
    keeper = Keeper()
    keeper.fresh()
    asked = keeper.asked
    keeper.note(asked + 1, keeper.seen - 1, keeper.pressing)
    keeper.note(asked + 1, keeper.seen, keeper.pressing + 1)
    assert keeper.asked == asked
    keeper.note(asked + 1, keeper.seen, keeper.pressing)
    keeper.note(asked, keeper.seen, keeper.pressing)
    assert keeper.asked == asked + 1, "and an older answer makes it no older"
