"""What one stay costs, line by line."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final

from app.domain.pricing.rules.blocks import Block, Charge, total_fen
from app.domain.pricing.rules.charges import Asked, Pricing
from app.domain.pricing.rules.day_classes import Calendar
from app.domain.pricing.rules.form import DAY_SECONDS
from app.domain.pricing.rules.layers import Waiver
from app.domain.pricing.rules.parts import FULL_PERMILLE, by_permille
from app.domain.pricing.rules.spans import Span, moment, no_day_classes, wall
from app.domain.pricing.rules.tariff import Tariff
from app.domain.pricing.rules.wording import POLICY_TEXT, duration, line_text, yuan
from app.kernel.refusals import Invalid

History = Collection[tuple[datetime, datetime]]
"""Other stays of a vehicle, each with entry and exit."""
NO_HISTORY: Final[History] = ()
LONGEST_DAYS: Final = 400


class EndsBeforeItBegins(Invalid):
    """The exit lies before the entry."""

    code = "stay_ends_before_it_begins"
    message = "离场时间早于入场时间"


class StayTooLong(Invalid):
    """Nobody parks so long: one of the two moments is wrong; details: `longest_days`."""

    code = "stay_too_long"
    message = f"停车时长超过{LONGEST_DAYS}天"


class UnknownWaiver(Invalid):
    """The tariff has no such ground for a free stay; details: `waiver`."""

    code = "unknown_waiver"
    message = "该收费标准没有此免费事由"


class UnknownPaymentChannel(Invalid):
    """The tariff has no discount for such a channel; details: `payment_channel`."""

    code = "unknown_payment_channel"
    message = "该收费标准没有此支付渠道的优惠"


@dataclass(frozen=True)
class Line:
    """One line of a quote; `amount_fen` is negative where its rule reduces.

    `rule` is what made it: waiver, free_time, free_span, band, band_cap, vehicle_factor, period_cap, overstay,
    overstay_cap, plate_cap or occupancy. `units` counts what was charged, before a cap.
    """

    rule: str
    begins_at: datetime
    ends_at: datetime
    band: str | None
    units: int | None
    amount_fen: int
    text: str


@dataclass(frozen=True)
class Quote:
    """The fee of one stay in fen: `total_fen` is the sum of the lines.

    `payable_fen` is what a payment channel's discount leaves of it; `boundary_policy` is the named choice of
    how a stay that crosses bands is counted.
    """

    entry: datetime
    exit: datetime
    vehicle_class: str
    tariff: Tariff
    bill: tuple[Block, ...]
    waiver: str | None
    total_fen: int
    payable_fen: int
    payment_channel: str | None

    @property
    def boundary_policy(self) -> str:
        return self.tariff.boundary_policy

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """The bill in words; worked out when somebody looks."""
        charges = (charge for block in self.bill for charge in block.charges())
        return tuple(_line(charge, line_text(charge, self.tariff, self.waiver)) for charge in charges)

    def explain(self) -> str:
        """The quote as Chinese text, a line each."""
        stayed = wall(self.exit) - wall(self.entry)
        head = f"{_when(self.entry)} 至 {_when(self.exit)}，停车{duration(stayed)}"
        body = [
            f"{_when(line.begins_at)} 至 {_when(line.ends_at)} {line.text}：{yuan(line.amount_fen)}"
            for line in self.lines
        ]
        foot = [POLICY_TEXT[self.boundary_policy], f"合计：{yuan(self.total_fen)}"]
        if self.payment_channel is not None:
            foot.append(f"支付渠道优惠后：{yuan(self.payable_fen)}")
        return "\n".join([head, *body, *foot])


def _when(at: datetime) -> str:
    return moment(wall(at)).strftime("%Y-%m-%d %H:%M:%S")


def _line(charge: Charge, text: str) -> Line:
    return Line(
        charge.rule, moment(charge.span.begin), moment(charge.span.end),
        charge.band.name if charge.band else None,
        sum(run.times for run in charge.runs) if charge.rule == "band" or charge.runs else None,
        charge.amount_fen, text,
    )  # fmt: skip


def quote(  # noqa: PLR0913
    tariff: Tariff,
    entry: datetime,
    exit: datetime,  # noqa: A002
    vehicle_class: str | None = None,
    history: History = NO_HISTORY,
    calendar: Calendar = no_day_classes,
    *,
    booked_end: datetime | None = None,
    waiver: str | None = None,
    payment_channel: str | None = None,
) -> Quote:
    """Price the stay [entry, exit) in whole seconds of Shanghai's clock.

    `history` are the vehicle's other stays in the lot, of which those that began later do not matter; `calendar` tells
    the day classes of a date, `booked_end` the end of the reservation, `waiver` a ground that was proved. Order of the
    rules: docs/tariffs.md. Raises EndsBeforeItBegins, StayTooLong, UnknownVehicleClass, UnknownWaiver,
    UnknownPaymentChannel, and NoPrice where the tariff says nothing about the time.
    """
    stay = _span(entry, exit)
    name, _ = tariff.class_of(vehicle_class)
    proved = _proved(tariff, waiver)
    if proved is not None and proved.free_s is None:
        bill = [Block.of(Charge("waiver", stay, 0))]
    else:
        bill = Pricing.by(tariff, name, calendar).bill(_asked(stay, history, booked_end, proved))
    total = total_fen(bill)
    payable = by_permille(total, _channel_permille(tariff, payment_channel))
    return Quote(entry, exit, name, tariff, tuple(bill), waiver, total, payable, payment_channel)


def _span(begin: datetime, end: datetime) -> Span:
    span = Span(wall(begin), wall(end))
    if span.end < span.begin:
        raise EndsBeforeItBegins
    if span.seconds > LONGEST_DAYS * DAY_SECONDS:
        raise StayTooLong(longest_days=LONGEST_DAYS)
    return span


def _asked(stay: Span, history: History, booked_end: datetime | None, proved: Waiver | None) -> Asked:
    earlier = [_span(*other) for other in history]
    return Asked(
        stay,
        sorted(other for other in earlier if other.begin <= stay.begin),
        None if booked_end is None else wall(booked_end),
        None if proved is None else proved.free_s,
    )


def _proved(tariff: Tariff, waiver: str | None) -> Waiver | None:
    if waiver is None:
        return None
    if waiver not in tariff.waivers:
        raise UnknownWaiver(waiver=waiver)
    return tariff.waivers[waiver]


def _channel_permille(tariff: Tariff, channel: str | None) -> int:
    if channel is None:
        return FULL_PERMILLE
    if channel not in tariff.payment_channels:
        raise UnknownPaymentChannel(payment_channel=channel)
    return tariff.payment_channels[channel]


@dataclass(frozen=True)
class OccupancyQuote:
    """What holding a charger costs after charging has ended: its own fee, never part of the parking fee."""

    total_fen: int
    lines: tuple[Line, ...]


def quote_occupancy(tariff: Tariff, charging_ended: datetime, moved_away: datetime) -> OccupancyQuote:
    """The occupancy fee (超时占用费) of [charging_ended, moved_away): nothing where the tariff files none.

    Within the grace nothing; later the time since the grace ended. Raises EndsBeforeItBegins and StayTooLong.
    """
    held, rule = _span(charging_ended, moved_away), tariff.occupancy
    if rule is None or held.seconds <= rule.grace_s:
        return OccupancyQuote(0, ())
    late = Span(held.begin + rule.grace_s, held.end)
    run = rule.units.run(late.seconds)
    fee = run.fen if rule.cap_fen is None else min(run.fen, rule.cap_fen)
    charge = Charge("occupancy", late, fee, runs=(run,))
    return OccupancyQuote(fee, (_line(charge, line_text(charge, tariff, None)),))
