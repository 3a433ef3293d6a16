"""Fiscal e-bills (财政电子票据) through a fiscal bill platform.

The finance bureau's own interface text is not public: names follow the widely used issuing system (业务流水号 busNo,
执收单位 enterCode, 执收项目 chitCode, 冲红 with the related code and number); docs/receipts.md tells the wire.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from app.adapters.outbound import Reach
from app.adapters.receipts.outcomes import Told
from app.adapters.receipts.wire import Account, Silent, Wire, moment, word, yuan

DONE: Final = "S0000"
NO_SUCH_BILL: Final = "E0404"
BUSY: Final = frozenset({"E0429", "E0500"})
A_PERSON: Final = "个人"
NO_REGION: Final = "region_unknown"
"""Our own refusal: nothing goes out for the city's treasury while nobody has said its code."""


class FiscalBills:
    """Speaks for all collecting units (执收单位) of one platform. Call outside transactions; raises nothing."""

    def __init__(
        self, account: Account, now: Callable[[], datetime], reach: Reach, city_region: str | None
    ) -> None:  # fmt: skip
        self._wire = Wire(account, now, reach)
        self._city_region = city_region

    def issue(self, face: Mapping[str, Any]) -> Told:
        """Have a bill issued, or one taken back; asked twice under one `request_no` the platform issues once.

        A unit of the city's own level lies in no district: its region is the city's, as the platform calls it.
        """
        region = face["district_code"] or self._city_region
        if not region:
            return Told("refused", NO_REGION)
        red = face["colour"] == "red"
        related = {"relatedBillCode": face["original_code"], "relatedBillNo": face["original_number"]} if red else {}
        return self._ask("writeOffEBill" if red else "invoiceEBill", _bill(face) | {"regiCode": region} | related)

    def find(self, request_no: str) -> Told:
        """What the platform knows of a request."""
        return self._ask("getEBillByBusNo", {"busNo": request_no})

    def _ask(self, what: str, body: Mapping[str, Any]) -> Told:
        try:
            _, answer = self._wire.post(f"/api/standard/{what}", body)
            return _told(answer)
        except Silent:
            return Told("silent")


def _bill(face: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "busNo": face["request_no"],
        "enterCode": face["payee_code"],
        "enterName": face["payee_name"],
        "payer": face["payer_name"] or A_PERSON,
        "payerCreditCode": face["payer_tax_number"],
        "totalMoney": yuan(face["amount_fen"]),
        "remark": face["remark"],
        "chargeDetail": [
            {
                "chitCode": line["code"], "chitName": line["name"], "metricUnit": "次", "chCount": 1,
                "chargeStandard": yuan(line["amount_fen"]), "chMoney": yuan(line["amount_fen"]),
                "remark": line["about"],
            }
            for line in face["lines"]
        ],
    }  # fmt: skip


def _told(answer: Mapping[str, Any]) -> Told:
    result = word(answer, "result")
    if result == DONE:
        bill = answer.get("data")
        if not isinstance(bill, dict):
            raise Silent("no data")
        return Told(
            "issued",
            word(bill, "billCode"),
            word(bill, "billNo"),
            word(bill, "checkCode"),
            moment(bill.get("ivcDateTime")),
        )
    if result == NO_SUCH_BILL:
        return Told("absent")
    return Told("silent") if result in BUSY else Told("refused", result[:64])
