"""Under which certificate a lot's property is held is recorded by one person of finance and decided by another."""

import uuid
from typing import Final

from app.domain.lots.queries.places import lot_id_of, place_of
from app.domain.receipts.models import LotCertificate
from app.domain.receipts.queries import NoSuchCertificate, certificate_by_key
from app.domain.staff.rules import Actor, permit
from app.kernel import audit
from app.kernel.db import refusing, transaction
from app.kernel.refusals import Conflict, Invalid, NotAllowed
from app.kernel.two_persons import TwoPersons


class CertificateWaits(Conflict):
    """What somebody recorded of the lot waits for its decision."""

    code = "certificate_waits"
    message = "该停车场已有待复核的产权证书登记"


class CertificateDecided(Conflict):
    """It was accepted or rejected before."""

    code = "certificate_decided"
    message = "该产权证书登记已复核"


class OwnCertificate(NotAllowed):
    """Nobody decides on what they recorded themselves."""

    code = "own_certificate"
    message = "登记人不得复核本人登记的产权证书"


class CertificateUnfit(Invalid):
    """It has a number, or says 无 where there is none; who records or decides says on what that rests."""

    code = "certificate_unfit"
    message = "请填写产权证书号（没有证书的填“无”）和依据"


REQUESTS: Final = TwoPersons(LotCertificate, NoSuchCertificate, CertificateDecided, OwnCertificate, CertificateUnfit)


def record_certificate(by: Actor, lot_key: uuid.UUID, number: str, because: str) -> LotCertificate:
    """Write down the number of the certificate of a lot's property, or 无; it counts when another has accepted it.

    Refuses `NotFound`, `CertificateUnfit`, `CertificateWaits`.
    """
    with transaction():
        lot_id = lot_id_of(lot_key)
        permit(by, "receipts.record_certificate", place_of(lot_id))
        if not number.strip():
            raise CertificateUnfit
        made = LotCertificate(lot_id=lot_id, number=number.strip(), **REQUESTS.asking(by.label, because))
        with refusing({"a_lot_has_one_certificate_waiting": CertificateWaits}) as session:
            session.add(made)
        audit.record("receipts.record_certificate", "lot", lot_id, by.label, {"certificate_id": made.id})
        return made


def accept_certificate(by: Actor, key: uuid.UUID, because: str) -> LotCertificate:
    """A second person's word that it is so: from now on invoices say it.

    Refuses `NoSuchCertificate`, `CertificateDecided`, `OwnCertificate`, `CertificateUnfit`.
    """
    with transaction():
        permit(by, "receipts.accept_certificate", place_of(certificate_by_key(key).lot_id))
        return _decided(by, key, "accepted", because)


def reject_certificate(by: Actor, key: uuid.UUID, because: str) -> LotCertificate:
    """It is not so; what was accepted before counts on. Refuses as `accept_certificate` does."""
    with transaction():
        permit(by, "receipts.reject_certificate", place_of(certificate_by_key(key).lot_id))
        return _decided(by, key, "rejected", because)


def _decided(by: Actor, key: uuid.UUID, state: str, because: str) -> LotCertificate:
    found = REQUESTS.waiting(key, by.label, because)
    REQUESTS.decide(found, state, by.label, because)
    audit.record(f"receipts.certificate_{state}", "lot", found.lot_id, by.label, {"certificate_id": found.id})
    return found
