"""A bill is what it must be, or refused with a stable code: no line, sum or byte is taken on trust."""

import gzip
import random
from dataclasses import replace
from datetime import date

import pytest

from payments.bills.rules import BillRefused, FlowReader, Inflated, Owner, Sums, TradeReader, lines_of
from payments.bills.rules.reading import fen, money
from tests.payments.papers import DAY, OWNER, Edit, flowing, flows, part, payment, refund, trades

FIRST = payment(1250, 9)
SECOND = payment(800, 12)
BACK = refund(SECOND, 300)
TRADES = trades(FIRST, SECOND, BACK)
FLOWS = flows(*flowing([FIRST, SECOND, BACK]))


def read(text: str | bytes, owner: Owner = OWNER) -> tuple[list[list[str]], Sums]:
    raw = text.encode() if isinstance(text, str) else text
    reader = TradeReader(lines_of([raw]), owner)
    rows = [row.rstrip("\n").split("\t") for row in reader.rows(7)]
    return rows, reader.sums


def read_flow(text: str) -> tuple[list[list[str]], Sums]:
    reader = FlowReader(lines_of([text.encode()]), OWNER)
    rows = [row.rstrip("\n").split("\t") for row in reader.rows(7)]
    return rows, reader.sums


def code(text: str | bytes, owner: Owner = OWNER) -> str:
    with pytest.raises(BillRefused) as refusal:
        read(text, owner)
    return refusal.value.code


def test_every_line_becomes_a_row_to_the_fen_and_whose_payment_it_was_is_not_kept() -> None:
    rows, sums = read(TRADES)
    assert rows[0] == [
        "7", "2", "2026-06-10 09:00:00+08", "SUCCESS", FIRST.transaction_id, FIRST.out_trade_no, "", "", "1250", "1250",
        "8", "6000", "", "CNY",
    ]  # fmt: skip
    assert rows[2][3:] == [
        "REFUND", SECOND.transaction_id, SECOND.out_trade_no, BACK.refund_id, BACK.out_refund_no, "-300", "-300", "-2",
        "6000", "SUCCESS", "CNY",
    ]  # fmt: skip
    assert sums == Sums(lines=3, paid_fen=2050, refunded_fen=300, fee_fen=11)
    assert "o-payer" not in str(rows)


def test_the_layouts_of_payments_alone_and_of_refunds_alone_read_alike() -> None:
    paid, _ = read(trades(FIRST, SECOND, BACK, layout="SUCCESS"))
    back, sums = read(trades(FIRST, SECOND, BACK, layout="REFUND"))
    everything, _ = read(TRADES)
    assert [row[2:] for row in paid + back] == [row[2:] for row in everything]
    assert sums == Sums(lines=1, refunded_fen=300, fee_fen=-2)


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text.replace("\r\n", "\n"),
        lambda text: text.removeprefix("\ufeff"),
        lambda text: text.rstrip("\r\n"),
        lambda text: text.replace("应结订单金额,", "总金额,").replace("代金券金额,", "企业红包金额,"),
        lambda text: text.replace("停车费 测试车场", "停车费,西湖区,测试车场"),
    ],
    ids=["newlines", "no BOM", "no last line end", "names of old accounts", "commas in a name"],
)
def test_what_may_differ_between_files_changes_nothing(edit: Edit) -> None:
    assert read(edit(TRADES)) == read(TRADES)


def test_columns_are_found_by_their_names_not_their_places() -> None:
    turned = []
    for line in TRADES.removeprefix("\ufeff").split("\r\n"):
        cells = line.split(",")
        turned.append(",".join(cells if len(cells) == 7 else reversed(cells)))
    assert read("\n".join(turned)) == read(TRADES)


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (lambda text: text.replace("`12.50,`0.00,`0,", "`12.51,`0.00,`0,"), "wrong_total"),
        (lambda text: text.replace("`20.50,`3.00,", "`20.51,`3.00,"), "wrong_total"),
        (lambda text: text.replace("`0.11000,", "`0.12000,"), "wrong_total"),
        (lambda text: text.replace("`-0.02000", "`-0.03000"), "wrong_total"),
        (lambda text: text.replace("`3,`20.50", "`4,`20.50"), "wrong_count"),
        (lambda text: text.replace("`3,`20.50", "`three,`20.50"), "bad_count"),
        (lambda text: "\r\n".join(text.split("\r\n")[:2] + text.split("\r\n")[3:]), "wrong_count"),
        (lambda text: "\r\n".join(text.split("\r\n")[:4]), "missing_summary"),
        (lambda text: "\r\n".join(text.split("\r\n")[:5]), "missing_summary"),
        (lambda text: text.replace("总交易单数,", "总单数,"), "missing_summary"),
        (lambda text: text + text.split("\r\n")[1], "line_after_summary"),
        (lambda _: "", "empty_file"),
        (lambda text: text.replace("手续费,费率,", "手续费,"), "missing_column"),
        (lambda text: text.replace("手续费,费率,", "手续费,费率,费率,"), "doubled_column"),
        (lambda text: text.replace("手续费,费率,", "手续费,折扣率,"), "unknown_column"),
        (lambda text: text.replace("`12.50,`0.00,`\r\n", "`12.50,`0.00\r\n"), "wrong_cell_count"),
        (lambda text: text.replace("`2026-06-10 09", "2026-06-10 09"), "missing_backtick"),
        (lambda text: text.replace("`停车费 测试车场", "`=HYPERLINK(0)"), "formula_in_cell"),
        (lambda text: text.replace("`停车费 测试车场", "`@SUM(A1)"), "formula_in_cell"),
        (lambda text: text.replace("`停车费 测试车场", "`-2+3"), "formula_in_cell"),
        (lambda text: text.replace("`停车费 测试车场", "`+2"), "formula_in_cell"),
        (lambda text: text.replace("`12.50,`0.00,`0,", "`12.505,`0.00,`0,"), "too_many_decimals"),
        (lambda text: text.replace("`12.50,`0.00,`0,", "`12.500,`0.00,`0,"), "too_many_decimals"),
        (lambda text: text.replace("`0.08000", "`0.08001"), "too_many_decimals"),
        (lambda text: text.replace("`12.50,`0.00,`0,", "`1e3,`0.00,`0,"), "bad_amount"),
        (lambda text: text.replace("`12.50,`0.00,`0,", "`１２.50,`0.00,`0,"), "bad_amount"),
        (lambda text: text.replace("`12.50,`0.00,`0,", "`1,250.00,`0.00,`0,"), "bad_amount"),
        (lambda text: text.replace("`0.60%", "`0.6"), "bad_rate"),
        (lambda text: text.replace("10 09:00:00", "11 09:00:00"), "another_day"),
        (lambda text: text.replace("10 09:00:00", "10 24:00:00"), "bad_time"),
        (lambda text: text.replace(OWNER.sub_mchid, "1900000110"), "another_merchant"),
        (lambda text: text.replace(OWNER.sp_mchid, "1600000002"), "another_merchant"),
        (lambda text: text.replace("`CNY", "`元"), "unknown_currency"),
        (lambda text: text.replace("`SUCCESS,`OTHERS", "`PAID,`OTHERS"), "unknown_status"),
        (lambda text: text.replace("`ORIGINAL,`SUCCESS", "`ORIGINAL,`DONE"), "unknown_status"),
        (lambda text: text.replace(FIRST.out_trade_no, "P\tx"), "bad_number"),
        (lambda text: text.replace(BACK.refund_id, "0"), "inconsistent_line"),
    ],
)
def test_whatever_is_not_exactly_a_bill_is_refused(edit: Edit, expected: str) -> None:
    assert edit(TRADES) != TRADES
    assert code(edit(TRADES)) == expected


def test_a_refusal_says_in_which_line() -> None:
    with pytest.raises(BillRefused) as refusal:
        read(TRADES.replace("10 12:00:00", "11 12:00:00"))
    assert (refusal.value.line, str(refusal.value)) == (3, "another_day in line 3")


def test_bytes_that_are_no_text_are_refused() -> None:
    assert code(TRADES.encode().replace("停".encode(), b"\xff\xfe")) == "not_utf8"


def test_a_fund_flow_tells_what_moved_with_its_sign() -> None:
    rows, sums = read_flow(FLOWS)
    assert [(row[3], row[5], row[6], row[7]) for row in rows] == [
        (FIRST.transaction_id, "交易", "1250", "1250"), (FIRST.transaction_id, "扣除交易手续费", "-8", "1242"),
        (SECOND.transaction_id, "交易", "800", "2042"), (SECOND.transaction_id, "扣除交易手续费", "-5", "2037"),
        (BACK.refund_id, "退款", "-298", "1739"),
    ]  # fmt: skip
    assert sums == Sums(lines=5, paid_fen=2050, refunded_fen=311)
    assert read_flow(FLOWS.replace("(元)", "（元）")) == (rows, sums)


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (lambda text: text.replace("`12.50,`12.50", "`12.51,`12.50"), "wrong_total"),
        (lambda text: text.replace("`收入,`8.00", "`支出,`8.00"), "wrong_count"),
        (lambda text: text.replace("`5,`2,", "`6,`2,"), "wrong_count"),
        (lambda text: text.replace("`收入", "`来"), "unknown_status"),
        (lambda text: text.replace("`收入,`12.50", "`收入,`-12.50"), "bad_amount"),
        (lambda text: text.replace("`12.50,`12.50", "`12.501,`12.50"), "too_many_decimals"),
        (lambda text: text.replace("备注,", ""), "missing_column"),
        (lambda text: text.replace("10 09", "09 09"), "another_day"),
    ],
)
def test_a_fund_flow_that_is_not_exactly_one_is_refused(edit: Edit, expected: str) -> None:
    assert edit(FLOWS) != FLOWS
    with pytest.raises(BillRefused) as refusal:
        read_flow(edit(FLOWS))
    assert refusal.value.code == expected


@pytest.mark.parametrize("packed", [True, False])
def test_a_file_is_what_was_hashed_gzipped_or_plain(packed: bool) -> None:
    sha1, pieces = part(TRADES, packed=packed)
    assert b"".join(Inflated(pieces, sha1)).decode() == TRADES


def unpacked(pieces: list[bytes], sha1: str, most: int = 10**6) -> str:
    with pytest.raises(BillRefused) as refusal:
        b"".join(Inflated(pieces, sha1, most))
    return refusal.value.code


def test_any_byte_that_changed_on_the_way_is_noticed() -> None:
    sha1, [*pieces] = part(TRADES)
    sent, dice = b"".join(pieces), random.Random(20260610)
    for _ in range(200):
        place, bit = dice.randrange(len(sent)), 1 << dice.randrange(8)
        spoilt = sent[:place] + bytes([sent[place] ^ bit]) + sent[place + 1 :]
        assert place in range(4, 10) or _fails(spoilt, sha1) or gzip.decompress(spoilt) == gzip.decompress(sent), place


def _fails(spoilt: bytes, sha1: str) -> bool:
    try:
        read(b"".join(Inflated([spoilt], sha1)))
    except BillRefused:
        return True
    return False


def test_a_file_that_is_cut_glued_changed_or_swollen_is_refused() -> None:
    sha1, [*pieces] = part(TRADES)
    sent = b"".join(pieces)
    other, _ = part(TRADES.replace("12.50", "12.51"))
    assert unpacked([sent[:-9]], sha1) == "truncated"
    assert unpacked([sent[: len(sent) // 2]], sha1) == "truncated"
    assert unpacked([sent + b"x"], sha1) == "trailing_bytes"
    assert unpacked([sent], other) == "hash_mismatch"
    assert unpacked([sent[:2] + b"\0" * 40], sha1) == "not_gzip"
    bomb = gzip.compress(b"0" * 2_000_000)
    assert len(bomb) < 3000
    assert unpacked([bomb], sha1) == "too_large"


@pytest.mark.parametrize(
    ("text", "amount"),
    [("0.00", 0), ("0.01", 1), ("12.5", 1250), ("12", 1200), ("-0.02000", -2), ("9999999999.99", 999999999999)],
)
def test_yuan_are_fen_exactly(text: str, amount: int) -> None:
    assert fen(text) == amount


@pytest.mark.parametrize(
    "text", ["", ".5", "1.", "01.00", "1,000.00", " 1.00", "1.00 ", "+1.00", "1e2", "NaN", "∞", "0x1"]
)
def test_what_is_no_sum_is_refused(text: str) -> None:
    with pytest.raises(BillRefused) as refusal:
        fen(text)
    assert refusal.value.code == "bad_amount"


def test_three_decimals_are_never_money_even_when_they_are_noughts() -> None:
    with pytest.raises(BillRefused):
        money("1.000")


def test_a_bill_of_another_day_is_refused_whole() -> None:
    assert code(TRADES, replace(OWNER, day=date(2026, 6, 11))) == "another_day"
    assert OWNER.day == DAY


def test_lines_come_whole_wherever_the_pieces_are_cut() -> None:
    raw = TRADES.encode()
    for size in (1, 2, 3, 5, 64, 1000):
        pieces = [raw[at : at + size] for at in range(0, len(raw), size)]
        assert list(lines_of(pieces)) == list(lines_of([raw]))
