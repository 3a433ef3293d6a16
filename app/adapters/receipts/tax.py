"""Tax invoices (数电票) through an invoice service; a platform may take its time and tell later."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from app.adapters.outbound import Reach
from app.adapters.receipts.outcomes import Told
from app.adapters.receipts.wire import Account, Silent, Wire, moment, word, yuan

NO_SUCH_INVOICE: Final = "invoice_not_found"
BUSY: Final = frozenset({"busy", "too_many_requests"})
A_PERSON: Final = "个人"
LEASE: Final = "06"
"""特定业务 06: 不动产经营租赁服务."""


class TaxInvoices:
    """Speaks for all sellers of one service. Call outside transactions; raises nothing."""

    def __init__(self, account: Account, now: Callable[[], datetime], reach: Reach) -> None:
        self._wire = Wire(account, now, reach)

    def issue(self, face: Mapping[str, Any]) -> Told:
        """Have an invoice issued, or a red one; asked twice under one `request_no` the service issues once."""
        if face["colour"] == "red":
            return self._ask("/v1/invoices/red", _invoice(face) | {"original_number": face["original_number"]})
        return self._ask("/v1/invoices", _invoice(face))

    def find(self, request_no: str) -> Told:
        """What the service knows of a request."""
        return self._ask("/v1/invoices/query", {"request_no": request_no})

    def _ask(self, path: str, body: Mapping[str, Any]) -> Told:
        try:
            return _told(self._wire.post(path, body)[1])
        except Silent:
            return Told("silent")


def _invoice(face: Mapping[str, Any]) -> dict[str, Any]:
    """One line for each service: net sum, rate, tax; plate and times stand in the remark.

    Lease says no quantity: beside a unit of area 1 would be read as an area.
    """
    quantity = {} if face["lease"] else {"quantity": 1}
    rate = str(Decimal(face["vat_basis_points"] or 0).scaleb(-4).normalize())
    return {
        "request_no": face["request_no"],
        "seller_name": face["payee_name"],
        "seller_tax_number": face["payee_code"],
        "buyer_name": face["payer_name"] or A_PERSON,
        "buyer_tax_number": face["payer_tax_number"],
        "tax_method": face["vat_method"],
        "lines": [
            {
                "name": line["name"], "class_code": line["code"], **quantity, "rate": rate,
                "amount": yuan(line["amount_fen"] - line["tax_fen"]), "tax": yuan(line["tax_fen"]),
            }
            for line in face["lines"]
        ],
        "total_with_tax": yuan(face["amount_fen"]),
        "total_tax": yuan(face["tax_fen"]),
        "remark": face["remark"],
        **_special(face["lease"]),
    }  # fmt: skip


def _special(lease: Mapping[str, Any] | None) -> dict[str, Any]:
    """Nothing of a plain invoice: what it says is what it said before there were others."""
    if lease is None:
        return {}
    told = {
        "address": lease["address"], "begins_on": lease["begins_on"].isoformat(),
        "ends_on": lease["ends_on"].isoformat(), "cross_city": "Y" if lease["cross_city"] else "N",
        "area_unit": lease["area_unit"], "certificate_number": lease["certificate_number"],
    }  # fmt: skip
    return {"special_business": LEASE, "lease": told}


def _told(answer: Mapping[str, Any]) -> Told:
    status = word(answer, "status")
    if status == "issued":
        return Told("issued", "", word(answer, "number"), "", moment(answer.get("issued_at")))
    if status == "processing":
        return Told("pending")
    reason = word(answer, "code")
    if reason == NO_SUCH_INVOICE:
        return Told("absent")
    return Told("silent") if reason in BUSY else Told("refused", reason[:64])
