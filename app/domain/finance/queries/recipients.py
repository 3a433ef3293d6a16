"""Whose the money is, as reports name it: a payee, or each unit of one that several units pay."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from sqlalchemy import select

from app.domain.finance.rules import LEVELS, Recipient, Whose
from app.domain.lots.models import LotPayee
from app.domain.staff.rules import Place, Scope
from app.domain.units.models import District, Unit
from app.kernel.db import current
from payments.payees.models import Payee

NOWHERE: Final = "—"
TOGETHER: Final = "（共同）"
"""After the names of units: what of their payee's money no unit's bill brought, such as WeChat's fee."""


def recipients(scopes: Sequence[Scope]) -> Mapping[Whose, Recipient]:
    """All within reach. A payee that several units pay is there for each of them, and for what is of none of them."""
    served = _served()
    districts = {each.code: each.name for each in current().scalars(select(District))}
    return {
        Whose(payee.id, unit_id): _recipient(payee, own, districts, together=len(own) > 1)
        for payee in current().scalars(select(Payee))
        for unit_id, own in _parts(served.get(payee.id, []))
        if _within(scopes, payee, own)
    }


def _served() -> Mapping[int, list[Unit]]:
    """By payee the units whose lots pay it, or did."""
    found: dict[int, list[Unit]] = {}
    paid = select(LotPayee.payee_id, Unit).join(Unit, Unit.id == LotPayee.unit_id).distinct()
    for payee_id, unit in current().execute(paid):
        found.setdefault(payee_id, []).append(unit)
    return found


def _parts(units: Sequence[Unit]) -> Iterator[tuple[int | None, Sequence[Unit]]]:
    yield None, units
    if len(units) > 1:
        yield from ((unit.id, [unit]) for unit in units)


def _within(scopes: Sequence[Scope], payee: Payee, units: Sequence[Unit]) -> bool:
    places = [unit.place for unit in units] or [Place(payee.district_code)]
    return all(any(scope.covers(place) for scope in scopes) for place in places)


def _recipient(payee: Payee, units: Sequence[Unit], districts: Mapping[str, str], *, together: bool) -> Recipient:
    codes = {unit.district_code for unit in units} or {payee.district_code or ""}
    levels = {payee.level} if payee.level else {unit.level for unit in units}
    return Recipient(
        payee=payee.name,
        unit=_listed({unit.name for unit in units}) + (TOGETHER if together else ""),
        district=_listed({districts.get(code, code) for code in codes}),
        level=_listed({LEVELS[level] for level in levels}),
        item=payee.item_code or NOWHERE,
    )


def _listed(words: set[str]) -> str:
    return "、".join(sorted(word for word in words if word)) or NOWHERE
