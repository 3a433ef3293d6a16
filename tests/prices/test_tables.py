"""What the tables of prices refuse though nobody asks an action: each guard by a statement written by hand."""

from datetime import datetime

import pytest

from app.domain.pricing import actions as pricing
from tests.ground import Run
from tests.prices.scene import bounded_lot, published, refusing
from tests.world import open_own_lot, price_officers

VERSION = (
    "key, reference_id, version, approval, latitude, longitude, tariff_id, valid, file_id, why, state, proposed_by"
)
SET = "key, lot_id, version, why, state, proposed_by, proposed_at"
PRICE = "key, lot_id, version, tariff_id, running, state, made_by, made_at"
PROOF = (
    "key, lot_id, tariff_id, is_free, set_id, inputs, digest, content_digest, first_day, last_day, holds, result, "
    "explanation, proved_at"
)


def version(approval: str = "approval", latitude: str = "30", valid: str = "valid", number: int = 9) -> str:
    told = f"{number}, {approval}, {latitude}, 120, tariff_id, {valid}, file_id, '', 'proposed', proposed_by, now()"
    return f"""INSERT INTO reference_version ({VERSION}, proposed_at)
               SELECT gen_random_uuid(), reference_id, {told} FROM reference_version"""  # noqa: S608


def proof(digest: str = "sha256('x')", first: str = "first_day", last: str = "last_day") -> str:
    told = f"is_free, set_id, inputs, {digest}, content_digest, {first}, {last}, holds, result, 'x', now()"
    return f"INSERT INTO cap_proof ({PROOF}) SELECT gen_random_uuid(), lot_id, tariff_id, {told} FROM cap_proof"  # noqa: S608


def rule(told: str) -> str:
    return f"""INSERT INTO cap_rule (scope, scope_id, rule, legal_note, valid, set_by, set_at)
               SELECT {told}, set_by, now() FROM cap_rule"""  # noqa: S608


def price(number: str, running: str, state: str) -> str:
    told = f"{number}, tariff_id, {running}, {state}, made_by, now()"
    return f"INSERT INTO lot_price ({PRICE}) SELECT gen_random_uuid(), lot_id, {told} FROM lot_price"  # noqa: S608


def references(number: int, by: str) -> str:
    told = f"{number}, '', 'proposed', {by}, now()"
    return f"INSERT INTO reference_set ({SET}) SELECT gen_random_uuid(), lot_id, {told} FROM reference_set"  # noqa: S608


OF_ANOTHER_LOT = """INSERT INTO lot_tariff (lot_id, tariff_id, valid, price_id)
                    SELECT (SELECT max(id) FROM lot), tariff_id, valid, price_id FROM lot_tariff"""
OF_NOBODY = """INSERT INTO bill_basis (bill_id, place, tariff_id, begins_at, ends_at, fen)
               VALUES (1, 1, 1, now(), now(), 1)"""


@pytest.mark.parametrize(
    ("statement", "guard"),
    [
        (version(approval="''"), "a_reference_names_its_approval"),
        (version(latitude="39"), "a_reference_lies_in_hangzhou"),
        (version(latitude="NULL"), "a_reference_has_a_point_or_an_outline"),
        (version(valid="'empty'"), "a_reference_holds_for_some_time"),
        (version(number=1), "a_reference_numbers_each_version_once"),
        (references(1, "proposed_by"), "a_lot_numbers_each_set_once"),
        (references(9, "NULL"), "a_set_is_proposed_by_somebody"),
        (proof(digest="'short'"), "a_proof_names_its_inputs"),
        (proof(digest="digest"), "the_same_is_proved_once"),
        (proof(last="first_day - 1"), "a_proof_covers_some_days"),
        (rule("'lot', lot.id, 'lowest', 'x', 'empty'").replace("FROM cap_rule", "FROM cap_rule, lot"),
         "a_cap_rule_holds_for_some_time"),
        (rule("'city', 0, 'lowest', 'x', tstzrange('2030-01-01', NULL)"), "a_place_has_one_cap_rule_at_a_time"),
        (rule("'street', 1, 'lowest', 'x', tstzrange(NULL, NULL)"), "a_cap_rule_holds_for_city_unit_or_lot"),
        (price("1", "'entry'", "'draft'"), "a_lot_numbers_each_price_once"),
        (price("9", "'both'", "'draft'"), "a_price_keeps_or_splits_running_stays"),
        (OF_ANOTHER_LOT, "a_lot_charges_by_its_own_price"),
        (OF_NOBODY, "a_bill_rests_on_its_own_lot"),
    ],
)  # fmt: skip
def test_a_statement_by_hand_is_refused(evening: datetime, run: Run, statement: str, guard: str) -> None:
    own = bounded_lot()
    pricing.set_cap_rule(price_officers()[0], "lowest", "示例")
    published(own)
    open_own_lot()
    assert refusing(run, statement) == guard


def test_a_second_proposal_and_a_second_draft_are_refused_by_the_tables_too(evening: datetime, run: Run) -> None:
    own = bounded_lot()
    published(own)
    draft = price("5", "'entry'", "'draft'")
    again = draft.replace("FROM lot_price", "FROM lot_price, generate_series(6, 7) AS n").replace(" 5,", " n,")
    assert refusing(run, again) == "a_lot_has_one_price_in_the_making"
    many = version().replace("FROM reference_version", "FROM reference_version, generate_series(6, 7) AS n")
    assert refusing(run, many.replace(" 9,", " n,")) == "a_reference_has_one_proposal"


def test_a_lot_has_one_set_at_a_time_and_a_reference_one_tariff(evening: datetime, run: Run) -> None:
    bounded_lot()
    both = """INSERT INTO reference_set (key, lot_id, version, why, state, proposed_by, proposed_at, decided_by,
              decided_at, valid) SELECT gen_random_uuid(), lot_id, 9, '', 'superseded', proposed_by, now(), decided_by,
              now(), valid FROM reference_set"""
    assert refusing(run, both) in {"a_lot_has_one_set_at_a_time", "reference_set_follows_its_graph"}
    twice = (
        version().replace("'proposed'", "'approved'").replace("proposed_at)", "proposed_at, decided_by, decided_at)")
    )
    twice = twice.replace("now() FROM", "now(), decided_by, now() FROM")
    assert refusing(run, twice) in {"a_reference_has_one_tariff_at_a_time", "reference_version_follows_its_graph"}
