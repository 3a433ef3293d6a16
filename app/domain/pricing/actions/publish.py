"""A price officer who did not draft it publishes a price that was proved; motorists are told from when it holds."""

import uuid
from datetime import datetime, timedelta

from sqlalchemy import select

from app.domain.lots.queries import place_of, policy_of
from app.domain.pricing.actions.draft import locked_price, remember
from app.domain.pricing.actions.prove import PriceAboveCap, settle_tasks_of
from app.domain.pricing.models import CapProof, LotPrice, LotTariff
from app.domain.pricing.queries import tariffs
from app.domain.pricing.queries.proofs import inputs_of, readings_of
from app.domain.pricing.rules import hourly_text
from app.domain.pricing.rules.flow import LOT_PRICE
from app.domain.pricing.rules.proofs import prove
from app.domain.staff.rules import Actor, permit
from app.kernel import clock
from app.kernel.clock import shanghai
from app.kernel.db import current, refusing, transaction
from app.kernel.refusals import Conflict, Invalid, NotAllowed, NotFound
from app.kernel.spans import span
from app.kernel.states import WrongState
from app.kernel.terms import ChangeOutOfOrder, end_running

DAY = timedelta(hours=24)


class OwnPrice(NotAllowed):
    """Who drafted a price does not publish it."""

    code = "own_price"
    message = "收费标准须由拟定人以外的价格管理人员公布"


class ProofOutdated(Conflict):
    """Tariff, references, rule, calendar or the effective date are not those that were proved."""

    code = "proof_outdated"
    message = "参照、规则、日历或生效时间与证明时不一致，请重新证明"


class NoticeTooShort(Conflict):
    """Motorists are told of a price that may be dearer some days ahead (`tariff_notice_days`)."""

    code = "notice_too_short"
    message = "调整收费标准须提前公告，降低标准除外"


class StaysUnbounded(Invalid):
    """No reference has a price for some stays; whoever publishes says why they may be charged nevertheless."""

    code = "stays_unbounded"
    message = "部分停车没有任何参照停车场的价格可作上限，公布须说明理由"


class NothingUnbounded(Invalid):
    """Each stay has its cap, so that there is nothing to give reasons for."""

    code = "nothing_unbounded"
    message = "所有停车都有上限，无须说明理由"


class HoldsFromThePast(Invalid):
    """A price holds from its publication at the earliest."""

    code = "price_holds_from_the_past"
    message = "收费标准的生效时间不能早于现在"


def publish_price(
    by: Actor,
    price_key: uuid.UUID,
    effective_from: datetime | None = None,
    *,
    notice: str = "",
    why: str = "",
    unbounded_because: str = "",
) -> LotPrice:
    """Publish a proved price; it holds from `effective_from`, else from when the unit wished, at the earliest allowed.

    The notice (else one in the platform's words) stands beside the lot until then. A price is dearer than the former
    one unless a proof says that it nowhere is; only a lot's first price and a lower one may hold at once. Where some
    stays have no cap, `unbounded_because` says why they may be charged. Of two who publish at once one has an effect.
    Refuses `NotFound`, `NotPermitted`, `WrongState`, `OwnPrice`, `PriceAboveCap`, `ProofOutdated`, `StaysUnbounded`,
    `NothingUnbounded`, `HoldsFromThePast`, `NoticeTooShort`, and `ChangeOutOfOrder` when a price is published for then
    or later.
    """
    with transaction():
        price = _seen(price_key)
        permit(by, "pricing.publish", place_of(price.lot_id))
        asked = effective_from or price.wanted_from or clock.now()
        former = _former(price.lot_id, asked)
        hurries = asked < clock.now() + _notice(price.lot_id)
    exempt = _exemption(price.lot_id, price.tariff_id, former, asked) if hurries else None
    with transaction():
        price = locked_price(price_key)
        since = _since(price, effective_from, exempt)
        proof = _proof_to_publish(by, price, since)
        because = _reason(proof, unbounded_because.strip())
        if exempt and former != _former(price.lot_id, since):
            raise ProofOutdated
        told = {"notice": notice.strip() or _words(price, since), "unbounded_because": because}
        _put_in_force(by, price, since, told | {"needs_no_notice": exempt})
        remember(price, "publish", by, why.strip())
        settle_tasks_of(price)
        return price


def _since(price: LotPrice, effective_from: datetime | None, exempt: str | None) -> datetime:
    """From when the price holds: as told, or the earliest moment that is allowed and not before the unit wished."""
    now, notice = clock.now(), _notice(price.lot_id)
    earliest = now if exempt else now + notice
    since = effective_from or max(price.wanted_from or earliest, earliest)
    if since < now:
        raise HoldsFromThePast
    if since < earliest:
        raise NoticeTooShort(days=notice.days)
    return since


def _put_in_force(by: Actor, price: LotPrice, since: datetime, told: dict[str, str | None]) -> None:
    LOT_PRICE.move(
        price, "publish", by.label, published_by=by.account_id, published_at=clock.now(), effective_from=since,
        notice_days=_notice(price.lot_id).days, **told,
    )  # fmt: skip
    end_running(LotTariff, [LotTariff.lot_id == price.lot_id], since)
    row = LotTariff(
        lot_id=price.lot_id, tariff_id=price.tariff_id, valid=span(since, None), running=price.running,
        price_id=price.id,
    )  # fmt: skip
    with refusing({"a_lot_has_one_tariff_at_a_time": ChangeOutOfOrder}) as session:
        session.add(row)


def _proof_to_publish(by: Actor, price: LotPrice, since: datetime) -> CapProof:
    if price.state == "failed":
        raise PriceAboveCap
    if not LOT_PRICE.may(price.state, "publish"):
        raise WrongState(machine=LOT_PRICE.name, state=price.state, event="publish")
    if price.made_by == by.account_id:
        raise OwnPrice
    proof = current().get_one(CapProof, price.proof_id)
    inputs = inputs_of({price.lot_id: price.tariff_id}, since)[price.lot_id]
    if proof.digest != inputs.digest() or proof.first_day > inputs.first_day:
        raise ProofOutdated
    return proof


def _reason(proof: CapProof, because: str) -> str | None:
    if proof.is_unbounded and not because:
        raise StaysUnbounded
    if because and not proof.is_unbounded:
        raise NothingUnbounded
    return because or None


def _notice(lot_id: int) -> timedelta:
    return policy_of(lot_id)["tariff_notice_days"] * DAY


def _former(lot_id: int, at: datetime) -> int | None:
    """The tariff that the lot charges by when a new price would begin."""
    charged = select(LotTariff.tariff_id).where(LotTariff.lot_id == lot_id, LotTariff.valid.contains(at))
    return current().scalar(charged)


def _exemption(lot_id: int, tariff_id: int, former: int | None, since: datetime) -> str | None:
    """Why a price may hold before the notice is over, if it may; seconds of reckoning, outside of any transaction."""
    if former is None:
        return "first"
    if former == tariff_id:
        return "lower"
    known = tariffs({tariff_id, former})
    dates = readings_of(inputs_of({lot_id: tariff_id}, since)[lot_id])
    outcome = prove(known[tariff_id], [known[former]], dates)
    return "lower" if outcome.holds and not outcome.unbounded else None


def _words(price: LotPrice, since: datetime) -> str:
    tariff = tariffs({price.tariff_id})[price.tariff_id]
    inputs = inputs_of({price.lot_id: price.tariff_id}, since)[price.lot_id]
    days = {each: told[0] for each, told in readings_of(inputs).items()}
    told = hourly_text(tariff, since, tariff.calendar(days.__getitem__))
    return f"自{shanghai(since):%Y年%m月%d日%H:%M}起执行新的收费标准：{told}"


def _seen(price_key: uuid.UUID) -> LotPrice:
    price = current().scalar(select(LotPrice).filter_by(key=price_key))
    if price is None:
        raise NotFound
    return price
