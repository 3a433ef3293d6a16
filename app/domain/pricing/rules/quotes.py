"""What one stay costs, line by line."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.domain.pricing.rules.form import DAY_SECONDS
from app.domain.pricing.rules.parts import FULL_PERMILLE, VehicleClass, by_permille
from app.domain.pricing.rules.pieces import Piece, pieces_of
from app.domain.pricing.rules.spans import Calendar, NoPrice, Span, Timetable, moment, no_day_classes, wall
from app.domain.pricing.rules.tariff import Tariff
from app.domain.pricing.rules.wording import POLICY_TEXT, band_title, duration, runs, times, yuan
from app.kernel.refusals import Invalid

NO_HISTORY: Final[tuple[datetime, ...]] = ()


class EndsBeforeItBegins(Invalid):
    """The exit lies before the entry."""

    code = "stay_ends_before_it_begins"
    message = "离场时间早于入场时间"


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

    `rule` is what made it: waiver, free_time, free_span, band, band_cap, vehicle_factor, period_cap,
    overstay or overstay_cap. `units` counts what was charged, before a cap.
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
    boundary_policy: str
    lines: tuple[Line, ...]
    total_fen: int
    payable_fen: int
    payment_channel: str | None

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


def quote(  # noqa: PLR0913
    tariff: Tariff,
    entry: datetime,
    exit: datetime,  # noqa: A002
    vehicle_class: str | None = None,
    history: Collection[datetime] = NO_HISTORY,
    calendar: Calendar = no_day_classes,
    *,
    booked_end: datetime | None = None,
    waiver: str | None = None,
    payment_channel: str | None = None,
) -> Quote:
    """Price the stay [entry, exit) in whole seconds of Shanghai's clock.

    `history` are the entries of the vehicle's other stays in the lot, `calendar` tells the day classes of a date,
    `booked_end` the end of the reservation, `waiver` a ground that was proved. Order of the rules: docs/tariffs.md.
    Raises EndsBeforeItBegins, UnknownVehicleClass, UnknownWaiver, UnknownPaymentChannel, and NoPrice
    where the tariff says nothing about the time.
    """
    stay = Span(wall(entry), wall(exit))
    if stay.end < stay.begin:
        raise EndsBeforeItBegins
    name, rule = tariff.class_of(vehicle_class)
    pricing = _Pricing(tariff, name, rule, Timetable(tariff.bands_of(rule), calendar))
    earlier = [wall(other) for other in history]
    lines = _waived(tariff, stay, waiver) or pricing.lines(
        stay, earlier, None if booked_end is None else wall(booked_end)
    )
    total = sum(line.amount_fen for line in lines)
    payable = by_permille(total, _channel_permille(tariff, payment_channel))
    return Quote(entry, exit, name, tariff.boundary_policy, tuple(lines), total, payable, payment_channel)


def _waived(tariff: Tariff, stay: Span, waiver: str | None) -> list[Line]:
    if waiver is None:
        return []
    if waiver not in tariff.waivers:
        raise UnknownWaiver(waiver=waiver)
    return [_line("waiver", stay, 0, f"凭证免费（{tariff.waivers[waiver] or waiver}）")]


def _channel_permille(tariff: Tariff, channel: str | None) -> int:
    if channel is None:
        return FULL_PERMILLE
    if channel not in tariff.payment_channels:
        raise UnknownPaymentChannel(payment_channel=channel)
    return tariff.payment_channels[channel]


def _line(rule: str, span: Span, amount_fen: int, text: str, band: str | None = None, units: int | None = None) -> Line:
    return Line(rule, moment(span.begin), moment(span.end), band, units, amount_fen, text)


def _sum(lines: list[Line]) -> int:
    return sum(line.amount_fen for line in lines)


@dataclass(frozen=True)
class _Pricing:
    """One tariff for one class of vehicle on one calendar."""

    tariff: Tariff
    vehicle_class: str
    rule: VehicleClass
    timetable: Timetable

    def lines(self, stay: Span, history: list[int], booked_end: int | None) -> list[Line]:
        self._refuse_beyond_limits(stay)
        overstay = self.tariff.overstay
        has_free = self.tariff.free is not None and self.tariff.free.is_given(stay.begin, history)
        if overstay is None or booked_end is None or stay.end <= booked_end + overstay.grace_s:
            return self._stay(stay, has_free=has_free)
        late_from = max(stay.begin, booked_end)
        booked = self._stay(Span(stay.begin, late_from), has_free=has_free)
        return [*booked, *self._overstay(Span(late_from, stay.end))]

    def _refuse_beyond_limits(self, stay: Span) -> None:
        longest, window = self.tariff.longest_stay_s, self.tariff.usable_window
        if longest is not None and stay.seconds > longest:
            raise NoPrice(reason="the tariff is known for shorter stays only")
        if window is not None and window.seconds_within(stay) < stay.seconds:
            raise NoPrice(reason="the tariff is known for a part of the day only")

    def _overstay(self, late: Span) -> list[Line]:
        rule = self.tariff.overstay
        assert rule is not None
        lines = self._stay(late, has_free=False)
        once = _sum(lines)
        dearer = by_permille(once, rule.permille)
        lines.append(_line("overstay", late, dearer - once, f"超过预订时间，按{times(rule.permille)}计费"))
        if rule.cap_fen is not None and dearer > rule.cap_fen:
            lines.append(_line("overstay_cap", late, rule.cap_fen - dearer, f"超时费用封顶{yuan(rule.cap_fen)}"))
        return lines

    def _stay(self, stay: Span, *, has_free: bool) -> list[Line]:
        again = has_free and self.tariff.free is not None and self.tariff.free.again_each_period
        charged_from = stay.begin if again or not has_free else self._charged_from(stay)
        lines = self._free_line(Span(stay.begin, charged_from), stay) if not again else []
        for place, period in enumerate(self.tariff.periods.cut(stay)):
            begin = self._charged_from(period) if again else min(max(period.begin, charged_from), period.end)
            if again:
                lines += self._free_line(Span(period.begin, begin), period)
            lines += self._period(place, period, Span(begin, period.end))
        return lines

    def _charged_from(self, span: Span) -> int:
        """Where charging begins in a span that has free time."""
        free = self.tariff.free
        assert free is not None
        allowance = free.allowance_of(self.vehicle_class)
        if free.deducted:
            return min(span.begin + allowance, span.end)
        measured = self._chargeable_seconds(span) if free.on_chargeable_time else span.seconds
        return span.end if measured <= allowance else span.begin

    def _chargeable_seconds(self, span: Span) -> int:
        segments = [each for part in span.without(self.tariff.free_spans) for each in self.timetable.segments(part)]
        return sum(part.seconds for part, band in segments if not band.is_free)

    def _free_line(self, free: Span, of: Span) -> list[Line]:
        if not free.seconds:
            return []
        text = "未超过免费时长，不收费" if free == of else f"免费时长{duration(free.seconds)}，不计费"
        return [_line("free_time", free, 0, text)]

    def _period(self, place: int, period: Span, charged: Span) -> list[Line]:
        holes = [hole.within(charged) for hole in self.tariff.free_spans]
        lines = [_line("free_span", hole, 0, "免费时段，不计费") for hole in holes if hole.seconds]
        parts = charged.without(self.tariff.free_spans)
        for piece in pieces_of(self.tariff.boundary_policy, period.begin, parts, self.timetable):
            lines += self._piece(piece)
        cap, total = self.tariff.periods.cap_of(place), _sum(lines)
        if cap is not None and total > cap:
            lines.append(_line("period_cap", period, cap - total, self._cap_text(cap)))
        return lines

    def _cap_text(self, cap_fen: int) -> str:
        kind, length = self.tariff.periods.kind, self.tariff.periods.length_s
        named = {"none": "每次", "calendar_day": "每日"}.get(kind) or f"每{duration(length or DAY_SECONDS)}"
        return f"{named}封顶{yuan(cap_fen)}"

    def _piece(self, piece: Piece) -> list[Line]:
        band = piece.band
        full = sum(run.fen for run in piece.runs)
        capped = full if band.cap is None else band.cap.of(piece.runs)
        permille = self.rule.permille_of(band)
        factored = by_permille(capped, permille)
        title, units = band_title(band), sum(run.times for run in piece.runs)
        lines = [_line("band", piece.span, full, f"{title} {runs(piece.runs)}", band.name, units)]
        if capped != full:
            lines.append(_line("band_cap", piece.span, capped - full, f"{title} 时段封顶{yuan(capped)}", band.name))
        if factored != capped:
            text = f"{title} 车型按{times(permille)}计费"
            lines.append(_line("vehicle_factor", piece.span, factored - capped, text, band.name))
        return lines
