"""Bills with code (region 2, class 2, kind 2, year 2), running number of ten digits, and check code of six."""

from collections.abc import Mapping
from decimal import Decimal
from hashlib import sha256
from typing import Any

from simulators.clock import Clock, rfc3339
from simulators.signed import Answered, Body, Book, Platform

NEEDED = ("busNo", "enterCode", "enterName", "regiCode", "payer", "totalMoney", "chargeDetail")


def invoice(book: Book, clock: Clock, body: Body, _: Mapping[str, Any]) -> Answered:
    """Issues a bill, or shows the one that was issued under this number for the same."""
    known = book.papers.get(body.get("busNo", ""))
    if known is not None:
        return _shown(known) if known["asked"] == body else refused("E0409")
    lines = body.get("chargeDetail") or []
    total = sum((Decimal(str(line.get("chMoney", "0"))) for line in lines), Decimal())
    if any(not body.get(name) for name in NEEDED) or total != Decimal(body["totalMoney"]) or total <= 0:
        return refused("E0400")
    return _shown(_written(book, clock, body, "normal"))


def write_off(book: Book, clock: Clock, body: Body, _: Mapping[str, Any]) -> Answered:
    """A red bill for the whole of a bill that was not taken back yet."""
    known = book.papers.get(body.get("busNo", ""))
    if known is not None:
        return _shown(known) if known["asked"] == body else refused("E0409")
    related = (body.get("relatedBillCode"), body.get("relatedBillNo"))
    original = next((each for each in book.papers.values() if (each["billCode"], each["billNo"]) == related), None)
    if original is None or original["state"] != "normal" or original["asked"]["totalMoney"] != body.get("totalMoney"):
        return refused("E0410")
    original["state"] = "written_off"
    return _shown(_written(book, clock, body, "red"))


def find(book: Book, _: Clock, body: Body, __: Mapping[str, Any]) -> Answered:
    """The bill of a request."""
    known = book.papers.get(body.get("busNo", ""))
    return refused("E0404") if known is None else _shown(known)


def refused(code: str) -> Answered:
    """A refusal, signed like any answer."""
    return 200, {"result": code or "E0400", "message": "开票失败"}


def _written(book: Book, clock: Clock, body: Body, state: str) -> Body:
    at = rfc3339(clock.now())
    number = f"{len(book.papers) + 1:010d}"
    paper = {
        "billCode": f"330601{at[2:4]}", "billNo": number, "ivcDateTime": at, "state": state, "asked": body,
        "checkCode": sha256(f"{number}{body['totalMoney']}".encode()).hexdigest()[:6],
    }  # fmt: skip
    book.papers[body["busNo"]] = paper
    return paper


def _shown(paper: Body) -> Answered:
    return 200, {
        "result": "S0000",
        "data": {name: paper[name] for name in ("billCode", "billNo", "checkCode", "ivcDateTime", "state")},
    }


PLATFORM = Platform(
    "fiscal",
    {
        "/api/standard/invoiceEBill": invoice,
        "/api/standard/writeOffEBill": write_off,
        "/api/standard/getEBillByBusNo": find,
    },
    refused,
    (200, {"result": "E0429", "message": "系统繁忙"}),
)
