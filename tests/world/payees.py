"""Who may collect, confirmed by a second person."""

import secrets

from app.kernel.db import transaction
from payments.payees.actions import (
    confirm,
    confirm_channel,
    confirm_terms,
    open_channel,
    open_payee,
    record_terms,
)
from payments.payees.models import Payee
from payments.payees.rules import EnterpriseParticulars, FiscalParticulars, InvoiceForm, Vat
from tests import moulds
from tests.world.city import ACTOR, CHECKER, EVER

PLAIN_LINES = InvoiceForm("plain")


def payee(kind: str = "enterprise") -> Payee:
    """A confirmed recipient: a district's treasury, or an enterprise."""
    payee_id = moulds.common(("payee", kind), lambda: _confirmed_payee(kind))
    with transaction() as session:
        return session.get_one(Payee, payee_id)


def _confirmed_payee(kind: str) -> int:
    fiscal = FiscalParticulars("district", "330106", "001001", "示例事务中心", "示例项目", "示例区财政专户")
    enterprise = EnterpriseParticulars("91330100MA00000000", "示例银行", "571900000000001")
    made = open_payee(
        f"示例收费主体{secrets.token_hex(4)}", enterprise if kind == "enterprise" else fiscal, EVER, actor=ACTOR
    )
    confirm(made.id, confirmed_by=CHECKER, note="示例主体，不得用于真实收费", sample=True)
    if made.tax_number is not None:
        with_terms(made)
    sub_mchid = str(1900000000 + secrets.randbelow(99_999_999))
    confirm_channel(open_channel(made.id, sp_mchid="1600000001", sub_mchid=sub_mchid, actor=ACTOR).key, CHECKER)
    return made.id


def with_terms(receives: Payee, form: InvoiceForm = PLAIN_LINES) -> Payee:
    """The payee, of which two persons have said what its receipts must say, an enterprise's VAT and form too."""
    vat, said = (None, None) if receives.tax_number is None else (Vat("general", 900), form)
    made = record_terms(
        receives.id, EVER, item_code=receives.item_code or "3040502020200000000", item_name="停车服务", vat=vat,
        form=said, note="示例", by=ACTOR,
    )  # fmt: skip
    confirm_terms(made.key, CHECKER)
    return receives
