"""Whenever something around a price changes it is proved again; who does not pass is a task, and bills are capped."""

from datetime import datetime
from typing import Any

import psycopg
import pytest

from app.domain.calendars.actions import load_year
from app.domain.calendars.queries import days_of, version_in_force
from app.domain.calendars.rules import Status
from app.domain.pricing import actions as pricing
from app.domain.pricing.queries import fee_of_span
from app.domain.pricing.queries.flow import standings
from app.domain.pricing.rules.proofs import Proof, prove
from app.jobs.handlers import HANDLERS
from app.jobs.sweepers import sweepers
from app.kernel import clock
from tests.conftest import MovableClock
from tests.prices.scene import DAY, HOUR, bounded_lot, open_tasks, proved, published
from tests.world import OwnLot, bound, charge_by, hourly, open_own_lot, price_officers, reference, staff, tariff

ABOVE = "price_above_cap"


@pytest.fixture
def own(evening: datetime) -> OwnLot:
    """A lot at 3 yuan an hour, bounded at 6."""
    lot = bounded_lot(600)
    published(lot, 300)
    assert pricing.prove_outdated() == 0
    return lot


def jobs(admin: psycopg.Connection[Any]) -> int:
    row = admin.execute("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'pricing.prove_outdated'").fetchone()
    assert row is not None
    return int(row[0])


def test_a_cheaper_reference_makes_a_task_with_the_counterexample_and_caps_the_bill(own: OwnLot) -> None:
    bound(own.lot, reference(hourly(200)))
    HANDLERS["pricing.prove_outdated"]()
    task = open_tasks(ABOVE)[0]
    assert (task.subject, task.subject_id, task.unit_id) == ("lot", own.lot.id, own.lot.unit_id)
    assert task.detail["own_fen"] > task.detail["cap_fen"]
    assert [each.lot_key for each in standings(own.by, failing=True)] == [own.key]
    now = clock.now()
    fee = fee_of_span(own.lot.id, now, now + HOUR, "small")
    assert (fee.own_fen, fee.cap_fen, fee.fee_fen) == (300, 200, 200)


def test_the_task_is_settled_when_the_price_passes_again(own: OwnLot) -> None:
    bound(own.lot, reference(hourly(200)))
    pricing.prove_outdated()
    published(own, 200)
    bound(own.lot, reference(hourly(250)))
    pricing.prove_outdated()
    assert open_tasks(ABOVE) == []


def test_publishing_a_price_that_passes_settles_the_task(own: OwnLot) -> None:
    bound(own.lot, reference(hourly(200)))
    pricing.prove_outdated()
    published(own, 200)
    assert open_tasks(ABOVE) == []


def test_stays_that_lose_their_cap_are_a_task_until_they_have_one_or_a_reason(own: OwnLot) -> None:
    kind, only_a_day = "price_partly_unbounded", {**hourly(600), "longest_stay_min": 1440}
    bound(own.lot, reference(only_a_day))
    pricing.prove_outdated()
    assert [each.subject_id for each in open_tasks(kind)] == [own.lot.id]
    bound(own.lot, reference(hourly(600)))
    pricing.prove_outdated()
    assert open_tasks(kind) == []
    bound(own.lot, reference(only_a_day))
    pricing.prove_outdated()
    pricing.publish_price(price_officers()[0], proved(own, 200).key, unbounded_because="示例")
    assert (open_tasks(kind), pricing.prove_outdated()) == ([], 0)


def test_a_change_asks_for_a_proof_in_its_own_transaction(own: OwnLot, admin: psycopg.Connection[Any]) -> None:
    before = jobs(admin)
    bound(own.lot, reference(hourly(700)))
    pricing.set_cap_rule(price_officers()[0], "highest", "示例")
    assert jobs(admin) == before + 3


def test_a_new_calendar_asks_for_a_proof(own: OwnLot, admin: psycopg.Connection[Any]) -> None:
    known = version_in_force(2026)
    assert known is not None
    before = jobs(admin)
    load_year(
        staff("administrator"), 2026, days_of(known), status=Status.OFFICIAL, source_doc="示例更正",
        on_loaded="pricing.prove_outdated",
    )  # fmt: skip
    assert jobs(admin) == before + 1
    assert pricing.prove_outdated() == 1
    assert pricing.prove_outdated() == 0


def test_a_reference_that_ends_by_the_calendar_is_found_by_the_sweeper(evening: datetime, clock: MovableClock) -> None:
    lot = open_own_lot()
    bound(lot.lot, reference(hourly(300), until=evening + DAY), reference(hourly(600)))
    published(lot, 300)
    clock.move_to(evening + 2 * DAY)
    sweep = next(each.sweep for each in sweepers() if each.name == "cap_proofs")
    assert (sweep(), sweep(), open_tasks(ABOVE)) == (1, 0, [])


def test_a_lot_that_lost_its_references_is_a_task(evening: datetime, clock: MovableClock) -> None:
    lot = open_own_lot()
    bound(lot.lot, reference(hourly(600), until=evening + DAY))
    published(lot, 300)
    clock.move_to(evening + 2 * DAY)
    assert pricing.prove_outdated() == 0
    assert [each.subject_id for each in open_tasks("price_without_references")] == [lot.lot.id]
    bound(lot.lot, reference(hourly(600)))
    assert pricing.prove_outdated() == 1
    assert open_tasks("price_without_references") == []


def test_equal_tariffs_are_reckoned_once_for_all_lots(own: OwnLot, monkeypatch: pytest.MonkeyPatch) -> None:
    parameters, around = hourly(300), reference(hourly(400))
    stored = tariff(parameters)
    lots = [open_own_lot() for _ in range(2)]
    for each in lots:
        bound(each.lot, around)
        charge_by(each.lot, stored, clock.now())
    calls: list[int] = []

    def counted(*told: Any) -> Proof:
        calls.append(1)
        return prove(*told)

    monkeypatch.setattr("app.domain.pricing.actions.prove.prove", counted)
    assert (pricing.prove_outdated(), len(calls)) == (2, 1)
