"""What lots and their references charge: published tariffs of Hangzhou, and cheaper ones derived from them."""

from typing import Any, Final

from app.domain.pricing.actions import store_tariff
from app.domain.pricing.models import TariffVersion
from app.domain.pricing.published import PublishedTariff, read
from app.jobs.sample_city.table import FREE, MARK, SAME

ACTOR: Final = "sample-city"
MONEY: Final = frozenset({"fen", "cap_fen"})
NOTHING: Final[dict[str, Any]] = {
    "free": None,
    "bands": [{"name": "all_day", "from": "00:00", "to": "24:00", "days": "all", "method": "free"}],
    "boundary_policy": "single_band",
    "period": {"kind": "none", "cap_fen": None},
    "vehicle_classes": {"small": {}},
    "default_class": "small",
}


class Tariffs:
    """Each tariff is stored once, when the first lot asks for it."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], TariffVersion] = {}

    def at(self, published: str, permille: int = SAME) -> TariffVersion:
        """A published tariff, or one whose every sum is that many thousandths of it, rounded down."""
        which = ("", FREE) if permille == FREE else (published, permille)
        if which not in self._known:
            self._known[which] = _stored(*which)
        return self._known[which]


def _stored(published: str, permille: int) -> TariffVersion:
    if permille == FREE:
        return store_tariff(f"{MARK}·免费开放", f"{MARK}：开放单位决定免费（N3.3）", NOTHING, ACTOR)
    source = read(published)
    name = f"{MARK}·{source.lot_or_zone}" + ("" if permille == SAME else f"（{permille / 10:g}%）")
    return store_tariff(name, _wording(source, permille), scaled(source.parameters, permille), ACTOR)


def _wording(source: PublishedTariff, permille: int) -> str:
    below = "" if permille == SAME else f"；各项金额按 {permille / 10:g}% 收取"
    return f"{MARK}：{source.document}；{source.rule_text}{below}"


def scaled(part: Any, permille: int) -> Any:
    """The same tariff with smaller sums; nothing else changes, so no stay can cost more."""
    if isinstance(part, dict):
        return {name: _sum(name, value, permille) for name, value in part.items()}
    if isinstance(part, list):
        return [scaled(each, permille) for each in part]
    return part


def _sum(name: str, value: Any, permille: int) -> Any:
    return value * permille // 1000 if name in MONEY and isinstance(value, int) else scaled(value, permille)
