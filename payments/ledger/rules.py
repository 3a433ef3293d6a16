"""Double entry in fen: which lines each event posts, and when a set of lines is a journal.

A debit is a positive amount, a credit a negative one, so that each journal sums to zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from app.kernel.canon import digest_of
from app.kernel.money import Fen

TREASURY = "TREASURY"
SOE = "SOE"
CORRECTION = "correction"
"""The kind of journal that stands for one that was reversed because it was wrong."""


class Unbalanced(ValueError):
    """A programmer's lines do not make a journal: they sum to something, or there are too few."""


@dataclass(frozen=True)
class AccountCode:
    """One line of the chart of accounts (会计科目); `regime` None: in every payee's books."""

    code: str
    kind: str
    regime: str | None = None

    @property
    def normal_side(self) -> str:
        return "debit" if self.kind in {"asset", "expense"} else "credit"


CHART = (
    AccountCode("wx_receivable", "asset"),
    AccountCode("bank", "asset"),
    AccountCode("suspense_short", "asset"),
    AccountCode("treasury_refund_claim", "asset", TREASURY),
    AccountCode("wx_fee", "expense"),
    AccountCode("customer_prepaid", "liability"),
    AccountCode("refund_payable", "liability"),
    AccountCode("refund_abnormal", "liability"),
    AccountCode("suspense_long", "liability"),
    AccountCode("due_to_treasury", "liability", TREASURY),
    AccountCode("revenue", "income", SOE),
)


def chart_of(regime: str) -> list[AccountCode]:
    """The accounts that a payee of this regime keeps."""
    return [each for each in CHART if each.regime in (None, regime)]


@dataclass(frozen=True)
class Line:
    """One posting to be made: an account's code and signed fen."""

    account: str
    amount_fen: Fen


def debit(account: str, fen: Fen) -> Line:
    """Dr: a positive amount."""
    return Line(account, fen)


def credit(account: str, fen: Fen) -> Line:
    """Cr: the same amount, negative."""
    return Line(account, -fen)


def paid_lines(fen: Fen) -> list[Line]:
    """Payment success: WeChat owes us, we owe the motorist a service."""
    return [debit("wx_receivable", fen), credit("customer_prepaid", fen)]


def recognised_lines(regime: str, fen: Fen) -> list[Line]:
    """The service is done: 应缴财政款 of an organ or institution, income of an enterprise."""
    return [debit("customer_prepaid", fen), credit(earned_account(regime), fen)]


def earned_account(regime: str) -> str:
    """Where a payee's earned money stands."""
    return "due_to_treasury" if regime == TREASURY else "revenue"


def surplus_lines(fen: Fen) -> list[Line]:
    """长款: WeChat holds money that no charge asks for; it waits until a person decides."""
    return [debit("wx_receivable", fen), credit("suspense_long", fen)]


def swapped(lines: Sequence[Line]) -> list[Line]:
    """The same lines with debit and credit exchanged."""
    return [Line(each.account, -each.amount_fen) for each in lines]


def check(lines: Sequence[Line]) -> None:
    """Raise `Unbalanced` unless there are two lines or more, none of zero, summing to zero."""
    if len(lines) < 2 or any(each.amount_fen == 0 for each in lines):  # noqa: PLR2004
        raise Unbalanced("a journal has at least two lines, none of zero fen")
    if sum(each.amount_fen for each in lines) != 0:
        raise Unbalanced("debits and credits differ")


def intent(kind: str, business_ref: str, payee_id: int, lines: Sequence[Line]) -> bytes:
    """SHA-256 of what a journal is meant to say, whatever the order of its lines."""
    rows = sorted(f"{each.account}={each.amount_fen}" for each in lines)
    return digest_of(kind, business_ref, payee_id, *rows)
