"""What hand-written SQL cannot do to incidents, measures and appeals as the program's role."""

import pytest
from psycopg.errors import InsufficientPrivilege, IntegrityError

from app.domain.conduct.actions import appeal, assess_forgotten
from app.domain.lots.models import Lot
from app.domain.stays.actions import record_dispute
from tests.conduct.scene import measures, missed_often
from tests.ground import Run
from tests.world import Driver, gate, paper, parked_stay, staff

COPY = (
    "INSERT INTO measure (key, kind, motorist_id, began_at, valid, reason) SELECT gen_random_uuid(), kind, motorist_id"
)
AGAIN = (
    "INSERT INTO incident (key, kind, motorist_id, lot_id, subject, subject_id, evidence, at, noted_at) "
    "SELECT gen_random_uuid(), {kind}, motorist_id, lot_id, subject, subject_id, {evidence}, at, noted_at FROM incident"
)
LATER = "began_at + interval '60 days', tstzrange(began_at + interval '60 days', began_at + interval '61 days')"
TWICE = (
    "WITH later AS ({copy}, {later}, reason FROM measure WHERE kind = 'warning' RETURNING id, kind, motorist_id) "
    "INSERT INTO measure_incident SELECT later.id, used.incident_id, later.kind, later.motorist_id "
    "FROM later JOIN measure_incident used USING (kind)"
)
REFUSED = {
    "an_incident_is_noted_once": AGAIN.format(kind="kind", evidence="evidence"),
    "a_dispute_is_noted_by_a_person": AGAIN.format(kind="'dispute'", evidence="evidence"),
    "an_incident_has_evidence": AGAIN.format(kind="'overstay'", evidence="'{}'::jsonb"),
    "one_measure_of_a_kind_at_a_time": f"{COPY}, began_at, valid, reason FROM measure",
    "a_measure_ends_within_a_year": f"{COPY}, began_at, tstzrange(began_at, NULL), reason FROM measure",
    "measure_only_ends": "UPDATE measure SET valid = tstzrange(began_at, upper(valid) + interval '1 day')",
    "an_incident_counts_once_for_a_kind_of_measure": TWICE.format(copy=COPY, later=LATER),
    "an_appeal_is_made_within_15_days": (
        "INSERT INTO appeal (key, measure_id, motorist_id, began_at, words_enc, made_at) SELECT gen_random_uuid(), "
        "id, motorist_id, began_at, 'x', began_at + interval '15 days' FROM measure WHERE kind = 'warning'"
    ),
    "a_lifted_measure_ends_at_once": (
        "INSERT INTO appeal_decision SELECT id, made_at, 'lifted', '示例', (SELECT min(id) FROM staff_account), "
        "made_at FROM appeal"
    ),
}


@pytest.mark.parametrize(("refused_by", "statement"), REFUSED.items(), ids=REFUSED)
def test_the_tables_refuse(who: Driver, lot: Lot, run: Run, refused_by: str, statement: str) -> None:
    appeal(who.id, missed_often(who, lot).key, "示例")
    staff("regulator")
    with pytest.raises(IntegrityError) as refusal:
        run(statement)
    assert refusal.value.diag.constraint_name == refused_by


def test_the_table_knows_who_wrote_an_incident(who: Driver, lot: Lot, run: Run) -> None:
    by = staff("regulator")
    record_dispute(by, parked_stay(who, gate(lot)).key, "撞损道闸", paper())
    assess_forgotten()
    appeal(who.id, measures(who)[-1].key, "示例")
    with pytest.raises(IntegrityError) as refusal:
        run("INSERT INTO appeal_decision SELECT id, made_at, 'upheld', '示例', %s, made_at FROM appeal", by.account_id)
    assert refusal.value.diag.constraint_name == "who_wrote_an_incident_does_not_decide_on_it"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE incident SET kind = 'dispute'", "DELETE FROM incident", "UPDATE measure SET reason = '示例'",
        "DELETE FROM measure", "UPDATE appeal SET words_enc = 'x'", "DELETE FROM appeal_decision",
        "UPDATE conduct_rule SET count = 9",
    ],
)  # fmt: skip
def test_nothing_is_rewritten(who: Driver, run: Run, statement: str) -> None:
    with pytest.raises(InsufficientPrivilege):
        run(statement)
