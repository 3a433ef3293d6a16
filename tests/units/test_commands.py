"""Units, operators and agreements from a terminal."""

from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask

from app.domain.lots.models import Lot
from app.domain.staff.rules import Actor
from app.domain.units.rules import sample_credit_code
from app.kernel.db import transaction
from tests.commands import refused, run, told
from tests.units.stand import unit_of
from tests.world import open_lot, paper, registered_operator, registered_unit, staff

CODE = sample_credit_code("organ", 1)


@pytest.fixture
def regulator(evening: datetime) -> Actor:
    return staff("regulator", login="wang")


@pytest.fixture
def document(tmp_path: Path) -> Path:
    """A signed document on this machine."""
    file = tmp_path / "示例协议.pdf"
    file.write_bytes(paper().content)
    return file


def test_a_unit_is_registered_listed_corrected_and_shown(app: Flask, regulator: Actor) -> None:
    key = told(app, regulator, "units", "register", "示例局", CODE, "organ", "city", "330102", "--from", "09:00")["key"]
    (row,) = told(app, regulator, "units", "list", "--words", "示例局")
    assert (row["key"], row["hours"], row["authority"]) == (key, "09:00-17:30", "市机关事务局")
    told(
        app, regulator, "units", "correct", "示例局", "--name", "示例中心", "--kind", "institution", "--reason", "改革"
    )
    told(app, regulator, "units", "hours", "示例中心", "08:00", "17:00", "--reason", "调整")
    shown = told(app, regulator, "units", "show", key)
    assert (shown["name"], shown["kind"], shown["hours"]) == ("示例中心", "事业单位", "08:00-17:00")
    assert [change["reason"] for change in shown["changes"]] == ["调整", "改革"]
    assert shown["changes"][0]["changed_by"] == "wang"


def test_a_correction_of_the_kind_takes_the_usual_authority_along(app: Flask, regulator: Actor) -> None:
    unit = registered_unit("organ", level="city")
    told(app, regulator, "units", "correct", unit.key, "--kind", "enterprise", "--reason", "登记有误")
    assert told(app, regulator, "units", "show", unit.key)["authority"] == "市国资委"
    words = ("--authority", "department", "--department", "示例部门", "--reason", "划转")
    told(app, regulator, "units", "correct", unit.key, *words)
    assert told(app, regulator, "units", "show", unit.key)["authority"] == "示例部门"


def test_a_units_share_of_its_bays_is_shown(app: Flask, regulator: Actor) -> None:
    shown = told(app, regulator, "units", "show", unit_of(open_lot(bays=2)).key)
    assert (shown["bays"], shown["bays_percent"], shown["chargers_percent"]) == ("2/6", 33, None)


def test_a_finding_suspends_the_lots_and_is_lifted_by_another(app: Flask, regulator: Actor, document: Path) -> None:
    lot = open_lot()
    name = unit_of(lot).name
    words = ("--reason", "小学", "--evidence", "示例文号", "--file", document)
    key = told(app, regulator, "units", "find", name, "school", *words)["key"]
    with transaction() as session:
        assert session.get_one(Lot, lot.id).state == "suspended"
    assert refused(app, regulator, "units", "lift", key, "--because", "已搬迁") == "own_finding"
    told(app, staff("regulator"), "units", "lift", key, "--because", "已搬迁")
    (finding,) = told(app, regulator, "units", "show", name)["findings"]
    assert (finding["ground"], finding["found_by"], finding["lifted_because"]) == ("中小学及幼儿园", "wang", "已搬迁")


def test_refusals_are_told_with_their_codes(app: Flask, regulator: Actor) -> None:
    wrong = ("units", "register", "示例局", CODE[:-1] + "!", "organ", "city", "330102")
    assert refused(app, regulator, *wrong) == "credit_code_wrong"
    assert refused(app, regulator, "units", "show", "没有的单位") == "not_found"
    own = registered_unit()
    by = staff("unit", unit_id=own.id)
    assert refused(app, by, "units", "show", registered_unit().name) == "not_found"
    assert refused(app, by, "operators", "register", "示例公司", CODE, "0571-00000000") == "not_permitted"


def test_an_operator_is_registered_corrected_and_listed(app: Flask, regulator: Actor) -> None:
    told(app, regulator, "operators", "register", "示例公司", sample_credit_code("enterprise", 2), "0571-00000000")
    told(app, regulator, "operators", "correct", "示例公司", "--phone", "0571-00000001", "--reason", "更换电话")
    (row,) = told(app, regulator, "operators", "list")
    assert (row["name"], row["service_phone"]) == ("示例公司", "0571-00000001")


def test_an_agreement_is_signed_read_ended_and_followed_by_self_operation(
    app: Flask, regulator: Actor, document: Path, tmp_path: Path
) -> None:
    lot, operator = open_lot(), registered_operator()
    unit = unit_of(lot)
    content = (
        "--bays", "2", "--hours", "按通知时段", "--services", "收费", "--unit-duties", "提供场地",
        "--operator-duties", "日常运营", "--from", "2026-06-01", "--until", "2027-06-01", "--file", document,
    )  # fmt: skip
    key = told(app, regulator, "agreements", "sign", unit.name, operator.name, lot.name, *content)["key"]
    (row,) = told(app, regulator, "agreements", "list", "--unit", unit.name)
    assert (row["lots"], row["in_force"], row["ends_at"]) == ([lot.name], True, "2027-06-01T00:00:00+08:00")
    copy = tmp_path / "copy.pdf"
    assert told(app, regulator, "agreements", "show", key, "--save", copy)["document"] == document.name
    assert copy.read_bytes() == document.read_bytes()
    assert run(app, regulator, "agreements", "show", key, "--save", copy).exit_code == 1
    self_operation = ("agreements", "self", unit.name, lot.name, "--reason", "收回自营")
    assert refused(app, regulator, *self_operation) == "lot_is_entrusted"
    told(app, regulator, "agreements", "end", key, "--reason", "协商一致")
    told(app, regulator, *self_operation)
    assert told(app, regulator, "agreements", "list") == []
    assert [each["in_force"] for each in told(app, regulator, "agreements", "list", "--ended")] == [False]


def test_a_lot_of_another_unit_is_not_found_by_name(app: Flask, regulator: Actor) -> None:
    unit, other = unit_of(open_lot()), open_lot()
    words = ("agreements", "self", unit.name, other.name, "--reason", "自营")
    assert refused(app, regulator, *words) == "not_found"
