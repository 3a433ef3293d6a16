"""Every figure at the end: the platform's ledger, WeChat's own book and the tariffs must say the same."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from demo.patience import insist_equal
from demo.town import Paid

EARNED = {"TREASURY": "due_to_treasury", "SOE": "revenue"}
"""Under which account the money waits: 应缴财政款 of a treasury's payee, income of an enterprise."""


@dataclass(frozen=True)
class Books:
    """What the command `ledger books` says of one payee: the accounts that are not empty, a debit positive."""

    payee: str
    regime: str
    sub_mchid: str | None
    accounts: dict[str, int]


def read_ledger(text: str) -> list[Books]:
    """All payees that hold something; the postings of each sum to zero."""
    books: dict[str, Books] = {}
    for each in json.loads(text):
        of = books.setdefault(each["payee"], Books(each["payee"], each["regime"], each["sub_mchid"], {}))
        of.accounts[each["account"]] = each["debit_fen"] - each["credit_fen"]
    for each in books.values():
        insist_equal(f"sum of {each.payee}", sum(each.accounts.values()), 0)
    return list(books.values())


def paid_by_payee(paid: Sequence[Paid]) -> dict[str, int]:
    """What the visits brought to each, in fen."""
    sums: Counter[str] = Counter()
    for each in paid:
        sums[each.payee] += each.fen
    return dict(sums)


def check_ledger(books: Sequence[Books], paid: Sequence[Paid]) -> None:
    """Each payee has what was paid to it, WeChat owes it that, all of it is earned, and nobody has anything else."""
    expected = {}
    for payee, fen in paid_by_payee(paid).items():
        regime = next(each.regime for each in books if each.payee == payee)
        expected[payee] = {"wx_receivable": fen, EARNED[regime]: -fen}
    insist_equal("the ledger", {each.payee: each.accounts for each in books if each.accounts}, expected)


def check_wechat(book: Mapping[str, Any], books: Sequence[Books], paid: Sequence[Paid]) -> None:
    """WeChat's book knows one paid order for each payment and no other, each at its payee's own sub-merchant."""
    payees = {each.sub_mchid: each.payee for each in books}
    seen = sorted((payees.get(each["sub_mchid"], "?"), each["total"], each["payer_total"], each["trade_state"])
                  for each in book["orders"])  # fmt: skip
    insist_equal("WeChat's orders", seen, sorted((each.payee, each.fen, each.fen, "SUCCESS") for each in paid))
    insist_equal("WeChat's sum", book["paid_fen"], sum(each.fen for each in paid))
