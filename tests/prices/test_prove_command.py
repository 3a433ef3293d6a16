"""`tariff prove LOT`: what a lot charges or wants to, against its own references or against files."""

import json
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.domain.pricing import actions as pricing
from app.domain.pricing.models import CapProof
from app.kernel.db import transaction
from tests.commands import refused, run, told
from tests.prices.scene import bounded_lot, drafted, published
from tests.world import bound, hourly, open_own_lot, price_officers, reference

pytestmark = pytest.mark.usefixtures("evening")


def test_a_lot_is_proved_against_its_approved_references_and_nothing_is_stored(app: Flask) -> None:
    own, officer = bounded_lot(600), price_officers()[0]
    drafted(own, 500)
    proof = told(app, officer, "tariff", "prove", own.lot.name)
    assert proof["holds"]
    assert proof["price"] == {"lot": own.lot.name, "version": 1, "tariff": "示例500分每小时"}
    with transaction() as session:
        assert session.scalar(select(func.count()).select_from(CapProof)) == 0


def test_the_newest_price_that_was_not_withdrawn_is_proved_by_key_or_name(app: Flask) -> None:
    own, officer = bounded_lot(600), price_officers()[0]
    published(own, 300)
    dear = drafted(own, 601)
    result = run(app, officer, "tariff", "prove", own.key)
    assert (result.exit_code, result.stdout.splitlines()[0]) == (1, f"{own.lot.name} 第2版 示例601分每小时")
    assert "未通过" in result.stdout
    pricing.withdraw_price(own.by, dear.key, "过高")
    assert told(app, officer, "tariff", "prove", own.key)["price"]["version"] == 1


def test_the_rule_of_the_lot_combines_its_references_until_another_is_asked_for(app: Flask) -> None:
    own, officer = open_own_lot(), price_officers()[0]
    bound(own.lot, reference(hourly(300), name="示例参照甲"), reference(hourly(700)))
    drafted(own, 500)
    assert run(app, officer, "tariff", "prove", own.key).exit_code == 1
    assert told(app, officer, "tariff", "prove", own.key, "--combine", "average")["holds"]
    pricing.set_cap_rule(officer, "highest", "示例答复")
    assert told(app, officer, "tariff", "prove", own.key)["combine"] == "highest"


def test_others_may_be_named_in_place_of_the_approved_references(app: Flask, tmp_path: Path) -> None:
    own, officer = bounded_lot(600), price_officers()[0]
    drafted(own, 500)
    (tmp_path / "cheap.json").write_text(json.dumps(hourly(400)))
    result = run(app, officer, "tariff", "prove", own.key, "--against", tmp_path / "cheap.json")
    assert (result.exit_code, "未通过" in result.stdout) == (1, True)


def test_who_may_not_see_a_lot_or_names_none_learns_nothing(app: Flask) -> None:
    own, stranger = bounded_lot(), price_officers()[0]
    assert refused(app, stranger, "tariff", "prove", own.key) == "tariff_missing"
    assert refused(app, stranger, "tariff", "prove", "示例无此停车场") == "not_found"
    assert run(app, None, "tariff", "prove", own.key).exit_code == 2
    drafted(open_own_lot(), 1)


def test_a_lot_without_references_is_bounded_by_none(app: Flask) -> None:
    own, officer = open_own_lot(), price_officers()[0]
    drafted(own, 500)
    assert refused(app, officer, "tariff", "prove", own.key) == "references_missing"
    assert refused(app, officer, "tariff", "prove", own.key, "--combine", "highest") == "references_missing"
