"""Proving that a price stays under the cap, before it is published and again whenever something around it changes."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app.domain.lots.queries import place_of
from app.domain.pricing.actions.draft import locked_price, remember
from app.domain.pricing.models import CapProof, LotPrice, TariffVersion
from app.domain.pricing.queries.proofs import (
    charged_now_or_later,
    inputs_of,
    proof_of_equals,
    readings_of,
    tariffs_of,
)
from app.domain.pricing.rules.flow import LOT_PRICE
from app.domain.pricing.rules.inputs import Inputs
from app.domain.pricing.rules.proofs import prove
from app.domain.staff.rules import Actor, permit
from app.domain.tasks.actions import open_task, settle_tasks
from app.kernel import clock
from app.kernel.db import current, transaction
from app.kernel.ids import new_key
from app.kernel.refusals import Conflict, NotFound
from app.kernel.rounds import each_alone
from app.kernel.states import WrongState

ABOVE_CAP = "price_above_cap"
UNBOUNDED = "price_without_references"
PARTLY_UNBOUNDED = "price_partly_unbounded"


class ReferencesMissing(Conflict):
    """No approved reference with a tariff bounds this lot: only a price of nothing may be published (N3.3)."""

    code = "references_missing"
    message = "该停车场尚无经批准的参照（周围政府定价停车场或价区标准），只能公布免费标准"


class PriceAboveCap(Conflict):
    """Some stay costs more than the references allow; details tell it, with the smallest change that would pass."""

    code = "price_above_cap"
    message = "该收费标准高于周围政府定价停车场，不能公布"


class ProofOvertaken(Conflict):
    """References, rule or calendar changed while the proof was made; it is made anew."""

    code = "proof_overtaken"
    message = "证明期间参照、规则或日历发生变化，请重新证明"


@dataclass(frozen=True)
class Verdict:
    """What is to be stored of a proof."""

    holds: bool
    result: dict[str, Any]
    explanation: str


FREE = Verdict(holds=True, result={"holds": True, "is_free": True}, explanation="通过：该标准任何停车均不收费。")


def prove_price(by: Actor, price_key: uuid.UUID) -> CapProof:
    """Prove a drafted price against the lot's references; failed, it is kept with its counterexample.

    The reckoning takes seconds and holds no lock; what it speaks of is compared again before it is stored. Refuses
    `NotFound`, `NotPermitted`, `WrongState`, `ReferencesMissing`, `ProofOvertaken`.
    """
    with transaction():
        price = _seen(price_key)
        permit(by, "pricing.prove", place_of(price.lot_id))
        if not LOT_PRICE.may(price.state, "prove"):
            raise WrongState(machine=LOT_PRICE.name, state=price.state, event="prove")
        inputs = _inputs(price)
    verdict = verdict_on(inputs)
    with transaction():
        price = locked_price(price_key)
        if _inputs(price).digest() != inputs.digest():
            raise ProofOvertaken
        proof = store(inputs, verdict, by.account_id)
        event = "prove" if proof.holds else "fail"
        LOT_PRICE.move(price, event, by.label, proof_id=proof.id)
        remember(price, event, by, proof.explanation.splitlines()[0])
        return proof


def verdict_on(inputs: Inputs) -> Verdict:
    """Reckon whether the price holds, outside of any transaction; what was reckoned of equal tariffs is taken over.

    Refuses `ReferencesMissing`.
    """
    if _is_free(inputs.tariff_id):
        return FREE
    if not inputs.references:
        raise ReferencesMissing(lot_id=inputs.lot_id)
    known = proof_of_equals(inputs)
    if known is not None:
        return Verdict(known.holds, known.result, known.explanation)
    own, references = tariffs_of(inputs)
    proof = prove(own, references, readings_of(inputs), inputs.rule)
    return Verdict(proof.holds, proof.as_dict(), proof.explain())


def store(inputs: Inputs, verdict: Verdict, account_id: int | None) -> CapProof:
    """Keep a proof; the same again is the one that is kept."""
    session = current()
    told = {
        "lot_id": inputs.lot_id, "tariff_id": inputs.tariff_id, "is_free": _is_free(inputs.tariff_id),
        "set_id": inputs.set_id, "inputs": inputs.told(), "digest": inputs.digest(),
        "content_digest": inputs.content_digest(), "first_day": inputs.first_day, "last_day": inputs.last_day,
        "holds": verdict.holds, "result": verdict.result, "explanation": verdict.explanation,
        "proved_by": account_id, "proved_at": clock.now(), "key": new_key(),
    }  # fmt: skip
    session.execute(insert(CapProof).values(told).on_conflict_do_nothing(constraint="the_same_is_proved_once"))
    same = {"lot_id": inputs.lot_id, "digest": inputs.digest(), "first_day": inputs.first_day}
    return session.scalars(select(CapProof).filter_by(**same)).one()


def prove_outdated(limit: int = 100) -> int:
    """Prove again what lots charge, or will, wherever tariffs, references, rule or calendar are not those of a proof.

    A lot that does not pass any more is a task for the price officer, with the counterexample; its bills are capped
    anyway. Returns how many were proved.
    """
    return each_alone(_outdated(limit), _prove_again)


def _outdated(limit: int) -> Iterable[Inputs]:
    found: list[Inputs] = []
    with transaction():
        for at, wanted in _by_moment(charged_now_or_later()).items():
            found += [each for each in inputs_of(wanted, at).values() if _is_new(each)]
    return found[:limit]


def _by_moment(charged: Iterable[tuple[int, int, datetime]]) -> dict[datetime, dict[int, int]]:
    moments: dict[datetime, dict[int, int]] = {}
    for lot_id, tariff_id, since in charged:
        moments.setdefault(since, {})[lot_id] = tariff_id
    return moments


def _is_new(inputs: Inputs) -> bool:
    known = current().scalar(
        select(CapProof.id).where(CapProof.lot_id == inputs.lot_id, CapProof.digest == inputs.digest()).limit(1)
    )
    return known is None


def _prove_again(inputs: Inputs) -> bool:
    try:
        verdict = verdict_on(inputs)
    except ReferencesMissing:
        with transaction():
            open_task(UNBOUNDED, "lot", inputs.lot_id, place=place_of(inputs.lot_id))
        return False
    with transaction():
        proof = store(inputs, verdict, None)
        settle_tasks(UNBOUNDED, "lot", inputs.lot_id, "references_approved")
        _tell(inputs.lot_id, proof)
    return True


def _tell(lot_id: int, proof: CapProof) -> None:
    if proof.holds:
        settle_tasks(ABOVE_CAP, "lot", lot_id, "price_within_cap")
        _tell_of_unbounded(lot_id, proof)
        return
    case = proof.result["counterexample"]
    told = {"proof": str(proof.key), **{name: case[name] for name in ("entry", "exit", "own_fen", "cap_fen")}}
    open_task(ABOVE_CAP, "lot", lot_id, told, place=place_of(lot_id))


def _tell_of_unbounded(lot_id: int, proof: CapProof) -> None:
    if not proof.is_unbounded:
        settle_tasks(PARTLY_UNBOUNDED, "lot", lot_id, "stays_bounded")
    elif not _is_explained(lot_id, proof.tariff_id):
        open_task(PARTLY_UNBOUNDED, "lot", lot_id, {"proof": str(proof.key)}, place=place_of(lot_id))


def _is_explained(lot_id: int, tariff_id: int) -> bool:
    """Whether the newest published price with this tariff says why stays may be charged that no reference bounds."""
    newest = (
        select(LotPrice.unbounded_because)
        .filter_by(lot_id=lot_id, tariff_id=tariff_id, state="published")
        .order_by(LotPrice.version.desc())
        .limit(1)
    )
    return current().scalar(newest) is not None


def settle_tasks_of(price: LotPrice) -> None:
    """A price was published that passes: what an officer was asked to do about the former one is done."""
    for kind in (ABOVE_CAP, PARTLY_UNBOUNDED):
        settle_tasks(kind, "lot", price.lot_id, "price_published")


def _inputs(price: LotPrice) -> Inputs:
    at = max(clock.now(), price.wanted_from or clock.now())
    return inputs_of({price.lot_id: price.tariff_id}, at)[price.lot_id]


def _seen(price_key: uuid.UUID) -> LotPrice:
    price = current().scalar(select(LotPrice).filter_by(key=price_key))
    if price is None:
        raise NotFound
    return price


def _is_free(tariff_id: int) -> bool:
    with transaction() as session:
        return bool(session.scalar(select(TariffVersion.is_free).where(TariffVersion.id == tariff_id)))
