"""Bank statements are whole or refused, and each settlement is found in them at most once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, LiteralString

import psycopg
import pytest
from flask import Flask
from sqlalchemy import select

from app.kernel.clock import SHANGHAI
from app.kernel.db import transaction
from payments.bank.actions import confirm_account, import_statement, record_account, watch_settlements
from payments.bank.actions.accounts import AccountKnown, AccountUnfit, OwnAccount
from payments.bank.actions.statements import OtherAccount, StatementKnown
from payments.bank.models import BankLine
from payments.bank.queries import settlements
from payments.bank.rules import StatementRefused, read_camt, read_csv
from simulators.wechat.bill_papers import Flowed
from tests.payments.months import Shop
from tests.payments.papers import DAY, Edit, at
from tests.payments.test_reconcile import hand_written
from tests.payments.world import cases, enterprise_payee, treasury_payee

ACCOUNT = "571900000000001"
CSV = (
    "记账日期,收入,支出,余额,附言\n"
    "2026-06-10,,,100.00,期初余额\n"
    "2026-06-10,42.00,,142.00,财付通 TX19000001 结算\n"
    "2026-06-10,,2.00,140.00,账户管理费\n"
    "2026-06-11,7.50,,147.50,财付通\n"
)
ENTRY = """<Ntry><NtryRef>1</NtryRef><Amt Ccy="CNY">42.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>
<BookgDt><Dt>2026-06-10</Dt></BookgDt><NtryDtls><TxDtls><Refs><EndToEndId>TX19000001</EndToEndId></Refs>
<Amt Ccy="CNY">1.00</Amt></TxDtls></NtryDtls></Ntry>"""
CLOSING = (
    '<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="CNY">142.00</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>'
)
CAMT = f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt><Stmt>
<Acct><Id><Othr><Id>{ACCOUNT}</Id></Othr></Id></Acct>
<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="CNY">100.00</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>
{CLOSING}
{ENTRY}</Stmt></BkToCstmrStmt></Document>"""
BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
THIEF = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


def refused(read: Callable[[bytes], object], text: str) -> str:
    with pytest.raises(StatementRefused) as refusal:
        read(text.encode())
    return str(refusal.value.details["reason"])


def test_a_table_is_read_by_its_names_and_its_balances_prove_it_whole() -> None:
    told = read_csv(("\ufeff" + CSV).encode())
    assert (told.opening_fen, told.moved_fen, told.closing_fen) == (10000, 4750, 14750)
    assert [(each.booked_on, each.amount_fen) for each in told.entries] == [
        (DAY, 4200), (DAY, -200), (DAY + timedelta(days=1), 750),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (lambda text: text.replace("42.00,,", "42.01,,"), "balances_differ"),
        (lambda text: text.replace("2026-06-10,,2.00,140.00,账户管理费\n", ""), "balances_differ"),
        (lambda text: text.replace("2.00,140", "2.005,140"), "too_many_decimals"),
        (lambda text: text.replace("42.00,,", "42.00,1.00,"), "bad_amount"),
        (lambda text: text.replace("42.00,,", "-42.00,,"), "bad_amount"),
        (lambda text: text.replace("2026-06-11", "2026-06-31"), "bad_date"),
        (lambda text: text.replace("附言\n", "附言,附言\n"), "doubled_column"),
        (lambda text: text.replace("余额,附言\n", "余额\n"), "missing_column"),
        (lambda text: text.replace("附言\n", "附言,用途\n"), "unknown_column"),
        (lambda text: text.replace("账户管理费", "=1+1"), "formula_in_cell"),
        (lambda text: text.replace("账户管理费", " \t=1+1"), "formula_in_cell"),
        (lambda text: text.replace("账户管理费", "账户\0管理费"), "not_csv"),
        (lambda text: text.replace(",账户管理费", ""), "wrong_cell_count"),
        (lambda text: text.splitlines()[0], "no_opening_balance"),
        (lambda text: text.replace("2026-06-10,,,100.00,期初余额\n", ""), "no_opening_balance"),
        (
            lambda text: f"附言,{text}".replace(",附言\n", "\n").replace("2026-06-10,,,100.00,", ""),
            "no_opening_balance",
        ),
    ],
)
def test_a_table_that_is_not_exactly_one_is_refused(edit: Edit, reason: str) -> None:
    assert edit(CSV) != CSV
    assert refused(read_csv, edit(CSV)) == reason


def test_a_camt_document_is_read_with_its_references() -> None:
    told = read_camt(CAMT.encode())
    assert (told.account, told.opening_fen, told.closing_fen) == (ACCOUNT, 10000, 14200)
    [entry] = told.entries
    assert (entry.booked_on, entry.amount_fen, entry.reference) == (DAY, 4200, "1 TX19000001")


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text.replace("camt.053.001.02", "camt.053.001.08").replace("BOOK<", "<Cd>BOOK</Cd><"),
        lambda text: text.replace("OPBD", "PRCD"),
        lambda text: text.replace("<Dt>2026-06-10</Dt>", "<DtTm>2026-06-10T09:30:00</DtTm>"),
        lambda text: text.replace("<Dt>2026-06-10</Dt>", "<DtTm>2026-06-09T16:00:00Z</DtTm>"),
        lambda text: text.replace("CLBD</Cd>", "CLAV</Cd>").replace("</Stmt>", f"{CLOSING}</Stmt>"),
    ],
)
def test_a_camt_document_reads_the_same_in_each_banks_dialect(edit: Edit) -> None:
    assert edit(CAMT) != CAMT
    assert read_camt(edit(CAMT).encode()) == read_camt(CAMT.encode())


def test_a_reversal_moves_what_it_says_it_moves() -> None:
    back = CAMT.replace("CRDT</CdtDbtInd><Sts>", "DBIT</CdtDbtInd><RvslInd>true</RvslInd><Sts>")
    told = read_camt(back.replace("142.00", "58.00").encode())
    assert (told.moved_fen, told.closing_fen) == (-4200, 5800)


@pytest.mark.parametrize("charset", ["GBK", "gb2312", "GB18030", "UTF-16"])
def test_a_camt_document_in_a_chinese_character_set_keeps_its_words(charset: str) -> None:
    text = CAMT.replace("UTF-8", charset).replace("TX19000001", "财付通 TX19000001")
    [entry] = read_camt(text.encode(charset)).entries
    assert entry.reference == "1 财付通 TX19000001"


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (lambda text: text.replace("?>\n", f"?>\n{BOMB}"), "document_type_forbidden"),
        (lambda text: text.replace("?>\n", f"?>\n{THIEF}"), "document_type_forbidden"),
        (lambda text: text.replace("42.00</Amt>", "42.01</Amt>", 1), "balances_differ"),
        (lambda text: text.replace(ENTRY, ""), "balances_differ"),
        (lambda text: text.replace(ENTRY, ENTRY + ENTRY), "balances_differ"),
        (lambda text: text.replace('Ccy="CNY">42', 'Ccy="USD">42'), "bad_amount"),
        (lambda text: text.replace("BOOK", "PDNG"), "entry_not_booked"),
        (lambda text: text.replace("CLBD", "CLAV"), "not_one_statement"),
        (lambda text: text.replace("camt.053", "camt.054"), "not_camt053"),
        (lambda text: text[:-20], "not_xml"),
        (lambda text: text.replace("<NtryRef>", "<a>" * 40 + "<NtryRef>"), "not_camt053"),
        (lambda text: text.replace("UTF-8", "Big5"), "not_xml"),
        (lambda text: text.replace("UTF-8", "of-nobody"), "not_xml"),
        (lambda text: text.replace("UTF-8", "GBK").replace("TX1900", "财付通"), "not_xml"),
        (lambda text: text.replace("</Stmt>", f"{CLOSING}</Stmt>"), "not_one_statement"),
        (lambda text: text.replace("</Stmt>", "</Stmt><Stmt></Stmt>"), "not_one_statement"),
        (lambda text: text.replace("BookgDt", "ValDt"), "bad_date"),
        (lambda text: text.replace("<Dt>2026-06-10</Dt>", "<DtTm>2026-06-10 nine</DtTm>"), "bad_date"),
        (lambda text: text.replace("<Dt>2026-06-10</Dt>", "<DtTm>0001-01-01T00:00:00+14:00</DtTm>"), "bad_date"),
    ],
)
def test_a_document_that_is_not_exactly_one_or_would_fetch_something_is_refused(edit: Edit, reason: str) -> None:
    assert edit(CAMT) != CAMT
    assert refused(read_camt, edit(CAMT)) == reason


@pytest.fixture
def shop(app: Flask, admin: psycopg.Connection[Any], at: Callable[[datetime], None]) -> Shop:
    """An enterprise to whose bank WeChat paid 42.00 and 7.50 on the day."""
    at(datetime(2026, 6, 12, 10, tzinfo=SHANGHAI).astimezone(UTC))
    made = Shop(admin, enterprise_payee())
    made.has_bill(DAY, [], moved=[settled(4200, "TX19000001"), settled(750, "TX19000002")])
    return made


def settled(fen: int, voucher: str) -> Flowed:
    return Flowed(at(8), voucher, "提现", -fen, "", voucher)


def arrived(shop: Shop) -> dict[int, tuple[date | None, bool | None]]:
    return {each.amount_fen: (each.booked_on, each.by_reference) for each in settlements(payees=[shop.payee.id])}


def imported(shop: Shop, text: str = CSV, form: str = "csv", account: str = ACCOUNT) -> None:
    import_statement(shop.payee.id, form, account, text.encode(), "staff:1")


def test_settlements_are_found_by_the_number_or_by_the_only_sum_that_fits(shop: Shop) -> None:
    assert arrived(shop) == {4200: (None, None), 750: (None, None)}
    imported(shop)
    assert arrived(shop) == {4200: (DAY, True), 750: (DAY + timedelta(days=1), False)}


def test_what_fits_two_lines_is_nobodys(shop: Shop) -> None:
    imported(shop, CSV + "2026-06-11,7.50,,155.00,财付通\n")
    assert arrived(shop)[750] == (None, None)


def test_the_same_file_another_account_and_another_sum_are_refused_whole(shop: Shop) -> None:
    with pytest.raises(OtherAccount):
        imported(shop, account="6222000000000001")
    with pytest.raises(OtherAccount):
        imported(shop, CAMT.replace(ACCOUNT, "6222000000000001"), "camt053")
    with pytest.raises(StatementRefused):
        imported(shop, CSV.replace("147.50", "147.51"))
    with transaction() as session:
        assert session.scalars(select(BankLine)).all() == []
    imported(shop)
    with pytest.raises(StatementKnown):
        imported(shop)


OF_NOBODY: LiteralString = """
INSERT INTO bank_statement (key, payee_id, format, account, sha256, lines, opening_fen, moved_fen, closing_fen,
                            imported_by, imported_at)
VALUES (gen_random_uuid(), %(payee)s, 'csv', %(account)s, '', 0, 0, 0, 0, 'x', now())
"""


def test_a_treasurys_payee_has_statements_of_accounts_that_two_persons_put_on_record_and_of_no_other(
    shop: Shop, program: str
) -> None:
    unit = replace(shop, payee=treasury_payee())
    number, since = "571900000000042", DAY - timedelta(days=9)
    told = (unit.payee.id, number, "某银行", since, "财政局函12号", "staff:1")
    for unfit in ("57190", "5719-0000-0001"):
        with pytest.raises(AccountUnfit):
            record_account(unit.payee.id, unfit, "某银行", since, "财政局函12号", "staff:1")
    made, other = record_account(*told), record_account(*told)
    with pytest.raises(OwnAccount):
        confirm_account(made.key, "staff:1")
    with pytest.raises(OtherAccount):
        imported(unit, account=number)
    assert hand_written(program, OF_NOBODY, payee=unit.payee.id, account=number) == (
        "a_statement_is_of_an_account_on_record"
    )
    confirm_account(made.key, "staff:2")
    for again in (made, other):
        with pytest.raises(AccountKnown):
            confirm_account(again.key, "staff:2")
    with pytest.raises(OtherAccount):
        imported(unit, CSV.replace("2026-06-10", "2026-05-10"), account=number)
    with pytest.raises(OtherAccount):
        imported(shop, account=number)
    imported(unit, account=number)
    alone: LiteralString = "UPDATE payee_account SET confirmed_by = recorded_by, confirmed_at = now() WHERE id = %(id)s"
    assert hand_written(program, alone, id=other.id) == "an_account_is_confirmed_by_another_person"
    rewritten: LiteralString = "UPDATE payee_account SET confirmed_by = 'staff:3' WHERE id = %(id)s"
    assert hand_written(program, rewritten, id=made.id) == "a_recorded_account_stays"


def test_a_settlement_that_does_not_arrive_in_three_days_is_a_case(shop: Shop, at: Callable[[datetime], None]) -> None:
    imported(shop, CAMT, "camt053")
    assert watch_settlements() == 0
    at(datetime(2026, 6, 14, 10, tzinfo=SHANGHAI))
    assert watch_settlements() == 1
    assert [each.kind for each in cases("settlement:")] == ["settlement_not_arrived"]
