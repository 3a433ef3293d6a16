"""Prices as people act on them at a terminal."""

import json
from pathlib import Path

import pytest
from flask import Flask

from app.jobs.commands import NOUNS
from tests.commands import refused, run, told
from tests.prices.scene import bounded_lot, charged
from tests.world import hourly, open_own_lot, price_officers, reference

pytestmark = pytest.mark.usefixtures("evening")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "批复.pdf").write_bytes(b"%PDF-1.7 \xe7\xa4\xba\xe4\xbe\x8b")
    (tmp_path / "tariff.json").write_text(json.dumps(hourly(600)))
    (tmp_path / "wrapped.json").write_text(json.dumps({"id": "示例", "parameters": hourly(300)}))
    (tmp_path / "dear.json").write_text(json.dumps(hourly(900)))
    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "zone.json").write_text(json.dumps([[30.2, 120.1], [30.3, 120.1], [30.3, 120.2]]))
    return tmp_path


def test_a_reference_and_a_price_go_all_the_way(app: Flask, files: Path) -> None:
    one, other = price_officers()
    own = open_own_lot(latitude=30.25, longitude=120.15)
    told(app, one, "reference-lots", "tariff", "示例标准", files / "tariff.json", "--document", "示例价〔2026〕1号")
    words = ("--approval", "示例价〔2026〕1号", "--tariff", "示例标准", "--from", "2026-01-01")
    point, paper = ("--point", "30.251", "120.15"), ("--paper", files / "批复.pdf")
    version = told(app, one, "reference-lots", "propose", "示例路泊位", *words, *point, *paper)
    assert refused(app, one, "reference-lots", "approve", version["key"]) == "own_reference"
    assert told(app, other, "reference-lots", "approve", "--all")["count"] == 1
    made = told(app, one, "prices", "propose-references", own.key)
    told(app, other, "prices", "approve-references", made["key"])
    around = told(app, own.by, "prices", "around", own.key)
    assert (around["rule"], around["sets"][0]["members"]) == ("lowest", {"示例路泊位": 111})
    price = told(app, own.by, "prices", "draft", own.key, "示例单位标准", files / "wrapped.json", "--running", "split")
    proof = told(app, one, "prices", "prove", price["key"])
    assert proof["holds"]
    assert "通过" in proof["message"]
    told(app, other, "prices", "publish", price["key"], "--notice", "示例公告")
    assert [row.running for row in charged(own)] == ["split"]
    assert told(app, one, "prices", "of", own.key)[0]["state"] == "published"
    assert told(app, one, "prices", "list")[0]["proof_holds"] is True
    shown = told(app, own.by, "prices", "show", price["key"])
    assert [step["event"] for step in shown["steps"]] == ["draft", "prove", "publish"]


def test_a_failed_proof_tells_the_worst_stay_and_exits_with_1(app: Flask, files: Path) -> None:
    own = bounded_lot(600)
    price = told(app, own.by, "prices", "draft", own.key, "示例单位标准", files / "dear.json")
    result = run(app, price_officers()[0], "prices", "prove", price["key"])
    assert (result.exit_code, result.stderr.split(":", 1)[0]) == (1, "price_above_cap")
    assert "超出" in result.stderr
    assert told(app, own.by, "prices", "withdraw", price["key"], "--why", "过高")


def test_versions_are_changed_corrected_declined_and_their_documents_kept(app: Flask, files: Path) -> None:
    one, other = price_officers()
    known = reference(name="示例路泊位")
    words = ("--approval", "新批复", "--tariff", "示例标准", "--from", "2026-09-01", "--point", "30.25", "120.15")
    told(app, one, "reference-lots", "tariff", "示例标准", files / "tariff.json", "--document", "示例")
    later = told(app, one, "reference-lots", "change", "示例路泊位", *words, "--paper", files / "批复.pdf")
    told(app, other, "reference-lots", "decline", later["key"], "--because", "文号不符")
    right = told(app, one, "reference-lots", "correct", known.key, *words, "--why", "文号有误")
    told(app, other, "reference-lots", "approve", right["key"])
    rows = told(app, one, "reference-lots", "list", "--name", "示例路泊位")
    assert [row["state"] for row in rows] == ["approved", "declined", "superseded"]
    kept = files / "kept.pdf"
    told(app, one, "reference-lots", "document", later["key"], kept)
    assert kept.read_bytes() == (files / "批复.pdf").read_bytes()


def test_a_zone_is_proposed_by_its_outline(app: Flask, files: Path) -> None:
    one, other = price_officers()
    told(app, one, "reference-lots", "tariff", "示例标准", files / "tariff.json", "--document", "示例")
    words = ("--approval", "示例", "--tariff", "示例标准", "--from", "2026-01-01", "--outline", files / "zone.json")
    told(app, one, "reference-lots", "propose", "示例价区", *words, "--paper", files / "批复.pdf")
    assert told(app, other, "reference-lots", "list")[0]["kind"] == "zone"


def test_a_rule_is_set_with_its_note(app: Flask) -> None:
    one = price_officers()[0]
    told(app, one, "prices", "set-cap-rule", "average", "--note", "示例答复")
    assert told(app, one, "prices", "cap-rules")[0]["legal_note"] == "示例答复"


def test_what_makes_no_sense_is_told_at_the_terminal(app: Flask, files: Path) -> None:
    one, own = price_officers()[0], open_own_lot()
    assert run(app, own.by, "prices", "draft", own.key, "示例", files / "bad.json").exit_code == 2
    assert run(app, one, "reference-lots", "approve").exit_code == 2
    both = ("--unit", "x", "--lot", "y")
    assert run(app, one, "prices", "set-cap-rule", "lowest", "--note", "x", *both).exit_code == 2
    set_key = "0197b5c8-0000-7000-8000-000000000000"
    assert refused(app, one, "prices", "decline-references", set_key, "--because", "x") == "not_found"


@pytest.mark.parametrize("noun", ["prices", "reference-lots"])
def test_help_shows_an_example_of_each_verb(app: Flask, noun: str) -> None:
    assert noun in NOUNS
    group = app.cli.commands[noun].real()  # type: ignore[attr-defined]
    for name in group.commands:
        assert f"flask --app wsgi {noun} {name}" in " ".join(run(app, None, noun, name, "--help").output.split())
