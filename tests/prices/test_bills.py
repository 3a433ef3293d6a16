"""Each bill keeps both fees, every version they rest on, and the rule; it never asks for more than the smaller."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from app.domain.lots.models import Lot
from app.domain.pricing import actions as pricing
from app.domain.pricing.models import LotTariff, ReferenceVersion
from app.domain.search.queries import Asked, fresh, prices_for
from app.domain.stays.actions import open_payment
from app.domain.stays.models import Bill, BillBasis
from app.domain.stays.queries import bills_of
from app.kernel.db import transaction
from tests.ground import Run
from tests.prices.scene import DAY, HOUR, refusing
from tests.world import (
    bound,
    charge_by,
    driver,
    gate,
    hourly,
    open_own_lot,
    parked_stay,
    pay_to,
    payee,
    price_officers,
    reference,
    tariff,
)

At = Callable[[datetime], None]


def lot_at(fen: int, since: datetime, *around: ReferenceVersion) -> Lot:
    """A lot at so much an hour, bounded by these references."""
    lot = open_own_lot(4).lot
    bound(lot, *around)
    charge_by(lot, tariff(hourly(fen)), since)
    pay_to(lot, payee(), since)
    return lot


def billed(lot: Lot, hours: float, begins_at: datetime, at: At) -> Bill:
    """The bill of a stay that began at a moment and is asked about so many hours later."""
    at(begins_at)
    who = driver()
    stay = parked_stay(who, gate(lot))
    at(begins_at + hours * HOUR)
    open_payment(who.id, stay.key)
    return bills_of(stay.id)[0]


def basis(bill: Bill) -> list[tuple[bool, int]]:
    """Whether a part is the lot's own, and its fen."""
    with transaction() as session:
        rows = session.query(BillBasis).filter_by(bill_id=bill.id).order_by(BillBasis.place).all()
    return [(row.lot_tariff_id is not None, row.fen) for row in rows]


def test_a_bill_keeps_the_own_fee_every_references_fee_and_the_rule(evening: datetime, at: At) -> None:
    cheap, dear = reference(hourly(200), name="示例甲"), reference(hourly(500), name="示例乙")
    bill = billed(lot_at(300, evening - DAY, cheap, dear), 2, evening + HOUR, at)
    assert (bill.own_fen, bill.cap_fen, bill.cap_rule, bill.fee_fen) == (600, 400, "lowest", 400)
    assert basis(bill) == [(True, 600), (False, 400), (False, 1000)]
    told: list[Any] = bill.explanation
    assert {line.get("name") for line in told if line["of"] == "cap"} == {"示例甲", "示例乙"}
    assert sum(line["amount_fen"] for line in told if line["of"] == "own") == 600


def test_a_reference_without_a_price_for_the_stay_bounds_nothing(evening: datetime, at: At) -> None:
    by_day = {**hourly(100), "usable_window": {"from": "08:00", "to": "18:00"}}
    bill = billed(lot_at(300, evening - DAY, reference(by_day)), 1, evening + HOUR, at)
    assert (bill.cap_fen, bill.cap_rule, bill.fee_fen, basis(bill)) == (None, None, 300, [(True, 300)])


def test_the_rule_of_the_entry_is_on_the_bill(evening: datetime, at: At) -> None:
    lot = lot_at(900, evening - DAY, reference(hourly(200)), reference(hourly(501)))
    pricing.set_cap_rule(price_officers()[0], "average", "示例")
    bill = billed(lot, 0.5, evening + HOUR, at)
    assert (bill.own_fen, bill.cap_fen, bill.cap_rule) == (900, 350, "average")


def test_a_stay_that_runs_when_the_tariff_changes_keeps_that_of_its_entry(evening: datetime, at: At) -> None:
    lot = lot_at(300, evening - DAY)
    charge_by(lot, tariff(hourly(500)), evening + 3 * HOUR)
    bill = billed(lot, 4, evening + HOUR, at)
    assert basis(bill)[0] == (True, 4 * 300)
    later = billed(lot, 1, evening + 6 * HOUR, at)
    assert basis(later)[0] == (True, 500)


def test_a_stay_may_be_split_at_the_change_and_both_versions_are_on_the_bill(evening: datetime, at: At) -> None:
    lot = lot_at(300, evening - DAY)
    row = charge_by(lot, tariff(hourly(500)), evening + 3 * HOUR, "split")
    found = fresh().by_key(lot.key)
    assert found is not None
    promised = prices_for(Asked(evening + HOUR, evening + 5 * HOUR)).of(found).fee_fen
    bill = billed(lot, 4, evening + HOUR, at)
    assert [fen for is_own, fen in basis(bill) if is_own] == [2 * 300, 2 * 500]
    assert promised == bill.own_fen == 1600
    with transaction() as session:
        ids = [each.lot_tariff_id for each in session.query(BillBasis).filter_by(bill_id=bill.id) if each.lot_tariff_id]
        assert ids[1] == session.get_one(LotTariff, row.id).id


def test_a_split_stay_is_capped_as_a_whole(evening: datetime, at: At) -> None:
    lot = lot_at(300, evening - DAY, reference(hourly(350)))
    charge_by(lot, tariff(hourly(900)), evening + 3 * HOUR, "split")
    bill = billed(lot, 3.5, evening + HOUR, at)
    assert (bill.own_fen, bill.cap_fen, bill.fee_fen) == (600 + 1800, 4 * 350, 1400)


ANOTHER = """WITH made AS (
    INSERT INTO bill
        (key, stay_id, up_to, own_fen, cap_fen, cap_rule, fee_fen, amount_fen, explanation, payee_id, made_at)
    SELECT gen_random_uuid(), stay_id, up_to + interval '1 hour', {told}, 0, '[]', payee_id, now() FROM bill
    RETURNING id
) INSERT INTO bill_basis (bill_id, place, tariff_id, lot_tariff_id, reference_version_id, begins_at, ends_at, fen)
  SELECT made.id, place, tariff_id, lot_tariff_id, reference_version_id, begins_at, ends_at, fen
  FROM made, bill_basis WHERE {which}"""


@pytest.mark.parametrize(
    ("told", "which", "guard"),
    [
        ("600, 400, 'lowest', 600", "true", "a_fee_is_never_above_the_cap"),
        ("600, 500, 'lowest', 500", "true", "a_bill_adds_up"),
        ("600, NULL, NULL, 600", "true", "a_bill_adds_up"),
        ("700, 400, 'lowest', 400", "true", "a_bill_adds_up"),
        ("600, 400, 'highest', 400", "true", "a_bill_adds_up"),
        ("600, 400, 'average', 400", "true", "a_bill_adds_up"),
        ("600, 400, 'lowest', 400", "place <> 2", "a_bill_adds_up"),
        ("600, 400, 'lowest', 400", "false", "a_bill_adds_up"),
        ("600, 400, NULL, 400", "true", "a_cap_says_how_it_was_found"),
        ("600, 400, 'median', 400", "true", "a_cap_says_how_it_was_found"),
    ],
)
def test_no_bill_is_written_that_its_basis_does_not_add_up_to(
    evening: datetime, at: At, run: Run, told: str, which: str, guard: str
) -> None:
    around = (reference(hourly(200)), reference(hourly(500)))
    billed(lot_at(300, evening - DAY, *around), 1.5, evening + HOUR, at)
    assert refusing(run, ANOTHER.format(told=told, which=which)) == guard


def test_a_basis_is_the_very_lots(evening: datetime, at: At, run: Run) -> None:
    mine = billed(lot_at(300, evening - DAY, reference(hourly(200))), 1, evening + HOUR, at)
    other = lot_at(300, evening - DAY, reference(hourly(100)))
    add = """INSERT INTO bill_basis SELECT %s, 9, tariff_id, {}, now(), now(), 0 FROM {} WHERE {}"""
    own = add.format("id, NULL::bigint", "lot_tariff", "lot_id = %s")
    assert refusing(run, own, mine.id, other.id) == "a_bill_rests_on_its_own_lot"
    cheap = add.format("NULL::bigint, id", "reference_version", "id = (SELECT max(id) FROM reference_version)")
    assert refusing(run, cheap, mine.id) == "a_bill_rests_on_its_own_lot"


def test_a_basis_is_never_rewritten(evening: datetime, at: At, run: Run) -> None:
    bill = billed(lot_at(300, evening - DAY, reference(hourly(200))), 1, evening + HOUR, at)
    assert refusing(run, "UPDATE bill_basis SET fen = 0") == "InsufficientPrivilege"
    assert refusing(run, "UPDATE bill SET cap_rule = 'highest'") == "a_bill_says_the_same_for_ever"
    more = """INSERT INTO bill_basis SELECT bill_id, 9, tariff_id, lot_tariff_id, reference_version_id, begins_at,
              ends_at, 1 FROM bill_basis WHERE place = 1"""
    assert refusing(run, more) == "a_bill_adds_up"
    crossed = """INSERT INTO bill_basis SELECT %s, 9, tariff_id + 1, lot_tariff_id, reference_version_id, begins_at,
                 ends_at, 0 FROM bill_basis WHERE place = 1"""
    assert refusing(run, crossed, bill.id) == "a_bill_names_the_lots_own_version"
