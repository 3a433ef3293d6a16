"""The five ways to price time inside a band; each tells what a piece costs as runs of equal units."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Final, NamedTuple

from app.domain.pricing.rules.form import (
    Form,
    InvalidTariff,
    Read,
    Senseless,
    fen,
    list_of,
    minutes,
    one_of,
    or_null,
    unit,
    word,
)
from app.domain.pricing.rules.spans import NoPrice, Span, Window


class Run(NamedTuple):
    """So many times the same price; `unit_s` is null for what is paid once, whatever its length."""

    times: int
    each_fen: int
    unit_s: int | None = None

    @property
    def fen(self) -> int:
        return self.times * self.each_fen


@dataclass(frozen=True)
class Rounding:
    """What an incomplete last unit costs: up = a whole unit, down = nothing, ignore_tail = a unit beyond the tail."""

    kind: str
    tail_s: int = 0

    @classmethod
    def read(cls, form: Form, kind: str | None = None, tail_s: int | None = None) -> "Rounding":
        """The form's own rounding and tail, each in place of the one around it."""
        kind = form.take_or("rounding", one_of("up", "down", "ignore_tail"), kind)
        tail_s = form.take_or("tail_min", minutes(0), tail_s)
        if kind is None:
            raise InvalidTariff(form.at("rounding"), "缺少此项")
        if kind == "ignore_tail" and tail_s is None:
            raise InvalidTariff(form.at("tail_min"), "缺少此项：rounding为ignore_tail时须写明")
        return cls(kind, tail_s or 0)

    def counts(self, used_s: int) -> bool:
        """Whether a started unit is charged after so many seconds of it."""
        return used_s > (self.tail_s if self.kind == "ignore_tail" else 0) and self.kind != "down"

    def units(self, seconds: int, unit_s: int) -> int:
        """How many units so many seconds make."""
        complete, used = divmod(seconds, unit_s)
        return complete + self.counts(used)


@dataclass(frozen=True)
class Step:
    """Units of one price for `length_s` seconds, or without end."""

    length_s: int | None
    unit_s: int
    fen: int
    rounding: Rounding

    @classmethod
    def reader(cls, rounding: str | None, tail_s: int | None) -> Read["Step"]:
        """Reads a step inside a band with this rounding and tail."""

        def read(value: object, where: str) -> Step:
            form = Form(value, where)
            step = cls(
                form.take("minutes", or_null(minutes())),
                unit(form),
                form.take("fen", fen),
                Rounding.read(form, rounding, tail_s),
            )
            form.close()
            return step.checked(where)

        return read

    def checked(self, where: str) -> "Step":
        if self.length_s is not None and self.length_s % self.unit_s:
            raise Senseless(f"{where}.minutes", "须为计费单位的整数倍")
        return self


class Laid(NamedTuple):
    """Units laid one after the other, and the second at which the last of them ends."""

    runs: tuple[Run, ...]
    end: int


@dataclass(frozen=True)
class Stepped:
    """Steps walked in order, each cut into units."""

    steps: tuple[Step, ...]

    @classmethod
    def read(cls, form: Form) -> "Stepped":
        rounding = form.take_or("rounding", one_of("up", "down", "ignore_tail"), None)
        tail_s = form.take_or("tail_min", minutes(0), None)
        steps = form.take("steps", list_of(Step.reader(rounding, tail_s)))
        if any(step.length_s is None for step in steps[:-1]):
            raise Senseless(form.at("steps"), "只有最后一级可以不限时长，其后各级永远不会用到")
        return cls(steps)

    @property
    def first_paid_fen(self) -> int:
        return next((step.fen for step in self.steps if step.fen), 0)

    def price(self, spans: Sequence[Span], period_begin: int) -> tuple[Run, ...]:
        del period_begin
        seconds = sum(span.seconds for span in spans)
        return self.lay(seconds, seconds).runs

    def lay(self, start_before_s: int, end_s: int) -> Laid:
        """Units from second 0 that start before `start_before_s`; what runs past `end_s` is an incomplete unit."""
        at, runs = 0, []
        for step in self.steps:
            if at >= start_before_s:
                break
            starting = -(-(start_before_s - at) // step.unit_s)
            wanted = starting if step.length_s is None else min(starting, step.length_s // step.unit_s)
            complete = min(wanted, (end_s - at) // step.unit_s)
            used = end_s - at - complete * step.unit_s
            counted = complete + (complete < wanted and step.rounding.counts(used))
            runs.append(Run(counted, step.fen, step.unit_s))
            at = end_s if complete < wanted else at + complete * step.unit_s
        if at < start_before_s:
            raise NoPrice(reason="停车时长超出最后一级")
        return Laid(tuple(run for run in runs if run.times), at)


@dataclass(frozen=True)
class PerVisit:
    """The same price for each piece, however short."""

    fen: int

    @classmethod
    def read(cls, form: Form) -> "PerVisit":
        return cls(form.take("fen", fen))

    @property
    def first_paid_fen(self) -> int:
        return self.fen

    def price(self, spans: Sequence[Span], period_begin: int) -> tuple[Run, ...]:
        del period_begin
        return (Run(len(spans), self.fen),)


@dataclass(frozen=True)
class Free:
    """Costs nothing."""

    first_paid_fen: ClassVar[int] = 0

    def price(self, spans: Sequence[Span], period_begin: int) -> tuple[Run, ...]:
        del spans, period_begin
        return ()


class Row(NamedTuple):
    """What a stay costs that is not longer than `up_to_s`."""

    up_to_s: int
    fen: int

    @classmethod
    def read(cls, value: object, where: str) -> "Row":
        form = Form(value, where)
        row = cls(form.take("up_to_min", minutes()), form.take("fen", fen))
        form.close()
        return row


@dataclass(frozen=True)
class TableOfTotals:
    """The total of the first row that is long enough; `beyond` names what happens after the last, without a price."""

    rows: tuple[Row, ...]
    beyond: str | None

    @classmethod
    def read(cls, form: Form) -> "TableOfTotals":
        rows = form.take("table", list_of(Row.read))
        if any(one.up_to_s >= next_one.up_to_s for one, next_one in pairwise(rows)):
            raise Senseless(form.at("table"), "各行的up_to_min须逐行增大")
        return cls(rows, form.take_or("beyond", or_null(word), None))

    @property
    def first_paid_fen(self) -> int:
        return next((row.fen for row in self.rows if row.fen), 0)

    def price(self, spans: Sequence[Span], period_begin: int) -> tuple[Run, ...]:
        del period_begin
        seconds = sum(span.seconds for span in spans)
        for row in self.rows:
            if seconds <= row.up_to_s:
                return (Run(1, row.fen),)
        raise NoPrice(reason="停车时长超出价目表", beyond=self.beyond)


@dataclass(frozen=True)
class FlatThenUnits:
    """A flat price, and units for the time later than `flat_until_s` after the start of the period."""

    flat_until_s: int
    flat_fen: int
    unit_s: int
    fen: int
    rounding: Rounding
    after_window: Window | None

    @classmethod
    def read(cls, form: Form) -> "FlatThenUnits":
        return cls(
            form.take("flat_until_min", minutes(0)),
            form.take("flat_fen", fen),
            unit(form),
            form.take("fen", fen),
            Rounding.read(form),
            form.take_or("after_window", or_null(Window.read), None),
        )

    @property
    def first_paid_fen(self) -> int:
        return self.flat_fen or self.fen

    def price(self, spans: Sequence[Span], period_begin: int) -> tuple[Run, ...]:
        flat_end = period_begin + self.flat_until_s
        later = [Span(max(span.begin, flat_end), max(span.end, flat_end)) for span in spans]
        seconds = sum(map(self._counted, later))
        return Run(1, self.flat_fen), Run(self.rounding.units(seconds, self.unit_s), self.fen, self.unit_s)

    def _counted(self, span: Span) -> int:
        return span.seconds if self.after_window is None else self.after_window.seconds_within(span)


Method = Stepped | PerVisit | Free | TableOfTotals | FlatThenUnits
"""Each tells the `price` of a piece, and the first price above nothing (`first_paid_fen`) that it knows."""


_READERS: Final[Mapping[str, Callable[[Form], Method]]] = {
    "stepped": Stepped.read,
    "per_visit": PerVisit.read,
    "free": lambda _: Free(),
    "table_of_totals": TableOfTotals.read,
    "flat_then_units": FlatThenUnits.read,
}


def read_method(form: Form) -> Method:
    """The method of a band from the keys that this method needs."""
    method = _READERS[form.take("method", one_of(*_READERS))](form)
    form.refuse_others(_KEYS, "不适用于此计费方式")
    return method


_KEYS: Final = ["steps", "table", "beyond", "flat_until_min", "flat_fen", "unit_min", "unit_s", "fen", "after_window"]
"""The keys of all methods, but for rounding and tail."""
