"""The partners' commands: secrets are handed out once, proposals are decided."""

import json
from pathlib import Path

from flask import Flask

from app.domain.lots.models import Lot
from app.domain.partners.models import Partner
from app.domain.units.models import Unit
from app.kernel.db import transaction
from tests.commands import refused, run, told
from tests.partners.stand import Hand, Registered
from tests.partners.test_lots import an_open_proposal, kept
from tests.world import staff


def unit_of(lot: Lot) -> str:
    with transaction() as session:
        return session.get_one(Unit, lot.unit_id).name


def test_a_partner_is_registered_rotated_and_revoked(app: Flask, hand: Hand, lot: Lot) -> None:
    by = staff("administrator")
    made = told(app, by, "partners", "register", "示例停车系统", "--unit", unit_of(lot))
    assert len(bytes.fromhex(made["secret"])) == 32
    with transaction() as session:
        partner = session.query(Partner).filter_by(name="示例停车系统").one()
    again = Registered(partner.id, partner.key, hand.partner.made)
    first = Hand(hand.client, again, made["key_id"], bytes.fromhex(made["secret"]))
    assert first.send("GET", "/clock").status_code == 200
    told(app, by, "partners", "rotate-key", "示例停车系统", "--overlap-hours", "0")
    assert first.send("GET", "/clock").status_code == 401
    told(app, by, "partners", "revoke", "示例停车系统", "试用结束")
    [row] = [row for row in told(app, by, "partners", "list") if row["name"] == "示例停车系统"]
    assert row["revoked_at"]
    assert refused(app, by, "partners", "rotate-key", "示例停车系统") == "partner_not_found"


def test_a_secret_goes_into_a_new_file_that_only_its_owner_reads(app: Flask, lot: Lot, tmp_path: Path) -> None:
    by, file = staff("administrator"), tmp_path / "key.json"
    words = ("partners", "register", "示例停车系统", "--unit", unit_of(lot), "--secret-file", file)
    shown = run(app, by, *words).stdout
    kept_key = json.loads(file.read_text())
    assert file.stat().st_mode & 0o777 == 0o600
    assert kept_key["secret"] not in shown
    assert run(app, by, *words).exit_code == 2
    assert json.loads(file.read_text()) == kept_key


def test_a_refused_registration_leaves_no_file(app: Flask, lot: Lot, tmp_path: Path) -> None:
    file = tmp_path / "key.json"
    words = ("partners", "register", "示例停车系统", "--unit", unit_of(lot), "--secret-file", file)
    assert refused(app, staff("regulator"), *words) == "not_permitted"
    assert not file.exists()


def test_proposals_are_listed_and_decided(app: Flask, hand: Hand, lot: Lot) -> None:
    by = staff("unit", unit_id=lot.unit_id)
    wanted = an_open_proposal(hand, lot, name="甲示例停车场")
    [row] = told(app, by, "partners", "proposals")
    assert (row["key"], row["found"], row["proposed"]) == (
        str(wanted.key), {"name": lot.name}, {"name": "甲示例停车场"},
    )  # fmt: skip
    told(app, by, "partners", "accept-proposal", row["key"], "已核实")
    assert kept(lot).name == "甲示例停车场"
    second = an_open_proposal(hand, lot, name="乙示例停车场")
    told(app, by, "partners", "decline-proposal", second.key, "与现场不符")
    assert kept(lot).name == "甲示例停车场"
