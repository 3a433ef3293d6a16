"""What two families of cameras have in common: the readings and contacts under `AlarmInfoPlate` and `AlarmGioIn`."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from app.adapters.gates.fields import listed, number, record, text, without_pictures
from app.adapters.gates.words import Foreign, Nothing, Pulsed, Seen, Word

OPENERS: Final = {1: "server", 2: "local_list"}
"""`gioouts.ctrltype`: who closed the open relay."""


def seen_in(alarm: Mapping[str, Any], family: str) -> Seen:
    """The reading within an alarm; raises `Foreign`. Old firmware numbers nothing and tells no relay."""
    reading = record(record(alarm.get("result")).get("PlateResult"))
    at, stamp = moment_in(reading)
    numbered = number(reading.get("plateid", 0))
    offline = number(reading.get("isoffline", 0)) == 1
    return Seen(
        event_id=f"{family}-{numbered}-{stamp}", plate=text(reading.get("license")),
        colour=str(reading.get("colorType", 0)), at=at, offline=offline, opened_by=_opener(reading),
        tells_relay="gioouts" in reading, record=numbered if offline else None, told=without_pictures(alarm),
    )  # fmt: skip


def pulsed_in(alarm: Mapping[str, Any]) -> Word:
    """The contact that closed, within an alarm; one that opened again says nothing. Raises `Foreign`."""
    trigger = record(record(alarm.get("result")).get("TriggerResult"))
    return Pulsed(number(trigger.get("source"))) if number(trigger.get("value", 1)) else Nothing()


def moment_in(holder: Mapping[str, Any]) -> tuple[datetime, str]:
    """The moment under `timeStamp`, and the same as an identifier; raises `Foreign`."""
    stamp = record(record(holder.get("timeStamp")).get("Timeval"))
    seconds, micro = number(stamp.get("sec")), number(stamp.get("usec", 0))
    try:
        return datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=micro), f"{seconds}.{micro}"
    except (OverflowError, ValueError, OSError) as wrong:
        raise Foreign("timeStamp") from wrong


def _opener(reading: Mapping[str, Any]) -> str | None:
    kinds = [number(record(out).get("ctrltype", 0)) for out in listed(reading.get("gioouts", []))]
    return next((OPENERS[kind] for kind in kinds if kind in OPENERS), None)
