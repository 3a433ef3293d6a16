"""Revenue by whatever it is asked by: figures of one payee on one day, added up."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Final, NamedTuple

from app.kernel.money import Fen
from app.kernel.refusals import Invalid
from payments.receipts.rules.taxes import tax_within

PURPOSES: Final[Mapping[str, str]] = {
    "platform_service": "平台服务", "berth_management": "泊位管理", "facilities": "设施改造维护", "other": "其他",
}  # fmt: skip
"""What the money is mainly for (N3.3)."""
DIMENSIONS: Final[Mapping[str, str]] = {
    "month": "月份", "day": "日期", "district": "区县", "level": "级次", "unit": "开放单位", "payee": "收费主体",
    "item": "项目编码",
}  # fmt: skip
"""By what revenue can be asked, and its Chinese name."""
LEVELS: Final[Mapping[str, str]] = {"city": "市级", "district": "区县级"}


class NotADimension(Invalid):
    """Revenue is asked by payee, unit, district, level, item, day or month, each once."""

    code = "not_a_dimension"
    message = "汇总维度须为 payee、unit、district、level、item、day、month 之一，且不重复"


@dataclass(frozen=True)
class Figures:
    """Sums in fen; `FIGURES` names them in Chinese."""

    charged_fen: Fen = 0
    """What was asked for in the span and not withdrawn since."""
    paid_fen: Fen = 0
    refunded_fen: Fen = 0
    """What WeChat gave back."""
    repaid_fen: Fen = 0
    """What the treasury paid back of what it had (退付)."""
    fee_fen: Fen = 0
    earned_fen: Fen = 0
    settled_fen: Fen = 0
    """What arrived at the bank or the fiscal account."""
    remitted_fen: Fen = 0
    """What left it for the treasury, on the day on which it was sent."""
    unremitted_fen: Fen = 0
    """What of `earned_fen` is due to the treasury and in no remittance that was sent."""
    open_fen: Fen = 0
    """What of `charged_fen` is not paid yet."""

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))


FIGURES: Final[Mapping[str, str]] = {
    "charged_fen": "应收", "paid_fen": "实收", "refunded_fen": "退款", "repaid_fen": "退付",
    "fee_fen": "手续费", "earned_fen": "确认收入",
    "settled_fen": "到账", "remitted_fen": "上缴", "unremitted_fen": "未缴", "open_fen": "未收",
}  # fmt: skip


@dataclass(frozen=True)
class VatLine:
    """What an enterprise earned at one rate of VAT, and the tax within; no method: nobody has confirmed one."""

    payee: str
    method: str | None
    basis_points: int | None
    gross_fen: Fen

    @property
    def tax_fen(self) -> Fen:
        """Of the whole sum, half a fen upwards; what goes back takes tax with it at its own day's rate."""
        tax = tax_within(abs(self.gross_fen), self.basis_points or 0)
        return tax if self.gross_fen >= 0 else -tax

    @property
    def net_fen(self) -> Fen:
        """What is the enterprise's own."""
        return self.gross_fen - self.tax_fen


@dataclass(frozen=True)
class Recipient:
    """A payee, or one unit of it, as reports name it: where it and its units lie, and under which item it collects."""

    payee: str
    unit: str
    district: str
    level: str
    item: str


class Whose(NamedTuple):
    """A payee, or the part of it that one of several units brought; without a unit what is of none of them."""

    payee_id: int
    unit_id: int | None = None


@dataclass(frozen=True)
class Takings:
    """What one payee, or one unit of it, took on one day."""

    day: date
    whose: Whose
    figures: Figures


@dataclass(frozen=True)
class RevenueLine:
    """One line of a report: the words of its dimensions, and the figures."""

    by: tuple[str, ...]
    figures: Figures


def check_dimensions(by: Sequence[str]) -> None:
    """Refuse `NotADimension` unless there is one at least, each known and named once."""
    if not by or len(set(by)) != len(by) or not set(by) <= set(DIMENSIONS):
        raise NotADimension(by=list(by))


def summed(takings: Iterable[Takings], recipients: Mapping[Whose, Recipient], by: Sequence[str]) -> list[RevenueLine]:
    """The report's lines in the order of their words."""
    sums: dict[tuple[str, ...], Figures] = {}
    for each in takings:
        words = tuple(_word(each, recipients[each.whose], dimension) for dimension in by)
        sums[words] = sums.get(words, Figures()) + each.figures
    return [RevenueLine(words, sums[words]) for words in sorted(sums)]


def total(lines: Iterable[RevenueLine]) -> Figures:
    """All lines together."""
    return sum((line.figures for line in lines), Figures())


def _word(takings: Takings, recipient: Recipient, dimension: str) -> str:
    if dimension == "day":
        return takings.day.isoformat()
    return f"{takings.day:%Y-%m}" if dimension == "month" else str(getattr(recipient, dimension))


def month_of(first: date) -> tuple[date, date]:
    """A month's first and last day."""
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def yuan(fen: Fen) -> str:
    """Two decimals, without floating point."""
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100:,}.{abs(fen) % 100:02d}"
