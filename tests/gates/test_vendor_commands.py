"""Staff register vendors' gates by command, within their reach."""

import json
from pathlib import Path

import pytest
from flask import Flask

from app.domain.lots.models import Lot
from tests import world
from tests.commands import refused, run, told

FORM = ("--profile", "vz-http", "--serial", "0a1b2c3d-00000009", "--direction", "in")


def test_a_unit_registers_a_gate_and_sees_how_it_stands(app: Flask, lot: Lot, tmp_path: Path) -> None:
    by, file = world.staff("unit", unit_id=lot.unit_id), tmp_path / "secret"
    made = told(app, by, "gates", "register", lot.key, "示例东门", *FORM, "--secret-file", file)
    kept = json.loads(file.read_text())
    assert kept["path"].startswith(f"/camera/v1/{made['gate']}/")
    assert file.stat().st_mode & 0o777 == 0o600
    [shown] = told(app, by, "gates", "list")
    assert (shown["name"], shown["profile"], shown["acked_version"]) == ("示例东门", "vz-http", 0)
    secret = kept["path"].rpartition("/")[2]
    assert secret not in json.dumps(made)
    renewed = told(app, by, "gates", "rotate-secret", made["gate"], "--overlap-hours", "0")
    assert renewed["path"] != kept["path"]
    assert run(app, by, "gates", "switch-off", made["gate"]).exit_code == 0
    assert not told(app, by, "gates", "list")[0]["enabled"]
    assert run(app, by, "gates", "switch-on", made["gate"]).exit_code == 0


def test_a_serial_number_and_a_name_are_good_for_one_gate(app: Flask, lot: Lot) -> None:
    by = world.staff("unit", unit_id=lot.unit_id)
    told(app, by, "gates", "register", lot.key, "示例东门", *FORM)
    assert refused(app, by, "gates", "register", lot.key, "示例西门", *FORM) == "gate_already_registered"


@pytest.mark.parametrize(
    "wrong",
    [
        ("--address", "198.51.100.7/24"), ("--address", "example.com"), ("--passage-input", "9"),
        ("--web-url", "ftp://192.0.2.7"), ("--web-url", "http://admin:admin@192.0.2.7"), ("--web-url", "http:///x"),
    ],
)  # fmt: skip
def test_nonsense_is_refused_by_its_field(app: Flask, lot: Lot, wrong: tuple[str, str]) -> None:
    by = world.staff("unit", unit_id=lot.unit_id)
    assert refused(app, by, "gates", "register", lot.key, "示例东门", *FORM, *wrong) == "gate_fields_refused"


def test_another_unit_finds_neither_the_lot_nor_the_gate(app: Flask, lot: Lot) -> None:
    own = world.staff("unit", unit_id=lot.unit_id)
    stranger = world.staff("unit", unit_id=world.registered_unit().id)
    made = told(app, own, "gates", "register", lot.key, "示例东门", *FORM)
    assert refused(app, stranger, "gates", "register", lot.key, "示例西门", *FORM) == "not_found"
    assert refused(app, stranger, "gates", "rotate-secret", made["gate"]) == "not_found"
    assert told(app, stranger, "gates", "list") == []
