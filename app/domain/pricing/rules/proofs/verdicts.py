"""What a proof says: that a price holds under the cap everywhere, or the stay that shows where it does not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.domain.pricing.rules.proofs.remedies import Remedy
from app.domain.pricing.rules.quotes import Quote
from app.domain.pricing.rules.wording import duration, yuan


@dataclass(frozen=True)
class Counterexample:
    """The stay that exceeds the cap by the most, with both fees as the engine itself prices them.

    `day_classes` are the names that the tariffs use for its dates; `prior_stays` are earlier stays of the vehicle
    that make it least favourable; `assumes_used_up` tells that others, which nobody has named, are assumed to leave
    nothing of the references' caps of one plate. `remedy` is the smallest change of rates that would pass.
    """

    entry: datetime
    exit: datetime
    vehicle_class: str
    day_classes: Mapping[str, Sequence[str]]
    prior_stays: Sequence[tuple[datetime, datetime]]
    assumes_used_up: bool
    own: Quote
    references: Sequence[Quote | None]
    cap_fen: int
    remedy: Remedy

    @property
    def excess_fen(self) -> int:
        return self.own.total_fen - self.cap_fen

    def as_dict(self) -> dict[str, Any]:
        return {
            "entry": self.entry.isoformat(),
            "exit": self.exit.isoformat(),
            "duration_s": round((self.exit - self.entry).total_seconds()),
            "vehicle_class": self.vehicle_class,
            "day_classes": {day: list(names) for day, names in self.day_classes.items()},
            "prior_stays": [{"entry": begin.isoformat(), "exit": end.isoformat()} for begin, end in self.prior_stays],
            "assumes_used_up": self.assumes_used_up,
            "own": quote_as_dict(self.own),
            "references": [None if each is None else quote_as_dict(each) for each in self.references],
            "own_fen": self.own.total_fen,
            "cap_fen": self.cap_fen,
            "excess_fen": self.excess_fen,
            "remedy": self.remedy.as_dict(),
        }

    def explain(self) -> str:
        """The case in Chinese: both fees line by line, and what would pass."""
        head = f"{self.vehicle_class} 车型停车{duration(_seconds(self))}，收费{yuan(self.own.total_fen)}，"
        bound = f"周围政府定价停车场为{yuan(self.cap_fen)}，超出{yuan(self.excess_fen)}。"
        references = [f"参照{place}：\n{each.explain()}" for place, each in enumerate(self.references, 1) if each]
        assumed = "（假定此前停车已用尽参照停车场的单车封顶额。）" if self.assumes_used_up else ""
        return "\n".join(
            [head + bound + assumed, f"本停车场：\n{self.own.explain()}", *references, self.remedy.explain()]
        )


def _seconds(case: Counterexample) -> int:
    return round((case.exit - case.entry).total_seconds())


def quote_as_dict(quote: Quote) -> dict[str, Any]:
    """A quote as plain JSON: the fee in fen, its lines, and the boundary policy that was used."""
    lines = [
        {
            "rule": line.rule,
            "begins_at": line.begins_at.isoformat(),
            "ends_at": line.ends_at.isoformat(),
            "band": line.band,
            "units": line.units,
            "amount_fen": line.amount_fen,
            "text": line.text,
        }
        for line in quote.lines
    ]
    return {"fee_fen": quote.total_fen, "boundary_policy": quote.boundary_policy, "lines": lines}


@dataclass(frozen=True)
class Proof:
    """The outcome for all entries, day sequences, vehicle classes, prior stays and durations up to 48 h.

    `unbounded` tells that some stay has a price here and none in any reference, so that nothing bounds it.
    `grain_s` and `entries` say how much was looked at: two entries for each grain, every exit to the second.
    """

    combine: str
    counterexample: Counterexample | None
    unbounded: bool
    grain_s: int
    settings: int
    entries: int

    @property
    def holds(self) -> bool:
        return self.counterexample is None

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON, as stored and as `tariff prove --json` prints it."""
        return {
            "holds": self.holds,
            "combine": self.combine,
            "unbounded": self.unbounded,
            "grain_s": self.grain_s,
            "settings": self.settings,
            "entries": self.entries,
            "counterexample": None if self.counterexample is None else self.counterexample.as_dict(),
        }

    def explain(self) -> str:
        """The outcome in Chinese."""
        if self.counterexample is not None:
            return f"未通过：{self.counterexample.explain()}"
        scope = "任意入场时刻、任意日期序列、全部车型、48小时内任意时长（精确到秒），收费均不高于上限。"
        return "通过：" + scope + ("部分停车参照停车场无价格，不受上限约束。" if self.unbounded else "")
