"""Signing and ending operating agreements; declaring that a unit runs a lot itself."""

import uuid
from datetime import datetime

from sqlalchemy import func, select, update

from app.domain.staff.rules import Actor, permit
from app.domain.units.actions.register import lock
from app.domain.units.models import AgreementEnding, AgreementLot, OperatingAgreement, Operator, SelfOperation, Unit
from app.domain.units.queries import end_of, operators_of
from app.domain.units.rules import Terms, said
from app.kernel import audit, clock
from app.kernel.db import current, refusing, transaction
from app.kernel.files import Paper, keep
from app.kernel.refusals import Conflict, Invalid, NotFound
from app.kernel.spans import span


class LotHasAnOperator(Conflict):
    """Another agreement covers one of the lots for some of that time."""

    code = "lot_has_an_operator"
    message = "所列停车场在该期间已委托其他运营单位"


class LotNotOfThisUnit(Conflict):
    """One of the lots belongs to another unit, or to none."""

    code = "lot_not_of_this_unit"
    message = "所列停车场不属于该开放单位"


class LotIsEntrusted(Conflict):
    """An operator runs the lot at that moment."""

    code = "lot_is_entrusted"
    message = "该停车场在该时间仍由运营单位运营"


class AgreementOver(Conflict):
    """The agreement's term has ended."""

    code = "agreement_over"
    message = "该协议已到期或已终止"


class EndDoesNotFit(Invalid):
    """An agreement ends early between now and the end that it has."""

    code = "end_does_not_fit"
    message = "终止时间须不早于现在，且早于协议原定终止时间"


class BeginsInThePast(Invalid):
    """A unit declares for now or later that it runs a lot itself."""

    code = "begins_in_the_past"
    message = "自行运营的起始时间不能早于现在"


REFUSED_BY = {
    "a_lot_has_one_operator_at_a_time": LotHasAnOperator,
    "an_agreed_lot_belongs_to_the_unit": LotNotOfThisUnit,
    "a_unit_declares_for_its_own_lot": LotNotOfThisUnit,
}


def sign_agreement(
    by: Actor, unit_key: uuid.UUID, operator_key: uuid.UUID, terms: Terms, paper: Paper
) -> OperatingAgreement:
    """Record that a unit entrusts an operator with lots of its own (N3.2, N4.7), with the signed document.

    Refuses `NotFound`, `AgreementIncomplete`, `AgreementOver`, `FileRefused`, `LotNotOfThisUnit`, `LotHasAnOperator`.
    """
    with transaction() as session:
        unit = lock(unit_key)
        permit(by, "units.sign_agreement", unit.place)
        terms.check()
        if terms.ends_at <= clock.now():
            raise AgreementOver
        operator_id = session.scalar(select(Operator.id).filter_by(key=operator_key))
        if operator_id is None:
            raise NotFound
        row = _agreement(by, unit.id, operator_id, terms, keep(paper, by.account_id).id)
        detail = {"agreement_id": row.id, "operator_id": operator_id, "lot_ids": sorted(terms.lot_ids)}
        audit.record("units.sign_agreement", "unit", unit.id, by.label, detail)
        return row


def _agreement(by: Actor, unit_id: int, operator_id: int, terms: Terms, file_id: int) -> OperatingAgreement:
    term = span(terms.begins_at, terms.ends_at)
    row = OperatingAgreement(
        unit_id=unit_id, operator_id=operator_id, shared_bays=terms.shared_bays, hours_text=terms.hours_text.strip(),
        services=terms.services.strip(), unit_duties=terms.unit_duties.strip(),
        operator_duties=terms.operator_duties.strip(), term=term, file_id=file_id, signed_by=by.account_id,
        signed_at=clock.now(),
    )  # fmt: skip
    with refusing(REFUSED_BY) as session:
        session.add(row)
        session.flush()
        session.add_all(
            AgreementLot(agreement_id=row.id, unit_id=unit_id, lot_id=each, valid=term)
            for each in sorted(set(terms.lot_ids))
        )
    return row


def end_agreement(by: Actor, agreement_key: uuid.UUID, why: str, ends_at: datetime | None = None) -> AgreementEnding:
    """End an agreement early: now, or at a later moment before the end that it has. Cars that are parked stay.

    An agreement that had not begun then never does. Refuses `NotFound`, `AgreementOver`, `EndDoesNotFit`,
    `WordsMissing`.
    """
    with transaction() as session:
        row, unit = _lock_agreement(agreement_key)
        permit(by, "units.end_agreement", unit.place)
        at, now, end = ends_at or clock.now(), clock.now(), end_of(row.id)
        if end <= now:
            raise AgreementOver
        if not now <= at < end:
            raise EndDoesNotFit
        ending = AgreementEnding(agreement_id=row.id, ends_at=at, why=said(why), ended_by=by.account_id, ended_at=now)
        session.add(ending)
        session.flush()
        _shorten(row.id, at)
        audit.record("units.end_agreement", "unit", unit.id, by.label, {"agreement_id": row.id})
        return ending


def _lock_agreement(agreement_key: uuid.UUID) -> tuple[OperatingAgreement, Unit]:
    """An agreement by the lock of its unit: agreements of one unit are changed one after the other."""
    row = current().scalar(select(OperatingAgreement).filter_by(key=agreement_key))
    if row is None:
        raise NotFound
    unit = current().get_one(Unit, row.unit_id, with_for_update={"key_share": True})
    return row, unit


def _shorten(agreement_id: int, at: datetime) -> None:
    current().execute(
        update(AgreementLot)
        .where(AgreementLot.agreement_id == agreement_id)
        .values(valid=AgreementLot.valid.op("*")(func.tstzrange(None, at)))
        .execution_options(synchronize_session=False)
    )


def declare_self_operation(
    by: Actor, unit_key: uuid.UUID, lot_id: int, why: str, since: datetime | None = None
) -> SelfOperation:
    """A unit runs a lot itself (N3.2) from now, or from a later moment on; needed after an agreement has ended.

    Refuses `NotFound`, `LotNotOfThisUnit`, `LotIsEntrusted`, `BeginsInThePast`, `WordsMissing`.
    """
    with transaction():
        unit = lock(unit_key)
        permit(by, "units.declare_self_operation", unit.place)
        at = since or clock.now()
        if at < clock.now():
            raise BeginsInThePast
        if operators_of(lot_id, at):
            raise LotIsEntrusted
        with refusing(REFUSED_BY) as session:
            row = SelfOperation(
                unit_id=unit.id, lot_id=lot_id, since=at, why=said(why), declared_by=by.account_id,
                declared_at=clock.now(),
            )  # fmt: skip
            session.add(row)
        audit.record("units.declare_self_operation", "unit", unit.id, by.label, {"lot_id": lot_id})
        return row
