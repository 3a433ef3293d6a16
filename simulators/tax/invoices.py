"""Invoices with a number of twenty digits; the service may take its time (`seconds` of the switches) and tell later.

Of the special businesses (特定业务) it knows 06, 不动产经营租赁服务: address, first and last day, cross-city flag, area
unit, certificate number; one line, without model and unit. It is strict about these.
"""

from collections.abc import Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from simulators.clock import Clock, rfc3339
from simulators.signed import Answered, Body, Book, Platform

CENT = Decimal("0.01")
LEASE = "06"
LEASE_SAYS = {"address", "begins_on", "ends_on", "cross_city", "area_unit", "certificate_number"}


def issue(book: Book, clock: Clock, body: Body, switches: Mapping[str, Any]) -> Answered:
    """Takes an invoice, or shows the one that was taken under this number for the same."""
    known = book.papers.get(body.get("request_no", ""))
    if known is not None:
        return _shown(known, clock) if known["asked"] == body else refused("request_no_used")
    if not body.get("request_no") or not body.get("seller_tax_number") or not body.get("lines"):
        return refused("incomplete")
    if not _adds_up(body):
        return refused("sums_wrong")
    if wrong := _special_wrong(body):
        return refused(wrong)
    return _shown(_written(book, clock, body, "blue", switches), clock)


def reverse(book: Book, clock: Clock, body: Body, switches: Mapping[str, Any]) -> Answered:
    """A red invoice for the whole of one that was not taken back yet."""
    known = book.papers.get(body.get("request_no", ""))
    if known is not None:
        return _shown(known, clock) if known["asked"] == body else refused("request_no_used")
    original = next((each for each in book.papers.values() if each["number"] == body.get("original_number")), None)
    if original is None or original["state"] != "blue" or _says(original["asked"]) != _says(body):
        return refused("original_wrong")
    original["state"] = "reversed"
    return _shown(_written(book, clock, body, "red", switches), clock)


def find(book: Book, clock: Clock, body: Body, _: Mapping[str, Any]) -> Answered:
    """The invoice of a request."""
    known = book.papers.get(body.get("request_no", ""))
    return refused("invoice_not_found") if known is None else _shown(known, clock)


def refused(code: str) -> Answered:
    """A refusal, signed like any answer."""
    return 200, {"status": "refused", "code": code or "incomplete"}


def _adds_up(body: Body) -> bool:
    """Each line's tax is its net sum's at its rate, to the cent and one; the totals are the lines'."""
    net = tax = Decimal()
    for line in body["lines"]:
        amount, rate, part = Decimal(line["amount"]), Decimal(line["rate"]), Decimal(line["tax"])
        if abs((amount * rate).quantize(CENT, ROUND_HALF_UP) - part) > CENT:
            return False
        net, tax = net + amount, tax + part
    return tax == Decimal(body["total_tax"]) and net + tax == Decimal(body["total_with_tax"])


def _special_wrong(body: Body) -> str:
    """Why the special business does not fit; empty where it does, or where there is none."""
    lease, business = body.get("lease"), body.get("special_business")
    if business is None:
        return "" if lease is None else "special_business_missing"
    if business != LEASE:
        return "special_business_unknown"
    if not isinstance(lease, dict) or set(lease) != LEASE_SAYS or not all(map(_is_told, lease.values())):
        return "lease_incomplete"
    if lease["cross_city"] not in ("Y", "N") or not _is_term(lease["begins_on"], lease["ends_on"]):
        return "lease_wrong"
    [first, *more] = body["lines"]
    return "lease_line_wrong" if more or {"model", "unit"} & set(first) else ""


def _is_told(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_term(begins_on: str, ends_on: str) -> bool:
    try:
        return date.fromisoformat(begins_on) <= date.fromisoformat(ends_on)
    except ValueError:
        return False


def _says(body: Body) -> tuple[object, ...]:
    """What a red invoice repeats of the blue one."""
    return body["total_with_tax"], body.get("special_business"), body.get("lease")


def _written(book: Book, clock: Clock, body: Body, state: str, switches: Mapping[str, Any]) -> Body:
    now = clock.now()
    paper = {
        "number": f"{rfc3339(now)[2:4]}330000{len(book.papers) + 1:012d}", "state": state, "asked": body,
        "taken_at": now, "done_at": now + float(switches.get("seconds", 0)),
    }  # fmt: skip
    book.papers[body["request_no"]] = paper
    return paper


def _shown(paper: Body, clock: Clock) -> Answered:
    if clock.now() < paper["done_at"]:
        return 202, {"status": "processing"}
    return 200, {
        "status": "issued",
        "number": paper["number"],
        "issued_at": rfc3339(paper["done_at"]),
        "state": paper["state"],
    }


PLATFORM = Platform(
    "tax",
    {"/v1/invoices": issue, "/v1/invoices/red": reverse, "/v1/invoices/query": find},
    refused,
    (200, {"status": "refused", "code": "busy"}),
)
