"""What a lot lacks of what the notice asks, told when it is approved or published (N2.2.1-N2.2.5, N4.7, N5.4)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.kernel.clock import SHANGHAI

IN_FORCE: Final = datetime(2026, 3, 31, tzinfo=SHANGHAI)
"""The notice holds from here on (N6): nothing is enforced or counted for earlier moments."""

HIGHER_TARGET: Final = frozenset({"centre", "commercial"})
"""Areas whose units are encouraged to share more (N2.2.2)."""


@dataclass(frozen=True)
class Counts:
    """Bays and chargers, and how many of them are shared with the public."""

    total_bays: int
    shared_bays: int
    total_chargers: int
    shared_chargers: int

    @property
    def bays_percent(self) -> int:
        """Shared bays of a hundred, rounded down."""
        return percent(self.shared_bays, self.total_bays)

    @property
    def chargers_percent(self) -> int | None:
        """Shared chargers of a hundred, rounded down; None where there are none."""
        return percent(self.shared_chargers, self.total_chargers) if self.total_chargers else None


def percent(part: int, whole: int) -> int:
    """So many of a hundred, rounded down."""
    return 100 * part // whole if whole else 0


@dataclass(frozen=True)
class PlanFacts:
    """What counts of a lot's plan in force: who answers for it, whether it keeps the bays longer, and why."""

    roles: frozenset[str]
    is_shorter: bool
    reason: str | None


@dataclass(frozen=True)
class LotFacts:
    """What is known of a lot when somebody wants it to be public. `operation` is unit, operator or expired."""

    of_unit: Counts
    of_lot: Counts
    area: str
    plan: PlanFacts | None
    facilities: str
    """`sound`, `unsound`, `old` or `never` checked."""
    is_excluded: bool
    has_credit_code: bool
    operation: str
    has_payee: bool


@dataclass(frozen=True)
class Shortfall:
    """One thing that falls short: a blocking one keeps the lot from the public, the others are told and recorded."""

    code: str
    blocking: bool
    have: int | None
    need: int | None
    message: str


def shortfalls(facts: LotFacts, numbers: Mapping[str, int], at: datetime) -> list[Shortfall]:
    """Everything that a lot lacks at a moment, the blocking first; nothing before the notice is in force (N6)."""
    if at < IN_FORCE:
        return []
    found = [*_standing(facts), *_plan(facts), *_facilities(facts), *_counted(facts, numbers), *_money(facts)]
    return sorted(found, key=lambda each: not each.blocking)


def falls_below(counts: Counts, numbers: Mapping[str, int], at: datetime) -> bool:
    """Whether fewer bays or chargers are shared than the notice asks for in principle (N2.2.2)."""
    chargers = counts.chargers_percent
    return at >= IN_FORCE and (
        counts.bays_percent < numbers["shared_bays_percent"]
        or (chargers is not None and chargers < numbers["shared_chargers_percent"])
    )


def blocking(found: Sequence[Shortfall]) -> list[Shortfall]:
    """Those that keep a lot from the public."""
    return [each for each in found if each.blocking]


def _standing(facts: LotFacts) -> Iterator[Shortfall]:
    if facts.is_excluded:
        yield _must("unit_excluded", "开放单位已认定为例外情形，不得对外开放")
    if not facts.has_credit_code:
        yield _must("credit_code_missing", "开放单位尚未登记统一社会信用代码")
    if facts.operation == "expired":
        yield _must("agreement_expired", "委托运营协议已到期，请续签或声明自行运营")


def _plan(facts: LotFacts) -> Iterator[Shortfall]:
    if facts.plan is None:
        yield _must("plan_missing", "尚无经批准的开放方案")
        return
    for role, name in (("responsible", "责任人"), ("deputy", "副责任人")):
        if role not in facts.plan.roles:
            yield _must(f"{role}_missing", f"开放方案未明确{name}")
    if facts.plan.is_shorter:
        yield _excused("hours_shorter", facts.plan, None, None, "共享时段短于通知规定")


def _facilities(facts: LotFacts) -> Iterator[Shortfall]:
    text = {
        "never": "安防、照明、消防设施尚未检查",
        "unsound": "安防、照明、消防设施检查不合格",
        "old": "安防、照明、消防设施检查已过有效期",
    }
    if facts.facilities in text:
        yield _must(f"facilities_{facts.facilities}", text[facts.facilities])


def _counted(facts: LotFacts, numbers: Mapping[str, int]) -> Iterator[Shortfall]:
    """The ratios are the unit's (本单位总泊位数量); each lot's own is shown beside them elsewhere."""
    have, need = facts.of_unit.bays_percent, numbers["shared_bays_percent"]
    if have < need:
        yield _excused("bays_below_target", facts.plan, have, need, f"共享泊位占比 {have}%，低于 {need}%")
    chargers, need_chargers = facts.of_unit.chargers_percent, numbers["shared_chargers_percent"]
    if chargers is not None and chargers < need_chargers:
        text = f"共享充电设施占比 {chargers}%，低于 {need_chargers}%"
        yield _excused("chargers_below_target", facts.plan, chargers, need_chargers, text)
    higher = numbers["shared_bays_percent_centre"]
    if facts.area in HIGHER_TARGET and need <= have < higher:
        text = f"中心城区和商业区鼓励共享 {higher}% 以上，现为 {have}%"
        yield Shortfall("bays_below_encouraged", False, have, higher, text)


def _money(facts: LotFacts) -> Iterator[Shortfall]:
    if not facts.has_payee:
        yield Shortfall("payee_missing", False, None, None, "尚未确定收费主体；免费开放的可不设")


def _must(code: str, message: str) -> Shortfall:
    return Shortfall(code, True, None, None, message)


def _excused(code: str, plan: PlanFacts | None, have: int | None, need: int | None, message: str) -> Shortfall:
    """What holds in principle (原则上): it blocks unless the approved plan states why not."""
    if plan is not None and plan.reason:
        return Shortfall(code, False, have, need, f"{message}（已说明理由并经批准）")
    return Shortfall(code, True, have, need, f"{message}，须在开放方案中说明理由并经批准")
