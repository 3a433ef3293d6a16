"""Lots and plans from a terminal, from the draft to the publication and after."""

from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask

from app.domain.staff.rules import Actor
from tests.commands import refused, told
from tests.world import PHOTO, open_lot, payee, registered_unit, shanghai, staff

LOT = "示例命令停车场"


@pytest.fixture
def files(tmp_path: Path, evening: datetime) -> Path:
    (tmp_path / "check.png").write_bytes(PHOTO.content)
    (tmp_path / "safety.txt").write_text("示例安全管理制度", encoding="utf-8")
    (tmp_path / "emergency.txt").write_text("示例应急预案", encoding="utf-8")
    return tmp_path


def test_a_lot_goes_from_draft_to_publication_by_commands_alone(app: Flask, files: Path) -> None:
    unit = registered_unit()
    wang, lin = staff("unit", unit_id=unit.id, login="wang"), staff("regulator", login="lin")
    place = (LOT, "示例路1号", "30.25", "120.16", "--total", "9", "--bays", "A001-A003", "--bays", "B1:charging")
    drafted = told(app, wang, "lots", "draft", unit.name, *place)
    assert {each["code"] for each in drafted["shortfalls"] if each["blocking"]} == {"plan_missing", "facilities_never"}
    told(app, wang, "lots", "change", LOT, "--total", "10", "--area", "centre")
    told(app, wang, "lots", "entrances", LOT, "东门,30.25,120.16,both")
    told(app, wang, "lots", "photo", LOT, "--file", str(files / "check.png"))
    plan = planned(app, wang, files)
    assert refused(app, wang, "plans", "approve", plan).startswith("not_permitted")
    told(app, lin, "plans", "approve", plan)
    sound = ("--security", "--lighting", "--fire", "--photo", str(files / "check.png"))
    told(app, wang, "lots", "facilities", LOT, *sound)
    told(app, wang, "lots", "submit", LOT)
    told(app, lin, "lots", "approve", LOT, "--why", "同意")
    assert [each["code"] for each in told(app, wang, "lots", "publish", LOT)["shortfalls"]] == ["payee_missing"]
    shown = told(app, wang, "lots", "show", LOT)
    assert [step["event"] for step in shown["steps"]] == ["publish", "approve", "submit", "draft"]
    assert (shown["shared_bays"], shown["total_bays"], shown["area"]) == (4, 10, "中心城区")
    assert [row["state"] for row in told(app, lin, "lots", "list", "--state", "open")] == ["开放"]


def planned(app: Flask, by: Actor, files: Path) -> str:
    words = ("--safety-file", str(files / "safety.txt"), "--emergency-file", str(files / "emergency.txt"))
    plan = str(told(app, by, "plans", "draft", LOT, "--bays", "4", *words)["key"])
    told(app, by, "plans", "name", plan, "responsible", "示例甲", "0571-00000001", "工作日")
    told(app, by, "plans", "name", plan, "deputy", "示例乙", "0571-00000002", "夜间")
    told(app, by, "plans", "submit", plan)
    return plan


def test_an_open_lot_is_suspended_reopened_paid_counted_and_withdrawn(app: Flask, evening: datetime) -> None:
    lot = open_lot(2)
    lin, finance = staff("regulator", login="lin"), staff("finance_checker", login="finance")
    assert refused(app, lin, "lots", "suspend", lot.key, "--why", " ").startswith("reason_missing")
    told(app, lin, "lots", "suspend", lot.key, "--why", "施工")
    told(app, lin, "lots", "reopen", lot.key, "--why", "完工")
    told(app, lin, "lots", "check-contacts", lot.key)
    since = shanghai("2026-07-01 00:00").isoformat()
    asked = told(app, staff("finance_maker"), "lots", "propose-payee", lot.key, payee().key, "--from", since)["key"]
    assert [each["key"] for each in told(app, finance, "lots", "payees", "--waiting")] == [asked]
    told(app, finance, "lots", "pay-to", asked)
    assert told(app, finance, "lots", "payees", "--waiting") == []
    assert told(app, lin, "lots", "coverage")[0]["open_bays"] == 2
    (plan,) = told(app, lin, "plans", "list", lot.key)
    assert (plan["state"], plan["shared_bays"], plan["margins"]) == ("生效", 2, "60/60")
    told(app, lin, "lots", "withdraw", lot.key, "--why", "拆除")
    assert told(app, lin, "lots", "show", lot.key)["steps"][0]["event"] == "withdraw"


def test_bays_are_added_kept_and_shared_again(app: Flask, evening: datetime) -> None:
    lot = open_lot(2)
    wang = staff("unit", unit_id=lot.unit_id, login="wang")
    assert told(app, wang, "lots", "bays", lot.key, "--add", "C01-C02")["changed"] == 2
    assert told(app, wang, "lots", "bays", lot.key, "--keep", "C02")["changed"] == 1
    assert told(app, wang, "lots", "bays", lot.key, "--share", "C02")["changed"] == 1
    assert refused(app, wang, "lots", "bays", lot.key, "--keep", "A001-A002", "--keep", "C01").startswith("plan_shares")
    told(app, wang, "lots", "chargers", lot.key, "4", "2")
