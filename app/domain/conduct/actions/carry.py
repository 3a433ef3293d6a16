"""A measure that runs is not escaped by erasing the account: whoever signs in again with it meets it again."""

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError, NoResultFound

from app.adapters.identity import Identity
from app.domain.conduct.actions.assess import assess
from app.domain.conduct.models import CarriedMeasure, Incident, Measure
from app.domain.conduct.rules import STOP_RESERVATIONS
from app.domain.motorists import actions as motorists
from app.domain.motorists.actions import Grant
from app.domain.motorists.models import Motorist
from app.kernel import clock
from app.kernel.crypto import blind_index
from app.kernel.db import current, transaction, violated
from app.kernel.leftovers import forget
from app.kernel.spans import bounds, span

CARRIED = "（注销前的措施尚未期满，继续执行）"


def carry_on(motorist: Motorist, openid: str) -> None:
    """Keep what stops a motorist's reservations now, under a digest of the openid, before the account is erased.

    Incidents that the rules were not asked about yet are assessed first. For whoever has locked the motorist.
    """
    for incident_id in (
        current().scalars(select(Incident.id).filter_by(motorist_id=motorist.id, assessed_at=None)).all()
    ):
        assess(incident_id)
    now = clock.now()
    running = select(Measure).where(
        Measure.motorist_id == motorist.id, Measure.kind.in_(STOP_RESERVATIONS), Measure.valid.contains(now)
    )
    for each in current().scalars(running).all():
        began_at, ends_at = bounds(each.valid)
        current().add(
            CarriedMeasure(
                app_id=motorist.app_id, openid_digest=_digest(openid), kind=each.kind, began_at=began_at,
                ends_at=ends_at, reason=each.reason.removesuffix(CARRIED) + CARRIED,
            )
        )  # fmt: skip


def sign_in(app_id: str, person: Identity) -> Grant:
    """Begin a sign-in as `motorists.sign_in` does; what was carried on under this openid holds again.

    Who meets an erasure of the account that ends at that moment begins anew after it.
    """
    try:
        return _begun(app_id, person)
    except (NoResultFound, IntegrityError) as met:
        if isinstance(met, IntegrityError) and violated(met) != "an_erased_motorist_does_nothing":
            raise
        return _begun(app_id, person)


def _begun(app_id: str, person: Identity) -> Grant:
    with transaction():
        grant = motorists.sign_in(app_id, person)
        for each in _carried(app_id, person.openid):
            _meet_again(grant, each)
        return grant


def forget_carried() -> int:
    """Forget digests whose measure has ended; returns how many."""
    return forget(CarriedMeasure, CarriedMeasure.ends_at <= clock.now())


def _carried(app_id: str, openid: str) -> list[CarriedMeasure]:
    """Each is handed to one sign-in: two phones at once find it once."""
    mine = delete(CarriedMeasure).filter_by(app_id=app_id, openid_digest=_digest(openid)).returning(CarriedMeasure)
    return [each for each in current().scalars(mine) if each.ends_at > clock.now()]


def _meet_again(grant: Grant, each: CarriedMeasure) -> None:
    motorist_id = current().scalars(select(Motorist.id).filter_by(key=grant.motorist_key)).one()
    current().add(
        Measure(
            kind=each.kind, motorist_id=motorist_id, began_at=each.began_at, valid=span(each.began_at, each.ends_at),
            reason=each.reason,
        )
    )  # fmt: skip
    current().flush()


def _digest(openid: str) -> bytes:
    return blind_index("carried_measure.openid", openid)
