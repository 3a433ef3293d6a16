"""A closed day and a closed month on paper: what it says, that it says the same each time, and what proves it."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from pypdf import PdfReader

from app.domain.audit.queries import proof
from app.domain.audit.rules import printed_anchor
from app.domain.staff.rules import Actor
from app.kernel.clock import SHANGHAI
from payments.reconciliation import actions
from simulators.wechat.bill_papers import Flowed, Traded
from tests.audit.scene import seal_all
from tests.commands import refused, told
from tests.payments.months import Shop
from tests.payments.papers import DAY, at, flowing, payment
from tests.payments.world import treasury_payee
from tests.world import staff

Move = Callable[[datetime], None]


@pytest.fixture
def shop(app: Flask, admin: psycopg.Connection[Any], at: Move) -> Shop:
    """A district's organ, in July."""
    at(datetime(2026, 7, 3, 10, 30, tzinfo=SHANGHAI).astimezone(UTC))
    return Shop(admin, treasury_payee())


@pytest.fixture
def maker(shop: Shop) -> Actor:
    return staff("finance_maker")


@pytest.fixture
def checker(shop: Shop) -> Actor:
    return staff("finance_checker")


def closed(shop: Shop, maker: Actor, checker: Actor, *strange: Traded) -> None:
    """A day with one payment that both know, a settlement, and these that only WeChat knows, in suspense."""
    known = payment(1250, 9, shop.owner(DAY))
    shop.knows([known])
    lines = [known, *strange]
    paid_out = Flowed(at(8), "TX2026061000001", "提现", -4200, "", "TX2026061000001")
    shop.has_bill(DAY, lines, moved=[paid_out, *flowing(lines)])
    actions.reconcile(shop.channel_id, DAY)
    for each in shop.differs(DAY):
        actions.explain(each.key, maker.label, "商户平台误收")
        actions.accept(each.key, checker.label, "同意挂账")
    actions.propose(shop.channel_id, DAY, maker.label)
    actions.sign(shop.channel_id, DAY, checker.label)


def text_of(file: Path) -> str:
    """What stands on the paper, without the breaks of its lines."""
    return "".join("".join(page.extract_text().split()) for page in PdfReader(file).pages)


def written(app: Flask, by: Actor, file: Path, *words: object) -> str:
    told(app, by, "reconciliation", *words, "--pdf", file)
    return text_of(file)


def test_a_days_sheet_says_sums_differences_who_closed_it_and_what_proves_it(
    app: Flask, shop: Shop, maker: Actor, checker: Actor, tmp_path: Path
) -> None:
    strange = payment(700, 12, shop.owner(DAY))
    closed(shop, maker, checker, strange)
    seal_all()
    merchant = shop.owner(DAY).sub_mchid
    said = written(app, checker, tmp_path / "day.pdf", "sheet", merchant, DAY)
    for word in (
        "微信支付对账日结单", "2026-06-10", "某区机关事务管理中心", merchant, "微信账单219.50", "相符112.50",
        "长款：微信有、我方无", strange.transaction_id, "7.00", "商户平台误收", "同意挂账", maker.name, checker.name,
        "手续费（元）0.12", "结算到账（元）42.00", "第1页，共1页",
    ):  # fmt: skip
        assert word in said, word
    anchor = re.search(r"审计锚点(\d+):([0-9a-f]{64})", said)
    assert anchor is not None
    assert proof([], [printed_anchor(f"{anchor[1]}: {anchor[2]}")]).is_sound


def test_the_same_sheet_has_the_same_bytes_whoever_takes_it_whenever(
    app: Flask, shop: Shop, maker: Actor, checker: Actor, tmp_path: Path, at: Move
) -> None:
    closed(shop, maker, checker, payment(700, 12, shop.owner(DAY)))
    seal_all()
    files = tmp_path / "first.pdf", tmp_path / "second.pdf"
    written(app, checker, files[0], "sheet", shop.owner(DAY).sub_mchid, DAY)
    at(datetime(2026, 7, 9, tzinfo=UTC))
    seal_all()
    written(app, maker, files[1], "sheet", shop.owner(DAY).sub_mchid, DAY)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_there_is_no_sheet_before_the_day_is_closed_and_sealed_nor_for_others(
    app: Flask, shop: Shop, maker: Actor, checker: Actor, tmp_path: Path
) -> None:
    words = ("reconciliation", "sheet", shop.owner(DAY).sub_mchid, DAY, "--pdf", tmp_path / "day.pdf")
    assert refused(app, checker, *words) == "day_not_signed_off"
    closed(shop, maker, checker)
    assert refused(app, checker, *words) == "sheet_not_sealed"
    seal_all()
    assert refused(app, staff("finance_checker", district_code="330108"), *words) == "not_found"
    assert not (tmp_path / "day.pdf").exists()


def test_a_long_sheet_counts_its_pages(
    app: Flask, shop: Shop, maker: Actor, checker: Actor, tmp_path: Path
) -> None:  # fmt: skip
    closed(shop, maker, checker, *(payment(100 + number, 12, shop.owner(DAY)) for number in range(25)))
    seal_all()
    said = written(app, checker, tmp_path / "day.pdf", "sheet", shop.owner(DAY).sub_mchid, DAY)
    pages = len(PdfReader(tmp_path / "day.pdf").pages)
    assert pages > 1
    assert f"第1页，共{pages}页" in said
    assert f"第{pages}页，共{pages}页" in said


def test_a_months_sheet_has_a_line_for_each_day_once_all_are_closed(
    app: Flask, shop: Shop, maker: Actor, checker: Actor, tmp_path: Path
) -> None:
    words = ("month-sheet", shop.owner(DAY).sub_mchid, "2026-06")
    closed(shop, maker, checker)
    second = DAY + timedelta(days=1)
    shop.has_bill(second, [])
    assert refused(app, checker, "reconciliation", *words, "--pdf", tmp_path / "june.pdf") == "month_not_signed_off"
    actions.reconcile(shop.channel_id, second)
    actions.propose(shop.channel_id, second, maker.label)
    actions.sign(shop.channel_id, second, checker.label)
    seal_all()
    said = written(app, checker, tmp_path / "june.pdf", *words)
    for word in (
        "微信支付对账月结单",
        "日结天数：2",
        "2026-06-10",
        "2026-06-11",
        "微信金额合计（元）12.50",
        checker.name,
    ):
        assert word in said, word
