"""The register of references: proposed on a document by one officer, approved by another, never rewritten."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from flask import Flask

from app.domain.pricing import actions as pricing
from app.domain.pricing.models import ReferenceVersion
from app.domain.pricing.queries.register import known_references, reference_document, references
from app.domain.staff.rules import NotPermitted
from app.kernel import clock
from app.kernel.files import FileRefused, Paper
from app.kernel.spans import span
from app.kernel.states import WrongState
from app.kernel.terms import ChangeOutOfOrder
from tests.ground import Run
from tests.prices.scene import DAY, refusing
from tests.races import at_once
from tests.world import hourly, paper, price_officers, reference, shanghai, staff, tariff

SINCE = shanghai("2026-01-01 00:00")


def told(name: str = "示例路泊位", fen: int = 600, **others: Any) -> pricing.NewReference:
    plain = pricing.NewReference(name, "示例价〔2026〕1号", tariff(hourly(fen)), span(SINCE, None), (30.25, 120.15))
    return replace(plain, **others)


def proposed(name: str = "示例路泊位") -> ReferenceVersion:
    return pricing.propose_reference(price_officers()[0], told(name), paper())


def names() -> list[str]:
    return [each.name for each in known_references(clock.now())]


def test_what_one_officer_proposes_counts_when_another_has_approved_it(evening: datetime) -> None:
    version = proposed()
    assert names() == []
    pricing.approve_reference(price_officers()[1], version.key, "已核对")
    assert names() == ["示例路泊位"]
    row = references(staff("regulator"))[0]
    assert (row.state, row.decided_because, row.sha256 is not None) == ("approved", "已核对", True)
    assert reference_document(staff("regulator"), version.key).name == "示例文件.pdf"


def test_nobody_approves_his_own_proposal_but_may_take_it_back(evening: datetime) -> None:
    version = proposed()
    with pytest.raises(pricing.OwnReference):
        pricing.approve_reference(price_officers()[0], version.key)
    assert pricing.decline_reference(price_officers()[0], version.key, "误提").state == "declined"


@pytest.mark.parametrize("role", ["regulator", "finance_checker", "administrator"])
def test_only_price_officers_keep_the_register(evening: datetime, role: str) -> None:
    with pytest.raises(NotPermitted):
        pricing.propose_reference(staff(role), told(), paper())
    with pytest.raises(NotPermitted):
        pricing.approve_reference(staff(role), proposed().key)


@pytest.mark.parametrize(
    "wrong",
    [{"name": " "}, {"approval": " "}, {"point": (39.9, 116.4)}, {"point": (float("nan"), 120.0)},
     {"point": None}, {"point": None, "outline": ((30.2, 120.1), (30.3, 120.1))}, {"valid": span(SINCE, SINCE)}],
    ids=["no name", "no approval", "elsewhere", "no number", "no place", "two corners", "never"],
)  # fmt: skip
def test_a_reference_that_makes_no_sense_is_refused(evening: datetime, wrong: dict[str, Any]) -> None:
    with pytest.raises(pricing.ReferenceWrong):
        pricing.propose_reference(price_officers()[0], told(**wrong), paper())


def test_a_reference_rests_on_a_document(evening: datetime, run: Run) -> None:
    with pytest.raises(FileRefused):
        pricing.propose_reference(price_officers()[0], told(), Paper(b"not a document", "a.txt"))
    assert names() == []
    proposed()
    copy = """INSERT INTO reference_version (key, reference_id, version, approval, latitude, longitude, tariff_id,
              valid, why, state, proposed_at) SELECT gen_random_uuid(), reference_id, 9, approval, latitude, longitude,
              tariff_id, valid, '', 'proposed', now() FROM reference_version"""
    assert refusing(run, copy) == "a_reference_is_proposed_on_a_document"


def test_a_declined_reference_never_counts_and_may_be_proposed_anew(evening: datetime) -> None:
    version = proposed()
    with pytest.raises(pricing.WhyMissing):
        pricing.decline_reference(price_officers()[1], version.key, " ")
    pricing.decline_reference(price_officers()[1], version.key, "文号不符")
    with pytest.raises(WrongState):
        pricing.approve_reference(price_officers()[1], version.key)
    with pytest.raises(pricing.ReferenceNameTaken):
        proposed()
    key = references(price_officers()[0])[0].reference
    again = pricing.change_reference(price_officers()[0], key, told(), paper())
    assert (again.version, pricing.approve_reference(price_officers()[1], again.key).state) == (2, "approved")


def test_a_change_ends_the_version_before_and_the_past_stays_readable(evening: datetime) -> None:
    first = reference(hourly(600), name="示例路泊位")
    one, other = price_officers()
    begins_at = evening + 30 * DAY
    later = pricing.change_reference(
        one, references(one)[0].reference, told(fen=800, valid=span(begins_at, None)), paper()
    )
    with pytest.raises(pricing.ReferenceInTheMaking):
        pricing.change_reference(one, references(one)[0].reference, told(), paper())
    pricing.approve_reference(other, later.key)
    rows = {row.version: (row.begins_at, row.ends_at, row.state) for row in references(one)}
    assert rows == {1: (SINCE, begins_at, "approved"), 2: (begins_at, None, "approved")}
    assert first.valid.upper is None


def test_a_change_does_not_overtake_a_later_one(evening: datetime) -> None:
    reference(hourly(600), name="示例路泊位")
    one, other = price_officers()
    key = references(one)[0].reference
    later = pricing.change_reference(one, key, told(valid=span(evening + 30 * DAY, None)), paper())
    pricing.approve_reference(other, later.key)
    sooner = pricing.change_reference(one, key, told(valid=span(evening + 10 * DAY, None)), paper())
    with pytest.raises(ChangeOutOfOrder):
        pricing.approve_reference(other, sooner.key)


def test_a_correction_stands_in_the_place_of_what_was_wrong(evening: datetime) -> None:
    wrong = reference(hourly(600), name="示例路泊位")
    one, other = price_officers()
    with pytest.raises(pricing.WhyMissing):
        pricing.correct_reference(one, wrong.key, told(), "")
    right = pricing.correct_reference(one, wrong.key, told(point=(30.26, 120.16)), "坐标有误")
    assert right.file_id == wrong.file_id
    pricing.approve_reference(other, right.key)
    assert [each.point for each in known_references(clock.now())] == [(30.26, 120.16)]
    assert {row.version: row.state for row in references(one)} == {1: "superseded", 2: "approved"}
    with pytest.raises(pricing.NothingToCorrect):
        pricing.correct_reference(one, wrong.key, told(), "又错了")


def test_a_reference_may_end_by_a_correction(evening: datetime) -> None:
    known = reference(hourly(600), name="示例路泊位")
    one, other = price_officers()
    ends = pricing.correct_reference(one, known.key, told(valid=span(SINCE, evening - DAY)), "批复失效")
    pricing.approve_reference(other, ends.key)
    assert names() == []


def test_of_two_who_approve_at_once_one_has_an_effect(app: Flask, evening: datetime) -> None:
    version = proposed()
    deeds = [lambda: pricing.approve_reference(price_officers()[1], version.key)] * 2
    assert at_once(app, *deeds) == ["WrongState", "done"]


@pytest.mark.parametrize(
    "change",
    ["approval = 'x'", "tariff_id = tariff_id", "latitude = 30", "file_id = file_id", "proposed_by = proposed_by",
     "why = 'x'", "version = 7"],
)  # fmt: skip
def test_what_a_version_says_is_not_the_programs_to_change(evening: datetime, run: Run, change: str) -> None:
    reference()
    assert refusing(run, f"UPDATE reference_version SET {change}") == "InsufficientPrivilege"  # noqa: S608


@pytest.mark.parametrize(
    ("change", "guard"),
    [
        ("valid = tstzrange(lower(valid) - interval '1 day', upper(valid))", "a_proposed_reference_stays_as_it_was"),
        ("decided_because = 'x'", "a_proposed_reference_stays_as_it_was"),
        ("decided_by = proposed_by", "a_proposed_reference_stays_as_it_was"),
        ("state = 'proposed'", "reference_version_follows_its_graph"),
        ("state = 'declined'", "reference_version_follows_its_graph"),
        ("state = 'superseded'", "reference_version_tells_each_move"),
    ],
)
def test_a_decided_version_stays_as_it_is(evening: datetime, run: Run, change: str, guard: str) -> None:
    reference()
    assert refusing(run, f"UPDATE reference_version SET {change}") == guard  # noqa: S608


def test_a_proposed_version_is_approved_by_nobody_by_hand(evening: datetime, run: Run) -> None:
    proposed()
    mine = "UPDATE reference_version SET state = 'approved', decided_at = now(), decided_by = proposed_by"
    assert refusing(run, mine) == "nobody_approves_his_own_reference"
    nobody = "UPDATE reference_version SET state = 'approved', decided_at = now()"
    assert refusing(run, nobody) == "a_decided_reference_says_who_and_when"
    unsaid = """UPDATE reference_version SET state = 'approved', decided_at = now(),
                decided_by = (SELECT max(id) FROM staff_account)"""
    assert refusing(run, unsaid) == "reference_version_tells_each_move"
    assert refusing(run, "UPDATE reference_version SET valid = tstzrange(lower(valid), lower(valid) + '1 day')") == (
        "a_proposed_reference_stays_as_it_was"
    )


def test_a_version_is_of_its_references_kind_and_corrects_its_own(evening: datetime, run: Run) -> None:
    reference()
    zone = told("示例价区", point=None, outline=((30.2, 120.1), (30.3, 120.1), (30.3, 120.2)))
    pricing.propose_reference(price_officers()[0], zone, paper())
    copy = """INSERT INTO reference_version (key, reference_id, version, approval, {}, tariff_id, valid, why, state,
              proposed_at, proposed_by, file_id) SELECT gen_random_uuid(), reference_id, 9, approval, {}, tariff_id,
              valid, '', 'proposed', now(), proposed_by, file_id FROM reference_version WHERE state = 'approved'"""
    assert refusing(run, copy.format("outline", "'[]'")) == "a_reference_is_a_lot_or_a_zone"
    both = copy.format("latitude, longitude, outline", "30, 120, '[]'")
    assert refusing(run, both) == "a_reference_is_a_lot_or_a_zone"
    other = copy.format("latitude, longitude, corrects_id", "30, 120, (SELECT max(id) FROM reference_version)")
    assert refusing(run, other) == "a_reference_is_a_lot_or_a_zone"


def test_no_version_is_born_approved(evening: datetime, run: Run) -> None:
    reference()
    copy = """INSERT INTO reference_version (key, reference_id, version, approval, latitude, longitude, tariff_id,
              valid, why, state, proposed_at, decided_at) SELECT gen_random_uuid(), reference_id, 9, approval, latitude,
              longitude, tariff_id, tstzrange('2020-01-01', '2020-02-01'), '', 'approved', now(), now()
              FROM reference_version"""
    assert refusing(run, copy) == "reference_version_follows_its_graph"


def test_a_stored_tariff_is_never_rewritten(evening: datetime, run: Run) -> None:
    reference()
    assert refusing(run, "UPDATE tariff_version SET name = 'x'") == "InsufficientPrivilege"
    assert refusing(run, "DELETE FROM tariff_version") == "InsufficientPrivilege"
    pricing.store_tariff("示例", "示例", hourly(100), "test")
    with pytest.raises(pricing.TariffNameTaken):
        pricing.store_tariff("示例", "示例", hourly(200), "test")
    with pytest.raises(pricing.TariffUnnamed):
        pricing.enter_tariff(price_officers()[0], "示例二", " ", hourly(100))
