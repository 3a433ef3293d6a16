"""Finance people at a terminal: one explains, another decides; one proposes a day, another signs it."""

import hashlib
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask

from app.domain.staff.queries import logins
from app.kernel.clock import SHANGHAI
from payments.reconciliation.actions import reconcile
from tests.commands import refused, run, told
from tests.payments.months import Shop
from tests.payments.papers import DAY, payment
from tests.payments.world import treasury_payee
from tests.world import staff


@pytest.fixture
def shop(app: Flask, admin: psycopg.Connection[Any], at: Callable[[datetime], None]) -> Shop:
    """A district's organ, one of whose two payments only WeChat knows."""
    at(datetime(2026, 6, 11, 10, 30, tzinfo=SHANGHAI).astimezone(UTC))
    made = Shop(admin, treasury_payee())
    known, strange = payment(hour=9, owner=made.owner(DAY)), payment(hour=12, owner=made.owner(DAY))
    made.knows([known])
    made.has_bill(DAY, [known, strange])
    reconcile(made.channel_id, DAY)
    return made


def test_a_difference_and_a_day_take_two_persons_each(app: Flask, shop: Shop) -> None:
    maker, checker = staff("finance_maker"), staff("finance_checker")
    merchant = shop.owner(DAY).sub_mchid
    [found] = told(app, maker, "reconciliation", "differences")
    assert (found["klass"], found["gap_fen"], found["state"]) == ("missing_here", 1250, "open")
    assert found["owner"] == "finance:330106"
    assert refused(app, maker, "reconciliation", "propose", merchant, DAY) == "day_not_explained"
    told(app, maker, "reconciliation", "take", found["key"])
    told(app, maker, "reconciliation", "explain", found["key"], "--because", "商户平台误收")
    assert refused(app, maker, "reconciliation", "accept", found["key"], "--because", "同意") == "not_permitted"
    told(app, checker, "reconciliation", "reject", found["key"], "--because", "请查明")
    told(app, maker, "reconciliation", "explain", found["key"], "--because", "已查明")
    assert told(app, checker, "reconciliation", "accept", found["key"], "--because", "同意")["state"] == "suspended"
    [suspended] = told(app, checker, "reconciliation", "differences", "--state", "suspended")
    assert (suspended["owner"], suspended["said"], suspended["age_days"]) == (maker.label, "已查明", 0)
    told(app, checker, "reconciliation", "compare", merchant, DAY)
    told(app, maker, "reconciliation", "propose", merchant, DAY)
    told(app, checker, "reconciliation", "sign", merchant, DAY)
    [day] = told(app, checker, "reconciliation", "days", "--first", DAY, "--last", DAY)
    assert (day["theirs"], day["ours"], day["matched"], day["signed_by"]) == (2, 1, 1, checker.label)
    assert len(told(app, maker, "reconciliation", "bills", "--first", DAY, "--last", DAY)) == 2


def test_a_checker_takes_a_bill_out_for_their_eyes_alone(app: Flask, shop: Shop, tmp_path: Path) -> None:
    merchant, file = shop.owner(DAY).sub_mchid, tmp_path / "bill.csv"
    named = ("reconciliation", "export-bill", merchant, DAY, "--to", file)
    assert refused(app, staff("finance_maker"), *named) == "not_permitted"
    assert refused(app, staff("finance_checker"), *named, "--version", 7) == "no_bill_original"
    assert list(tmp_path.iterdir()) == []
    said = run(app, staff("finance_checker"), *named)
    assert hashlib.sha256(file.read_bytes()).hexdigest() in said.stdout
    assert "12.50" in file.read_text()
    assert (stat.S_IMODE(file.stat().st_mode), list(tmp_path.iterdir())) == (0o600, [file])


def test_a_bill_is_written_through_no_link_and_into_nobodys_file(app: Flask, shop: Shop, tmp_path: Path) -> None:
    merchant, file, victim = shop.owner(DAY).sub_mchid, tmp_path / "bill.csv", tmp_path / "victim"
    named = ("reconciliation", "export-bill", merchant, DAY, "--to", file)
    draft = tmp_path / ".bill.csv.draft"
    victim.write_text("as it was")
    draft.symlink_to(victim)
    run(app, staff("finance_checker"), *named)
    assert (victim.read_text(), file.is_symlink()) == ("as it was", False)
    draft.write_text("older")
    draft.chmod(0o666)
    run(app, staff("finance_checker"), *named)
    assert (stat.S_IMODE(file.stat().st_mode), draft.exists()) == (0o600, False)


def test_a_district_sees_its_own_payees_alone(app: Flask, shop: Shop) -> None:
    own, other = (staff("finance_maker", district_code=code) for code in ("330106", "330108"))
    merchant = shop.owner(DAY).sub_mchid
    assert len(told(app, own, "reconciliation", "differences")) == 1
    for verb in ("differences", "days", "bills"):
        assert told(app, other, "reconciliation", verb) == []
    assert refused(app, other, "reconciliation", "propose", merchant, DAY) == "not_found"


def test_others_see_nothing_of_it(app: Flask, shop: Shop) -> None:
    officer = staff("price_officer")
    for verb in ("differences", "days", "bills"):
        assert refused(app, officer, "reconciliation", verb) == "not_permitted"


def test_suspense_has_an_owner_and_is_cleared_by_two(app: Flask, shop: Shop) -> None:
    maker, checker = staff("finance_maker"), staff("finance_checker")
    merchant = shop.owner(DAY).sub_mchid
    alone = payment(hour=13, owner=shop.owner(DAY))
    shop.knows([alone])
    told(app, checker, "reconciliation", "compare", merchant, DAY)
    for each in told(app, maker, "reconciliation", "differences"):
        told(app, maker, "reconciliation", "explain", each["key"], "--because", "待查")
        told(app, checker, "reconciliation", "accept", each["key"], "--because", "同意挂账")
    told(app, maker, "reconciliation", "propose", merchant, DAY)
    signed = told(app, checker, "reconciliation", "sign", merchant, DAY)
    assert (signed["suspense"], signed["suspense_fen"], signed["oldest_days"]) == (2, 0, 0)
    first, second = told(app, maker, "reconciliation", "suspense", "--merchant", merchant)
    assert {first["name"], second["name"]} == {"长款：微信有、我方无", "短款：我方有、微信无"}
    login = logins([checker.account_id])[checker.account_id]
    assert told(app, maker, "reconciliation", "assign", first["key"], login)["owner"] == checker.label
    asked = told(app, maker, "reconciliation", "clear", first["key"], "--against", second["key"], "--because", "同一笔")
    assert [each["waiting"] for each in told(app, maker, "reconciliation", "suspense")] == [asked["key"]] * 2
    decide = ("reconciliation", "accept-clearing", asked["key"], "--because", "回单已核")
    assert refused(app, maker, *decide) == "not_permitted"
    assert told(app, checker, *decide)["state"] == "accepted"
    assert refused(app, checker, *decide) == "clearing_decided"
    assert told(app, checker, "reconciliation", "suspense") == []
    [cleared] = told(app, checker, "reconciliation", "clearings", "--state", "accepted")
    assert (cleared["lines"], cleared["fen"], cleared["decided_by"]) == (2, 1250, checker.label)


def test_nothing_is_assigned_to_who_may_not_clear_it_up(app: Flask, shop: Shop) -> None:
    maker = staff("finance_maker")
    [found] = told(app, maker, "reconciliation", "differences")
    for helpless in (staff("price_officer"), staff("finance_maker", district_code="330108")):
        login = logins([helpless.account_id])[helpless.account_id]
        assert refused(app, maker, "reconciliation", "assign", found["key"], login) == "owner_cannot_act"
    assert refused(app, maker, "reconciliation", "assign", found["key"], "nobody") == "not_found"


def test_a_statement_is_imported_once_its_account_is_on_record(app: Flask, shop: Shop, tmp_path: Path) -> None:
    maker, checker = staff("finance_maker"), staff("finance_checker")
    file = tmp_path / "june.csv"
    file.write_text("记账日期,收入,支出,余额,附言\n2026-06-10,,,100.00,期初余额\n2026-06-10,42.00,,142.00,财付通\n")
    number = "571900000000042"
    merchant = shop.owner(DAY).sub_mchid
    brought = ("reconciliation", "import-statement", merchant, file, "--format", "csv", "--account", number)
    assert refused(app, maker, *brought) == "statement_of_another_account"
    recorded = told(
        app, maker, "reconciliation", "record-account", shop.payee.key, number, "--bank", "某银行", "--since",
        "2026-06-01", "--note", "财政局函12号",
    )  # fmt: skip
    assert refused(app, maker, "reconciliation", "confirm-account", recorded["key"]) == "not_permitted"
    told(app, checker, "reconciliation", "confirm-account", recorded["key"])
    [seen] = told(app, checker, "reconciliation", "accounts")
    assert (seen["account"], seen["confirmed_by"]) == (number, checker.label)
    assert told(app, maker, *brought)["closing_fen"] == 14200
