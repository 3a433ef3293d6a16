"""What is told in an opening plan, and how it is kept."""

from dataclasses import dataclass, field, replace
from datetime import time
from typing import Any, Final

from app.domain.lots.rules.hours import PlanHours, checked_margin, normal_duty_days, normal_exceptions
from app.kernel.refusals import Invalid

NOTICE_MARGIN: Final = 60
"""Minutes before work begins and after it ends in which the unit may keep its bays (N2.2.1)."""


class PlanWrong(Invalid):
    """A plan shares some bays, no negative number of chargers, and has a curfew with both ends or none."""

    code = "plan_wrong"
    message = "共享泊位数须大于零，共享充电设施数不得为负，禁止进出时段须同时填写起止时间且不能相同"


@dataclass(frozen=True)
class NewPlan:
    """What a unit tells in a plan (N4.7): bays and chargers to be shared, hours, rules for safety and emergencies.

    Margins are minutes beside the unit's office hours. `duty_days` are [{weekday, begins, ends}] (0 = Monday),
    `exceptions` [{date, begins, ends}], without times when nobody works. Between the curfew's clock times no car may
    move. `withholds` are numbers of bays that stop being shared. `shortfall_reason` says why the plan stays below
    what the notice asks.
    """

    shared_bays: int
    shared_chargers: int = 0
    closes_before_minutes: int = NOTICE_MARGIN
    opens_after_minutes: int = NOTICE_MARGIN
    duty_days: list[dict[str, Any]] = field(default_factory=list)
    exceptions: list[dict[str, Any]] = field(default_factory=list)
    curfew_begins: time | None = None
    curfew_ends: time | None = None
    safety_rules: str = ""
    emergency_plan: str = ""
    shortfall_reason: str | None = None
    withholds: list[str] = field(default_factory=list)

    def checked(self) -> "NewPlan":
        """The same as it is kept. Refuses `PlanWrong`, `MarginWrong`, `DutyDayWrong`, `ExceptionWrong`."""
        if self.shared_bays < 1 or self.shared_chargers < 0 or self._has_half_a_curfew():
            raise PlanWrong
        return replace(
            self,
            closes_before_minutes=checked_margin(self.closes_before_minutes),
            opens_after_minutes=checked_margin(self.opens_after_minutes),
            duty_days=normal_duty_days(self.duty_days), exceptions=normal_exceptions(self.exceptions),
            safety_rules=self.safety_rules.strip(), emergency_plan=self.emergency_plan.strip(),
            shortfall_reason=(self.shortfall_reason or "").strip() or None,
            withholds=sorted({number.strip() for number in self.withholds} - {""}),
        )  # fmt: skip

    def _has_half_a_curfew(self) -> bool:
        if self.curfew_begins is None or self.curfew_ends is None:
            return self.curfew_begins is not self.curfew_ends
        return self.curfew_begins == self.curfew_ends

    @property
    def hours(self) -> PlanHours:
        """What it says about hours."""
        return PlanHours(self.closes_before_minutes, self.opens_after_minutes, self.duty_days, self.exceptions)
