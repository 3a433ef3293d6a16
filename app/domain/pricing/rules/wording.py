"""Chinese words for prices, times and rules; for people to read, never to compute with."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from app.domain.pricing.rules.blocks import Charge
from app.domain.pricing.rules.methods import Run
from app.domain.pricing.rules.parts import FULL_PERMILLE, Band, Periods
from app.domain.pricing.rules.spans import Window
from app.domain.pricing.rules.tariff import Tariff

POLICY_TEXT: Final = {
    "single_band": "全程按同一标准计费",
    "round_each_segment": "跨时段停车，各时段分别计费、分别取整",
    "sum_per_band": "跨时段停车，同一时段的时长累加后计费",
    "by_entry": "整个计费周期按周期开始时所在时段计费",
    "carry_part_unit": "跨时段停车，不足一个单位的时间计入开始时所在时段",
}
_DAY_TEXT: Final = {
    "workday": "工作日",
    "off": "休息日",
    "offday": "休息日",
    "nonworkday": "非工作日",
    "weekend": "双休日",
    "holiday": "法定节假日",
    "golden_week": "国庆、春节",
    "short_holiday_or_peak_weekend": "小长假及旺季双休日",
    "other": "其他日",
}


def yuan(fen: int) -> str:
    """`375` -> `3.75元`, `300` -> `3元`."""
    whole, rest = divmod(abs(fen), 100)
    cents = f".{rest:02d}".rstrip("0") if rest else ""
    return f"{'-' if fen < 0 else ''}{whole}{cents}元"


def duration(seconds: int) -> str:
    """`5400` -> `1小时30分钟`."""
    hours, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60
    parts = [(hours, "小时"), (minutes, "分钟"), (rest, "秒")]
    return "".join(f"{count}{name}" for count, name in parts if count) or "0分钟"


def unit(seconds: int) -> str:
    """A charging unit: `1800` -> `半小时`, `3600` -> `小时`."""
    return {1800: "半小时", 3600: "小时"}.get(seconds) or duration(seconds)


def window(of: Window) -> str:
    """`8-20时`, or `7:30-20:00` when it does not lie on whole hours."""
    if of.begin % 3600 or of.end % 3600:
        return f"{_clock(of.begin)}-{_clock(of.end)}"
    return f"{of.begin // 3600}-{of.end // 3600}时"


def _clock(seconds: int) -> str:
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}"


def band_title(band: Band) -> str:
    """`工作日8-20时`; a band that always applies is `全天`."""
    told = "" if band.days is None else days(band)
    return told + ("全天" if band.window.is_whole_day else window(band.window))


def days(band: Band) -> str:
    """`工作日`; a band of all days is `每日`."""
    return "每日" if band.days is None else "、".join(_DAY_TEXT.get(name, name) for name in sorted(band.days))


def runs(of: Sequence[Run]) -> str:
    """`2个半小时×5元 + 6个半小时×6元`."""
    return " + ".join(map(_run, of)) or "不计费"


def _run(of: Run) -> str:
    if of.unit_s is None:
        return yuan(of.each_fen) if of.times == 1 else f"{of.times}次×{yuan(of.each_fen)}"
    return f"{of.times}个{unit(of.unit_s)}×{yuan(of.each_fen)}"


def times(permille: int) -> str:
    """`1500` -> `1.5倍`."""
    whole, rest = divmod(permille, FULL_PERMILLE)
    return f"{whole}{f'.{rest:03d}'.rstrip('0') if rest else ''}倍"


def line_text(charge: Charge, tariff: Tariff, waiver: str | None) -> str:
    """What one line of a quote says beside its span and its amount."""
    if charge.rule == "waiver":
        return f"凭证免费（{tariff.waivers[waiver].when or waiver}）" if waiver is not None else "凭证免费"
    if charge.rule == "period_cap":
        return f"{_period_name(tariff.periods)}封顶{yuan(charge.figure)}"
    return _LINES[charge.rule](charge)


def _period_name(periods: Periods) -> str:
    return {"none": "每次", "calendar_day": "每日"}.get(periods.kind) or f"每{duration(periods.length_s or 0)}"


def _title(of: Charge) -> str:
    return band_title(of.band) if of.band else ""


def _overstay(of: Charge) -> str:
    if of.runs:
        return f"超过预订时间 {runs(of.runs)}"
    return f"超过预订时间，按{times(of.figure)}计费" if of.figure else "超过预订时间，按次计费"


def _free_time(of: Charge) -> str:
    return "未超过免费时长，不收费" if of.figure else f"免费时长{duration(of.span.seconds)}，不计费"


_LINES: Final[Mapping[str, Callable[[Charge], str]]] = {
    "free_time": _free_time,
    "free_span": lambda _: "免费时段，不计费",
    "band": lambda of: f"{_title(of)} {runs(of.runs)}",
    "band_cap": lambda of: f"{_title(of)} 时段封顶{yuan(of.figure)}",
    "vehicle_factor": lambda of: f"{_title(of)} 车型按{times(of.figure)}计费",
    "overstay": _overstay,
    "overstay_cap": lambda of: f"超时费用封顶{yuan(of.figure)}",
    "plate_cap": lambda of: f"同一车辆多次停车合计封顶，本次最多{yuan(of.figure)}",
    "occupancy": lambda of: f"充电结束后占用充电车位 {runs(of.runs)}",
}
