"""Finance people at a terminal: from the document to a workbook; the unit and its operator look on."""

import json
import stat
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
from flask import Flask
from python_calamine import CalamineWorkbook
from sqlalchemy import select

from app.domain.service_fees.actions import issue, reject
from app.domain.staff.rules import Actor
from app.kernel.audit import AuditEntry
from app.kernel.db import transaction
from tests.commands import refused, run, told
from tests.service_fees.scene import JUNE, Entrusted
from tests.units.stand import unit_of
from tests.world import paper, registered_operator, staff


def test_a_fee_goes_from_its_document_to_a_workbook(
    app: Flask, entrusted: Entrusted, tmp_path: Path, admin: psycopg.Connection[Any]
) -> None:
    maker, checker = entrusted.maker, entrusted.checker
    parties = (entrusted.operator.name, unit_of(entrusted.lot).name)
    document = tmp_path / "协议.pdf"
    document.write_bytes(paper().content)
    agreed = (
        "--first",
        JUNE,
        "--permille",
        85,
        "--monthly-fen",
        3000,
        "--document",
        "委托〔2026〕3号",
        "--file",
        document,
    )
    assert refused(app, checker, "service-fees", "record-terms", *parties, *agreed) == "not_permitted"
    terms = told(app, maker, "service-fees", "record-terms", *parties, *agreed)["key"]
    told(app, checker, "service-fees", "confirm-terms", terms)
    entrusted.takes()
    entrusted.is_over(JUNE)
    made = told(app, maker, "service-fees", "draft", *parties, "--month", "2026-06")
    assert (made["gross_fen"], made["share_fen"], made["fixed_fen"], made["fee_fen"]) == (500, 43, 3000, 3043)
    told(app, checker, "service-fees", "reject", made["key"], "--because", "请核对")
    key = told(app, maker, "service-fees", "draft", *parties, "--month", "2026-06")["key"]
    number = told(app, checker, "service-fees", "issue", key, "--because", "已核对")["number"]
    [listed] = told(app, maker, "service-fees", "list", "--month", "2026-06", "--state", "issued")
    assert (listed["number"], listed["fee_fen"], listed["month"]) == (number, 3043, "2026-06")
    assert "30.43" in run(app, maker, "service-fees", "lines", "--statement", key).stdout
    with admin.transaction():
        admin.execute("SET LOCAL session_replication_role = replica")
        admin.execute("UPDATE operator SET name = '=HYPERLINK(1)' WHERE id = %s", [entrusted.operator.id])
    file = tmp_path / "june.xlsx"
    run(app, checker, "service-fees", "lines", "--state", "issued", "--format", "xlsx", "--output", file)
    heads, row = CalamineWorkbook.from_path(file).get_sheet_by_index(0).to_python()
    assert row[:2] == [number, "=HYPERLINK(1)"]
    assert (row[heads.index("服务费（元）")], row[heads.index("天数")]) == (30.43, "30")
    assert looks()[-1] == {"command": "lines", "form": "xlsx", "rows": 1}
    assert refused(
        app, checker, "service-fees", "lines", "--format", "xlsx", "--output", tmp_path / "less.xlsx", "--limit", "1"
    ) == "rows_left_out"  # fmt: skip
    told(app, checker, "service-fees", "end-terms", terms, "--last", "2026-12-31")
    [seen] = told(app, maker, "service-fees", "terms")
    assert (seen["first"], seen["last"], seen["document_no"]) == ("2026-06-01", "2026-12-31", "委托〔2026〕3号")


def looks() -> list[dict[str, Any]]:
    with transaction() as session:
        kept = select(AuditEntry.detail).filter_by(action="service_fees.look").order_by(AuditEntry.id)
        return list(session.scalars(kept))


def test_each_look_at_lines_is_written_down_whatever_its_form(app: Flask, entrusted: Entrusted) -> None:
    entrusted.agrees()
    entrusted.is_over(JUNE)
    entrusted.drafts()
    for form in ("table", "json"):
        run(app, entrusted.maker, "service-fees", "lines", "--format", form)
    told(app, entrusted.checker, "service-fees", "list")
    assert looks() == [
        {"command": "lines", "form": "table", "rows": 1}, {"command": "lines", "form": "json", "rows": 1},
        {"command": "list", "form": "json", "rows": 1},
    ]  # fmt: skip


def test_what_is_not_issued_is_seen_by_the_units_finance_alone(app: Flask, entrusted: Entrusted) -> None:
    entrusted.agrees()
    entrusted.is_over(JUNE)
    of_the_operator = staff("finance_maker", operator_id=entrusted.operator.id)
    parties = (
        staff("operator", operator_id=entrusted.operator.id), staff("unit", unit_id=entrusted.lot.unit_id),
        staff("regulator", district_code="330106"), of_the_operator,
    )  # fmt: skip
    rejected = entrusted.drafts()
    reject(entrusted.checker, rejected.key, "请核对")
    drafted = entrusted.drafts()
    for party in parties:
        assert told(app, party, "service-fees", "list") == []
        assert told_lines(app, party, "--state", "draft") == told_lines(app, party, "--statement", drafted.key) == []
    for finance in (entrusted.maker, staff("finance_checker", unit_id=entrusted.lot.unit_id)):
        assert {each["state"] for each in told(app, finance, "service-fees", "list")} == {"draft", "rejected"}
    issue(entrusted.checker, drafted.key, "已核对")
    for party in parties:
        assert [each["state"] for each in told(app, party, "service-fees", "list")] == ["issued"]


def told_lines(app: Flask, by: Actor, *words: object) -> Any:
    return json.loads(run(app, by, "service-fees", "lines", "--format", "json", *words).stdout)


def test_both_parties_see_their_own_and_others_nothing(app: Flask, entrusted: Entrusted) -> None:
    entrusted.agrees()
    entrusted.is_over(JUNE)
    key = entrusted.drafts().key
    issue(entrusted.checker, key, "已核对")
    parties = (
        staff("operator", operator_id=entrusted.operator.id), staff("unit", unit_id=entrusted.lot.unit_id),
        staff("regulator", district_code="330106"),
    )  # fmt: skip
    for party in parties:
        assert len(told(app, party, "service-fees", "terms")) == len(told(app, party, "service-fees", "list")) == 1
        assert told_lines(app, party)[0]["days"] == 30
    strangers = (
        staff("operator", operator_id=registered_operator().id), staff("finance_maker", district_code="330108"),
    )  # fmt: skip
    for stranger in strangers:
        assert told(app, stranger, "service-fees", "terms") == told(app, stranger, "service-fees", "list") == []
    assert refused(app, strangers[1], "service-fees", "draft", *names(entrusted), "--month", "2026-06") == "not_found"
    assert refused(app, staff("price_officer"), "service-fees", "list") == "not_permitted"
    assert refused(app, parties[0], "service-fees", "issue", key, "--because", "同意") == "not_permitted"


def names(entrusted: Entrusted) -> tuple[str, str]:
    return entrusted.operator.name, unit_of(entrusted.lot).name


def test_the_document_of_terms_is_listed_and_taken_out_by_whom_it_concerns(
    app: Flask, entrusted: Entrusted, tmp_path: Path
) -> None:
    terms, file = entrusted.agrees().key, tmp_path / "out.pdf"
    party, stranger = (
        staff("unit", unit_id=entrusted.lot.unit_id),
        staff("operator", operator_id=registered_operator().id),
    )
    [listed] = told(app, party, "service-fees", "papers")
    assert (listed["terms"], listed["file_name"], listed["media_type"]) == (str(terms), paper().name, "application/pdf")
    assert told(app, stranger, "service-fees", "papers") == []
    taking = ("service-fees", "take-paper", terms, "--to", file)
    assert refused(app, stranger, *taking) == "no_such_service_fee_terms"
    assert refused(app, staff("price_officer"), *taking) == "not_permitted"
    assert list(tmp_path.iterdir()) == []
    assert told(app, party, *taking)["sha256"] == listed["sha256"] == sha256(file.read_bytes()).hexdigest()
    assert (stat.S_IMODE(file.stat().st_mode), taken("service_fees.take_paper")) == (0o600, [party.label])


def taken(action: str) -> list[str]:
    with transaction() as session:
        return list(session.scalars(select(AuditEntry.actor).filter_by(action=action)))
