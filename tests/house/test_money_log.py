"""Every table of the money tells the audit log of each row and each change, or is named here with the reason."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import psycopg
import pytest

from app.kernel.base import Base
from migrations.tables import metadata

UNTOLD: Final[Mapping[str, str]] = {
    "account": "opened with its payee, which is told, from a chart that is code",
    "arrear": "its sum is its charge's, which is told",
    "balance_daily": "derived from postings, and compared with them every hour",
    "bill": "asks what its charge asks, which is told",
    "bill_day": "says when a bill is asked for; the bill itself is told",
    "bill_line": "its file is told with hash, count and sums, which the database holds against the lines",
    "bill_original": "comes with a bill that is told with its hashes; that one is exported or erased is told as a deed",
    "bill_original_piece": "sealed bytes of an original",
    "callback_inbox": "holds what WeChat said, sealed; what it led to is told",
    "channel_call": "holds what WeChat was asked, sealed; what it led to is told",
    "combined_order": "has no sum and no state of its own",
    "fund_line": "its file is told with hash, count and sums, which the database holds against the lines",
    "invoice_title": "personal; the receipt that was made out to it is told",
    "order_line": "asks for a charge, which is told; what it brings is a payment, which is told",
    "payment_order": "one attempt to pay charges that are told; what it brings is a payment, which is told",
    "posting": "its journal is told with the hash of its postings",
    "receipt_call": "holds what a platform was asked, sealed; the receipt that came of it is told",
    "receipt_lease": "its receipt is told; the database holds it against the form that the terms name, which are told",
    "receipt_line": "its receipt is told with the sum that the database holds against the lines",
    "receipt_request": "follows from a paid charge; the receipt that came of it is told",
    "remittance_line": "its batch is told with count and sum, which the database holds against the lines",
    "service_fee_line": "its statement is told with count and sums, which the database holds against the lines",
    "shipment": "reports a service to WeChat; moves nothing",
    "suspense_clearing_line": "its clearing is told; the difference that it clears is told as it moves",
    "trade_management": "WeChat's word on what it wants reported; moves nothing",
    "unit_turnover_daily": "derived from postings, and compared with them every hour",
    "turnover_daily": "derived from postings, and compared with them every hour",
}
QUIET: Final[Mapping[str, frozenset[str]]] = {
    "agreed_rate": frozenset({"confirmed_at"}),
    "correction": frozenset({"decided_by", "decided_at", "decided_because"}),
    "difference": frozenset(
        {"last_run_id", "payment_id", "refund_id", "moved_at", "next_check_at", "tries"},
    ),
    "explanation": frozenset({"decided_by", "decided_at", "decided_because"}),
    "merchant_channel": frozenset({"confirmed_by", "confirmed_at", "reopened"}),
    "channel_reopening": frozenset({"decided_by", "decided_at", "decided_because"}),
    "line_meaning": frozenset({"decided_by", "decided_at", "decided_because"}),
    "payee_account": frozenset({"confirmed_at"}),
    "payment": frozenset({"refund_reserved_fen"}),
    "receipt": frozenset(
        {"next_check_at", "attempts", "code", "number", "check_code", "issued_at", "refusal", "news_at"}
    ),
    "receipt_terms": frozenset({"confirmed_at"}),
    "stray_placement": frozenset(
        {"charge_id", "decided_by", "decided_at", "decided_because", "next_check_at", "tries"},
    ),
    "suspense_clearing": frozenset({"decided_by", "decided_at", "decided_because"}),
    "remittance_batch": frozenset({"document_number"}),
    "settlement_statement": frozenset({"number", "decided_by", "decided_at", "decided_because"}),
    "service_fee_statement": frozenset({"number", "decided_by", "decided_at", "decided_because"}),
    "service_fee_terms": frozenset({"confirmed_at"}),
    "refund": frozenset(
        {
            "body", "refund_id", "document_number", "voucher_number",
            "decided_by", "decided_at", "decided_because", "next_check_at", "checks", "moved_at",
        }
    ),
}  # fmt: skip
"""What may change untold: it comes with a change that is told, is summed from rows that are, or only plans work."""


def is_money(name: str) -> bool:
    """A table of `payments`, or one that holds fen or names who receives money."""
    columns = {column.name for column in metadata().tables[name].columns}
    return name in IN_PAYMENTS or "payee_id" in columns or any(each.endswith("_fen") for each in columns)


def in_payments() -> Iterator[str]:
    for mapper in Base.registry.mappers:
        if mapper.class_.__module__.startswith("payments."):
            yield str(mapper.local_table.name)  # type: ignore[attr-defined]  # every model of ours is one table


metadata()
IN_PAYMENTS: Final = frozenset(in_payments())
MONEY: Final = sorted(filter(is_money, metadata().tables))
TOLD: Final = [name for name in MONEY if name not in UNTOLD]


def told_columns(admin: psycopg.Connection[Any], table: str, event: str) -> set[str]:
    """The columns whose change is told; of inserts an empty name when each row is."""
    bit = {"INSERT": 4, "UPDATE": 16}[event]
    rows = admin.execute(
        "SELECT coalesce(attname, '') FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid "
        "LEFT JOIN pg_attribute ON attrelid = tgrelid AND attnum = ANY(tgattr) "
        "WHERE tgrelid = %s::regclass AND proname IN ('write_down', 'write_down_line') AND tgenabled = 'O' "
        "AND tgtype & %s > 0",
        [table, bit],
    ).fetchall()
    return {name for (name,) in rows}


def changeable(admin: psycopg.Connection[Any], table: str) -> set[str]:
    """The columns that the program may change."""
    rows = admin.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped "
        "AND has_column_privilege('app_rw', attrelid, attnum, 'UPDATE')",
        [table],
    ).fetchall()
    return {name for (name,) in rows}


def test_there_is_money_to_look_at() -> None:
    assert {"payment", "journal", "bill_file", "difference", "bank_line", "lot_payee"} <= set(TOLD)


@pytest.mark.parametrize("table", TOLD)
def test_each_row_of_the_money_is_told_to_the_audit_log(admin: psycopg.Connection[Any], table: str) -> None:
    assert told_columns(admin, table, "INSERT"), f"{table}: written_down() in its migration, or a reason in UNTOLD"


@pytest.mark.parametrize("table", TOLD)
def test_each_change_of_the_money_is_told_or_comes_with_one_that_is(admin: psycopg.Connection[Any], table: str) -> None:
    untold = changeable(admin, table) - told_columns(admin, table, "UPDATE")
    assert untold == QUIET.get(table, frozenset())


def test_what_is_untold_is_money_and_no_row_of_it_is_told(admin: psycopg.Connection[Any]) -> None:
    assert set(UNTOLD) <= set(MONEY)
    assert [name for name in UNTOLD if told_columns(admin, name, "INSERT")] == []
