"""Payees are opened, confirmed by finance, and given a WeChat sub-merchant."""

from dataclasses import asdict

from app.kernel import audit, clock
from app.kernel.db import transaction
from app.kernel.refusals import Invalid
from payments.ledger.actions import open_books
from payments.payees.models import MerchantChannel, Payee, PayeeConfirmation
from payments.payees.rules import Particulars, regime_of, says_sample


class SampleNotMarked(Invalid):
    """A sample confirmation must say so, and a real one must not."""

    code = "sample_not_marked"
    message = "示例确认须在说明中写明“示例”，正式确认不得出现"


def open_payee(name: str, particulars: Particulars, *, actor: str) -> Payee:
    """Write down a recipient of money with its books; it cannot collect before `confirm`.

    The particulars decide the regime and are never altered: a change is a new payee.
    """
    with transaction() as session:
        payee = Payee(name=name, regime=regime_of(particulars), created_at=clock.now(), **asdict(particulars))
        session.add(payee)
        session.flush()
        open_books(payee.id, payee.regime)
        audit.record("payee.open", "payee", payee.id, actor)
        return payee


def confirm(payee_id: int, *, confirmed_by: str, note: str, sample: bool = False) -> PayeeConfirmation:
    """Finance's word that the particulars are right; from now on the payee may collect.

    `sample=True` needs the word 示例 in its note and counts only where samples are accepted.
    Refuses `SampleNotMarked`.
    """
    if says_sample(note) is not sample:
        raise SampleNotMarked
    with transaction() as session:
        confirmation = PayeeConfirmation(
            payee_id=payee_id, confirmed_by=confirmed_by, confirmed_at=clock.now(), note=note, sample=sample
        )
        session.add(confirmation)
        session.flush()
        audit.record("payee.confirm", "payee", payee_id, confirmed_by, {"sample": sample})
        return confirmation


def open_channel(payee_id: int, *, sp_mchid: str, sub_mchid: str, actor: str) -> MerchantChannel:
    """Tie a WeChat sub-merchant (特约商户号) to its payee for good; the newest one takes new orders."""
    with transaction() as session:
        channel = MerchantChannel(payee_id=payee_id, sp_mchid=sp_mchid, sub_mchid=sub_mchid, opened_at=clock.now())
        session.add(channel)
        session.flush()
        audit.record("payee.open_channel", "payee", payee_id, actor, {"channel_id": channel.id})
        return channel
