"""The reckoning at the end finds whatever is wrong."""

import json
from typing import Any

import pytest

from demo.accounts import Books, check_ledger, check_wechat, paid_by_payee, read_ledger
from demo.patience import DemoFailed
from demo.town import Paid

PAID = [Paid("财政", 800), Paid("企业", 1500), Paid("财政", 1100)]
TREASURY = {"wx_receivable": 1900, "due_to_treasury": -1900}
COMPANY = {"wx_receivable": 1500, "revenue": -1500}


def books(treasury: dict[str, int] = TREASURY, company: dict[str, int] = COMPANY) -> list[Books]:
    idle = Books("无收入", "SOE", "1900000003", {})
    return [Books("财政", "TREASURY", "1900000001", treasury), Books("企业", "SOE", "1900000002", company), idle]


def order(sub_mchid: str, fen: int, state: str = "SUCCESS") -> dict[str, Any]:
    return {"sub_mchid": sub_mchid, "total": fen, "payer_total": fen, "trade_state": state}


def book(*orders: dict[str, Any]) -> dict[str, Any]:
    return {"orders": list(orders), "paid_fen": sum(each["total"] for each in orders)}


RIGHT = (order("1900000001", 800), order("1900000002", 1500), order("1900000001", 1100))


def test_payments_add_up_by_payee() -> None:
    assert paid_by_payee(PAID) == {"财政": 1900, "企业": 1500}


def test_books_that_say_the_same_pass() -> None:
    check_ledger(books(), PAID)
    check_wechat(book(*RIGHT), books(), PAID)


@pytest.mark.parametrize(
    "wrong",
    [
        books(treasury={"wx_receivable": 1900, "customer_prepaid": -1100, "due_to_treasury": -800}),
        books(treasury={"wx_receivable": 1901, "due_to_treasury": -1901}),
        books(company={"wx_receivable": 1500, "due_to_treasury": -1500}),
        books(company={}),
        [*books(), Books("别人", "SOE", "1900000004", {"wx_receivable": 1, "revenue": -1})],
    ],
    ids=["not earned", "a fen too much", "wrong regime", "missing", "somebody else"],
)
def test_a_ledger_that_differs_by_a_fen_or_an_account_fails(wrong: list[Books]) -> None:
    with pytest.raises(DemoFailed, match="the ledger: "):
        check_ledger(wrong, PAID)


@pytest.mark.parametrize(
    "orders",
    [
        RIGHT[:2],
        (*RIGHT, order("1900000003", 0, "NOTPAY")),
        (order("1900000002", 800), *RIGHT[1:]),
        (order("1900000009", 800), *RIGHT[1:]),
        (order("1900000001", 800, "NOTPAY"), *RIGHT[1:]),
    ],
    ids=["missing", "one too many", "another payee's", "a stranger's", "unpaid"],
)
def test_a_book_of_wechats_with_another_order_fails(orders: tuple[dict[str, Any], ...]) -> None:
    with pytest.raises(DemoFailed, match="WeChat's orders: "):
        check_wechat(book(*orders), books(), PAID)


def ledger(*accounts: dict[str, int]) -> str:
    told = [
        {
            "payee": f"主体{place}", "regime": "SOE", "sub_mchid": None, "account": code,
            "debit_fen": max(fen, 0), "credit_fen": max(-fen, 0),
        }
        for place, each in enumerate(accounts) for code, fen in each.items()
    ]  # fmt: skip
    return json.dumps(told)


def test_a_ledger_is_read_by_payee() -> None:
    assert [each.accounts for each in read_ledger(ledger(COMPANY, TREASURY))] == [COMPANY, TREASURY]


def test_postings_that_do_not_sum_to_zero_for_each_payee_fail() -> None:
    with pytest.raises(DemoFailed, match="sum of "):
        read_ledger(ledger({"revenue": -1}, {"wx_receivable": 1}))
