"""A lot's price from draft over proof to publication: two people, one proof of exactly this, notice to motorists."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import pytest
from flask import Flask

from app.domain.calendars.actions import load
from app.domain.calendars.queries import days_of, version_in_force
from app.domain.calendars.rules import Status
from app.domain.policies.actions import lay_down
from app.domain.pricing import actions as pricing
from app.domain.pricing.models import LotPrice, TariffVersion
from app.domain.pricing.queries.flow import lot_prices, price_sheet, standings
from app.domain.pricing.queries.register import references
from app.domain.staff.actions import grant
from app.domain.staff.models import StaffAccount
from app.domain.staff.policy import Role
from app.domain.staff.queries import actor_of
from app.domain.staff.rules import Actor, NotPermitted, Scope, ScopeKind
from app.kernel import clock
from app.kernel.db import transaction
from app.kernel.refusals import NotFound
from app.kernel.spans import span
from app.kernel.states import WrongState
from app.kernel.terms import ChangeOutOfOrder
from tests.ground import Run
from tests.prices.scene import (
    DAY,
    HOUR,
    bounded_lot,
    charged,
    drafted,
    proved,
    published,
    refusing,
    tariff_of,
)
from tests.races import at_once
from tests.world import OwnLot, bound, hourly, open_own_lot, paper, price_officers, reference, shanghai, staff, tariff

pytestmark = pytest.mark.usefixtures("evening")


def state(price: LotPrice, own: OwnLot) -> str:
    return next(each.state for each in lot_prices(own.by, own.key) if each.key == price.key)


def steps(price: LotPrice, own: OwnLot) -> list[str]:
    return [step.event for step in price_sheet(own.by, price.key).steps]


def test_a_unit_drafts_an_officer_proves_and_publishes_and_the_first_price_holds_at_once() -> None:
    own = bounded_lot(600)
    price = published(own, 300)
    assert (state(price, own), steps(price, own)) == ("published", ["draft", "prove", "publish"])
    assert [(row.price_id, row.running, row.valid.upper) for row in charged(own)] == [(price.id, "entry", None)]
    standing = standings(own.by)[0]
    assert (standing.tariff, standing.proof_holds) == ("示例300分每小时", True)
    sheet = price_sheet(own.by, price.key)
    assert sheet.price.notice is not None
    assert "3元/小时" in sheet.price.notice


def test_a_price_above_the_cap_is_refused_with_the_stay_that_shows_it() -> None:
    own = bounded_lot(300)
    price = drafted(own, 301)
    proof = pricing.prove_price(price_officers()[0], price.key)
    case = proof.result["counterexample"]
    assert (proof.holds, case["own_fen"] - case["cap_fen"]) == (False, case["excess_fen"])
    assert case["excess_fen"] > 0
    assert "超出" in proof.explanation
    assert (state(price, own), steps(price, own)) == ("failed", ["draft", "fail"])
    with pytest.raises(pricing.PriceAboveCap):
        pricing.publish_price(price_officers()[0], price.key)
    assert charged(own) == []


def test_equal_to_the_reference_is_not_above_it() -> None:
    assert published(bounded_lot(300), 300).state == "published"


def test_a_failed_price_passes_when_the_references_allow_it() -> None:
    own = bounded_lot(300)
    price = proved(own, 400)
    bound(own.lot, reference(hourly(500)))
    assert pricing.prove_price(price_officers()[0], price.key).holds
    assert pricing.publish_price(price_officers()[0], price.key).state == "published"


def partly_bounded_lot() -> OwnLot:
    """Its only reference takes nobody for longer than a day."""
    own = open_own_lot()
    bound(own.lot, reference({**hourly(600), "longest_stay_min": 1440}))
    return own


def test_stays_without_a_cap_are_published_with_a_reason_alone() -> None:
    own, officer = partly_bounded_lot(), price_officers()[0]
    price = proved(own, 300)
    with pytest.raises(pricing.StaysUnbounded):
        pricing.publish_price(officer, price.key)
    made = pricing.publish_price(officer, price.key, unbounded_because=" 周边无过夜停车 ")
    assert made.unbounded_because == price_sheet(own.by, price.key).price.unbounded_because == "周边无过夜停车"


def test_where_each_stay_has_its_cap_there_is_nothing_to_give_reasons_for() -> None:
    with pytest.raises(pricing.NothingUnbounded):
        pricing.publish_price(price_officers()[0], proved(bounded_lot(), 300).key, unbounded_because="示例")


def test_the_tables_want_a_reason_where_stays_have_no_cap_and_none_elsewhere(run: Run) -> None:
    price = proved(partly_bounded_lot(), 300)
    other, said = price_officers()[1].account_id, PUBLISH.format(notice="'x'")
    assert refusing(run, said, other) == "a_price_says_why_stays_are_unbounded"
    needless = f"{said}, unbounded_because = 'x' WHERE id = {proved(bounded_lot(), 301).id}"
    assert refusing(run, needless, other) == "a_price_says_why_stays_are_unbounded"
    reason = "UPDATE lot_price SET unbounded_because = '示例' WHERE id = %s"
    assert refusing(run, reason, price.id) == "only_a_published_price_leaves_stays_unbounded"


def test_without_approved_references_only_nothing_may_be_charged() -> None:
    own = open_own_lot()
    price = drafted(own, 1)
    with pytest.raises(pricing.ReferencesMissing):
        pricing.prove_price(price_officers()[0], price.key)
    pricing.withdraw_price(own.by, price.key, "改为免费")
    assert published(own, 0).state == "published"


def test_a_unit_of_public_money_publishes_nothing_as_its_price_and_waives_nothing() -> None:
    own = open_own_lot(kind="organ")
    published(own, 0)
    assert [row.tariff_id for row in charged(own)]
    assert standings(own.by)[0].proof_holds


def test_a_reference_that_is_over_bounds_nothing_more(evening: datetime) -> None:
    own = open_own_lot()
    bound(own.lot, reference(hourly(600), until=evening + DAY))
    price = drafted(own, 300, wanted_from=evening + 2 * DAY)
    with pytest.raises(pricing.ReferencesMissing):
        pricing.prove_price(price_officers()[0], price.key)


def test_who_may_do_what() -> None:
    own = bounded_lot()
    officer, stranger = price_officers()[0], staff("unit", unit_id=open_own_lot().lot.unit_id)
    with pytest.raises(NotPermitted):
        pricing.draft_price(officer, own.key, tariff_of(300))
    with pytest.raises(NotFound):
        pricing.draft_price(stranger, own.key, tariff_of(300))
    price = drafted(own)
    for deed in (pricing.prove_price, pricing.publish_price):
        with pytest.raises(NotPermitted):
            deed(own.by, price.key)
        with pytest.raises(NotFound):
            deed(staff("price_officer", district_code="330102"), price.key)
    with pytest.raises(WrongState):
        pricing.publish_price(officer, price.key)


def test_one_price_is_in_the_making_and_may_be_withdrawn_with_a_reason() -> None:
    own = bounded_lot()
    price = drafted(own)
    with pytest.raises(pricing.PriceInTheMaking):
        drafted(own, 200)
    with pytest.raises(pricing.WhyMissing):
        pricing.withdraw_price(own.by, price.key, " ")
    pricing.withdraw_price(own.by, price.key, "重新测算")
    for deed in (pricing.prove_price, pricing.publish_price):
        with pytest.raises(WrongState):
            deed(price_officers()[0], price.key)
    assert drafted(own, 200).version == 2


def test_nobody_publishes_his_own_price() -> None:
    own = bounded_lot()
    both = staff("unit", unit_id=own.lot.unit_id)
    price = pricing.draft_price(both, own.key, tariff_of(300))
    pricing.prove_price(price_officers()[0], price.key)
    mine = staff_too(both.account_id)
    with pytest.raises(pricing.OwnPrice):
        pricing.publish_price(mine, price.key)


def staff_too(account_id: int) -> Actor:
    """The same person as a price officer besides."""
    with transaction() as session:
        key = session.get_one(StaffAccount, account_id).key
    grant(staff("administrator"), key, Role.PRICE_OFFICER, Scope(ScopeKind.CITY))
    return actor_of(account_id)


def test_a_dearer_price_is_announced_a_week_ahead(evening: datetime) -> None:
    own = bounded_lot(600)
    published(own, 300)
    price = proved(own, 400)
    with pytest.raises(pricing.NoticeTooShort):
        pricing.publish_price(price_officers()[0], price.key, clock.now() + 6 * DAY)
    made = pricing.publish_price(price_officers()[0], price.key, notice="示例公告")
    assert made.effective_from is not None
    assert timedelta() <= made.effective_from - evening - 7 * DAY < HOUR
    assert (made.needs_no_notice, made.notice_days, made.notice) == (None, 7, "示例公告")
    assert [row.valid.upper for row in charged(own)] == [made.effective_from, None]


def test_the_days_of_notice_are_the_citys_number() -> None:
    lay_down("tariff_notice_days", 30, clock.now(), "test")
    own = bounded_lot(600)
    published(own, 300)
    price = proved(own, 400)
    with pytest.raises(pricing.NoticeTooShort) as refusal:
        pricing.publish_price(price_officers()[0], price.key, clock.now() + 29 * DAY)
    assert refusal.value.details == {"days": 30}


def test_a_lower_price_may_hold_at_once() -> None:
    own = bounded_lot(600)
    published(own, 300)
    made = published(own, 200)
    assert (made.needs_no_notice, made.effective_from) == ("lower", made.published_at)
    assert published(own, 0).needs_no_notice == "lower"


def test_a_price_that_is_lower_only_mostly_is_announced() -> None:
    own = bounded_lot(600)
    published(own, 300)
    with pytest.raises(pricing.NoticeTooShort):
        pricing.publish_price(price_officers()[0], proved(own, 301).key, clock.now() + HOUR)


def test_a_price_never_holds_from_the_past_nor_before_one_that_is_published(evening: datetime) -> None:
    own = bounded_lot(600)
    price = proved(own, 300)
    with pytest.raises(pricing.HoldsFromThePast):
        pricing.publish_price(price_officers()[0], price.key, evening - DAY)
    pricing.publish_price(price_officers()[0], price.key, clock.now() + 20 * DAY)
    with pytest.raises(ChangeOutOfOrder):
        pricing.publish_price(price_officers()[0], proved(own, 200).key, clock.now() + 10 * DAY)


def test_it_holds_from_when_the_unit_wished_when_that_is_late_enough(evening: datetime) -> None:
    own = bounded_lot(600)
    wish = evening + 20 * DAY
    assert published(own, 300, wanted_from=wish).effective_from == wish


@pytest.mark.parametrize("what", ["references", "reference tariff", "rule", "calendar"])
def test_a_proof_of_anything_else_publishes_nothing(what: str) -> None:
    own = open_own_lot()
    versions = [reference(hourly(600), name="示例参照甲"), reference(hourly(700))]
    bound(own.lot, *versions)
    price = proved(own, 300)
    change(what, own)
    with pytest.raises(pricing.ProofOutdated):
        pricing.publish_price(price_officers()[0], price.key)
    pricing.prove_price(price_officers()[0], price.key)
    assert pricing.publish_price(price_officers()[0], price.key).state == "published"


def change(what: str, own: OwnLot) -> None:
    one, other = price_officers()
    if what == "references":
        bound(own.lot, reference(hourly(800)))
    elif what == "rule":
        pricing.set_cap_rule(one, "highest", "示例")
    elif what == "calendar":
        known = version_in_force(2026)
        assert known is not None
        load(2026, days_of(known), status=Status.OFFICIAL, source_doc="示例更正")
    else:
        valid = span(shanghai("2026-06-01 00:00"), None)
        told = pricing.NewReference("", "新批复", tariff(hourly(900)), valid, (30.25, 120.15))
        key = references(one, name="示例参照甲")[0].reference
        pricing.approve_reference(other, pricing.change_reference(one, key, told, paper()).key)


def test_of_two_who_publish_at_once_one_has_an_effect(app: Flask) -> None:
    own = bounded_lot()
    price = proved(own)
    deeds = [partial(pricing.publish_price, by, price.key) for by in price_officers()]
    assert at_once(app, *deeds) == ["WrongState", "done"]
    assert len(charged(own)) == 1


def test_a_price_is_published_or_withdrawn_never_both(app: Flask) -> None:
    own = bounded_lot()
    price = proved(own)
    publish = partial(pricing.publish_price, price_officers()[0], price.key)
    assert at_once(app, publish, lambda: pricing.withdraw_price(own.by, price.key, "示例")) == ["WrongState", "done"]


def test_of_two_drafts_at_once_one_stands(app: Flask) -> None:
    own = bounded_lot()
    key = pricing.store_tariff("示例", "示例", hourly(300), "test").key
    deeds = [lambda: pricing.draft_price(own.by, own.key, key)] * 2
    assert at_once(app, *deeds) == ["PriceInTheMaking", "done"]


PUBLISH = """UPDATE lot_price SET state = 'published', published_by = %s, published_at = now(),
             effective_from = now() + interval '8 days', notice = {notice}, notice_days = 7"""


def test_the_tables_publish_nothing_without_somebody_else_a_proof_and_a_notice(run: Run) -> None:
    own = bounded_lot()
    price = drafted(own)
    other = price_officers()[1].account_id
    said, unsaid = PUBLISH.format(notice="'x'"), PUBLISH.format(notice="''")
    assert refusing(run, said, other) == "lot_price_follows_its_graph"
    assert refusing(run, "UPDATE lot_price SET state = 'proved'") == "a_decided_price_has_its_proof"
    pricing.prove_price(price_officers()[0], price.key)
    assert refusing(run, said, own.by.account_id) == "nobody_publishes_his_own_price"
    assert refusing(run, unsaid, other) == "a_published_price_is_announced"
    assert refusing(run, said, other) == "lot_price_tells_each_move"
    soon = said.replace("8 days", "6 days")
    assert refusing(run, soon, other) == "a_dearer_price_is_announced_in_time"
    past = said.replace("8 days", "-1 days")
    assert refusing(run, f"{past}, needs_no_notice = 'lower'", other) == "a_price_is_announced_before_it_holds"
    assert refusing(run, f"{soon}, needs_no_notice = 'because'", other) == "only_a_first_or_lower_price_needs_no_notice"
    nameless = "UPDATE lot_price SET state = 'published'"
    assert refusing(run, nameless) == "a_published_price_says_who_and_from_when"


def test_a_failed_proof_stands_for_no_published_price(run: Run) -> None:
    own = bounded_lot(300)
    proved(own, 400)
    assert refusing(run, "UPDATE lot_price SET state = 'proved'") in {
        "a_price_rests_on_its_own_proof", "lot_price_tells_each_move",
    }  # fmt: skip
    other = price_officers()[1].account_id
    assert refusing(run, PUBLISH.format(notice="'x'"), other) == "lot_price_follows_its_graph"


def test_another_lots_proof_stands_for_no_price(run: Run) -> None:
    own, other = bounded_lot(), bounded_lot()
    mine = proved(own)
    proof = pricing.prove_price(price_officers()[0], pricing.draft_price(other.by, other.key, _stored(mine)).key)
    assert refusing(run, "UPDATE lot_price SET proof_id = %s WHERE id = %s", proof.id, mine.id) == (
        "a_price_rests_on_its_own_proof"
    )


def _stored(price: LotPrice) -> uuid.UUID:
    with transaction() as session:
        return session.get_one(TariffVersion, price.tariff_id).key


AGAIN = "INSERT INTO lot_tariff (lot_id, tariff_id, valid, price_id) SELECT lot_id, tariff_id, {} FROM lot_tariff"


@pytest.mark.parametrize(
    ("statement", "guard"),
    [
        ("UPDATE lot_price SET notice = 'x'", "a_decided_price_stays_as_it_was"),
        ("UPDATE lot_price SET effective_from = now()", "a_decided_price_stays_as_it_was"),
        ("UPDATE lot_price SET state = 'withdrawn'", "a_decided_price_stays_as_it_was"),
        ("UPDATE lot_price SET tariff_id = tariff_id", "InsufficientPrivilege"),
        ("UPDATE lot_price SET made_by = made_by", "InsufficientPrivilege"),
        ("UPDATE lot_price SET running = 'split'", "InsufficientPrivilege"),
        ("DELETE FROM lot_price", "InsufficientPrivilege"),
        ("UPDATE cap_proof SET holds = true", "InsufficientPrivilege"),
        ("DELETE FROM cap_proof", "InsufficientPrivilege"),
        ("UPDATE lot_price_step SET why = 'x'", "InsufficientPrivilege"),
        ("UPDATE lot_tariff SET tariff_id = tariff_id", "InsufficientPrivilege"),
        ("UPDATE lot_tariff SET running = 'split'", "InsufficientPrivilege"),
        ("UPDATE lot_tariff SET price_id = NULL", "InsufficientPrivilege"),
        ("UPDATE lot_tariff SET valid = tstzrange(lower(valid) - interval '1 day', NULL)", "lot_tariff_only_ends"),
        (AGAIN.format("tstzrange('2030-01-01', NULL), NULL"), "a_lot_charges_by_a_published_price"),
        (AGAIN.format("tstzrange('2020-01-01', '2020-02-01'), price_id"), "a_lot_charges_by_a_published_price"),
        (AGAIN.format("tstzrange(lower(valid), lower(valid) + interval '1 hour'), price_id"),
         "a_lot_has_one_tariff_at_a_time"),
    ],
)  # fmt: skip
def test_what_is_published_stays_as_it_is(run: Run, statement: str, guard: str) -> None:
    published(bounded_lot())
    assert refusing(run, statement) == guard


@pytest.mark.parametrize(
    ("columns", "guard"),
    [
        ("tariff_id, is_free, NULL::bigint, holds, result, 'x'", "a_price_above_nothing_is_proved_against_references"),
        ("tariff_id, true, NULL::bigint, holds, result, 'x'", "a_proof_knows_its_tariff"),
        ("tariff_id, is_free, set_id, false, result, 'x'", "a_failed_proof_shows_its_counterexample"),
        ("tariff_id, is_free, set_id, holds, result, ''", "a_proof_is_explained"),
        ("tariff_id, is_free, set_id + 1, holds, result, 'x'", "a_proof_is_about_the_lots_own_set"),
    ],
)
def test_a_proof_is_about_something(run: Run, columns: str, guard: str) -> None:
    proved(bounded_lot())
    copy = f"""INSERT INTO cap_proof (key, lot_id, inputs, digest, content_digest, first_day, last_day, proved_at,
               tariff_id, is_free, set_id, holds, result, explanation) SELECT gen_random_uuid(), lot_id, inputs,
               sha256('x'), content_digest, first_day, last_day, now(), {columns} FROM cap_proof"""  # noqa: S608
    assert refusing(run, copy) == guard


def test_the_next_version_takes_its_turn_when_it_is_time(at: Callable[[datetime], None]) -> None:
    own = bounded_lot(600)
    published(own, 300)
    made = published(own, 400)
    assert standings(own.by)[0].tariff == "示例300分每小时"
    assert made.effective_from is not None
    at(made.effective_from)
    assert standings(own.by)[0].tariff == "示例400分每小时"
