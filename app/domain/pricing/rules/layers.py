"""What lies over the price of a stay: overstay, occupancy after charging, proofs, and the cap of one plate's stays."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.domain.pricing.rules.form import (
    DAY_SECONDS,
    Form,
    Read,
    fen,
    minutes,
    one_of,
    permille,
    unit,
    whole,
    word,
)
from app.domain.pricing.rules.methods import Rounding, Run
from app.domain.pricing.rules.parts import rolling_length


@dataclass(frozen=True)
class Units:
    """Equal units at one price."""

    unit_s: int
    fen: int
    rounding: Rounding

    @classmethod
    def read(cls, form: Form) -> "Units":
        return cls(unit(form), form.take("fen", fen), Rounding.read(form))

    def run(self, seconds: int) -> Run:
        """What so many seconds cost."""
        return Run(self.rounding.units(seconds, self.unit_s), self.fen, self.unit_s)


def _read_units(value: object, where: str) -> Units:
    form = Form(value, where)
    units = Units.read(form)
    form.close()
    return units


@dataclass(frozen=True)
class Overstay:
    """The price after the booked end (超时): a multiple, filed units, or a fixed sum; exactly one of them.

    `after_cap` and `pay_within_days` bind people, not the price.
    """

    permille: int | None
    filed: Units | None
    fixed_fen: int | None
    cap_fen: int | None
    grace_s: int
    after_cap: str | None
    pay_within_days: int | None

    @classmethod
    def read(cls, value: object, where: str) -> "Overstay":
        form = Form(value, where)
        kind, price = form.take_one(_OVERSTAYS)
        overstay = cls(
            price if kind == "multiplier_permille" and isinstance(price, int) else None,
            price if isinstance(price, Units) else None,
            price if kind == "fixed_fen" and isinstance(price, int) else None,
            form.take_or("cap_fen", fen, None),
            form.take_or("grace_min", minutes(0), 0),
            form.take_or("after_cap", word, None),
            form.take_or("pay_within_days", whole(), None),
        )
        form.close()
        return overstay

    def begins_after(self, booked_end: int) -> int:
        """The last second at which nothing is late yet."""
        return booked_end + self.grace_s


_OVERSTAYS: Final[Mapping[str, Read[int | Units]]] = {
    "multiplier_permille": permille,
    "filed": _read_units,
    "fixed_fen": fen,
}


@dataclass(frozen=True)
class Occupancy:
    """The fee for holding a charger when charging has ended (超时占用费): its own, never part of the parking fee.

    Nothing within `grace_s`; later every second since the grace ended counts, up to `cap_fen`.
    """

    grace_s: int
    units: Units
    cap_fen: int | None

    @classmethod
    def read(cls, value: object, where: str) -> "Occupancy":
        form = Form(value, where)
        occupancy = cls(form.take("grace_min", minutes(0)), Units.read(form), form.take_or("cap_fen", fen, None))
        form.close()
        return occupancy


@dataclass(frozen=True)
class Waiver:
    """A ground that somebody proves: the stay is free, or free time is `free_s` long in place of the usual."""

    when: str
    free_s: int | None

    @classmethod
    def read(cls, value: object, where: str) -> "Waiver":
        form = Form(value, where)
        effect = form.take("effect", one_of("free", "free_minutes"))
        free_s = form.take("minutes", minutes()) if effect == "free_minutes" else None
        if free_s is None:
            form.refuse("minutes", "全程免费的凭证没有时长")
        waiver = cls(form.take_or("when", word, ""), free_s)
        form.close()
        return waiver


@dataclass(frozen=True)
class PlateCap:
    """The most that the stays of one vehicle cost together: those of a calendar day, or of `length_s` seconds."""

    length_s: int | None
    fen: int

    @classmethod
    def read(cls, value: object, where: str) -> "PlateCap":
        form = Form(value, where)
        kind = form.take("kind", one_of("calendar_day", "rolling"))
        cap = cls(rolling_length(form, kind), form.take("fen", fen))
        form.close()
        return cap

    def counts(self, earlier: int, entry: int) -> bool:
        """Whether a stay that began earlier is under one cap with one that begins at `entry`."""
        if self.length_s is None:
            return earlier // DAY_SECONDS == entry // DAY_SECONDS
        return entry - earlier <= self.length_s
