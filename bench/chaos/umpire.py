"""WeChat's own book beside ours, in words that share nothing with the platform's: what is missing, doubled or false."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, LiteralString

import psycopg

from bench.chaos.scene import Stage
from bench.chaos.visits import Said
from bench.chaos.wechat import THANKS
from payments.parity.queries import differences

PAID: Final = ("SUCCESS", "REFUND")
SHOWN: Final = 10

OPEN_ENDS: Final[Mapping[str, LiteralString]] = {
    "orders": "SELECT count(*) FROM payment_order WHERE state IN ('preparing', 'unknown', 'payable', 'closing')",
    "charges": "SELECT count(*) FROM charge WHERE state = 'closing'",
    "stays": "SELECT count(*) FROM stay WHERE state = 'owing'",
    "refunds": "SELECT count(*) FROM refund WHERE state NOT IN ('success', 'closed', 'rejected')",
    "nobody's": """SELECT count(*) FROM payment JOIN charge ON charge.id = charge_id
        WHERE (surplus OR charge.state IN ('paid_late', 'refund_full')) AND refund_reserved_fen = 0""",
    "cases": """SELECT count(*) FROM exception_case c WHERE NOT EXISTS (
        SELECT FROM task WHERE subject = 'exception_case' AND subject_id = c.id)""",
    "jobs": "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing', 'failed')",
}
"""What is not over yet."""
_OPEN_JOBS: Final = """
SELECT task_name, status::text, attempts, worker_id, scheduled_at, now() AS looked_at FROM procrastinate_jobs
WHERE status IN ('todo', 'doing', 'failed') ORDER BY id
"""
DOUBTS: Final[Mapping[str, LiteralString]] = {
    "orders": "SELECT count(*) FROM payment_order WHERE state IN ('preparing', 'unknown', 'closing')",
    "refunds": "SELECT count(*) FROM refund WHERE state IN ('approved', 'submitting', 'unknown')",
}
"""What must be known before a quarter of an hour may pass: what stays unknown so long rightly becomes a case."""

_HELD: Final = """
SELECT sub_mchid, coalesce(sum(amount_fen), 0)::bigint FROM merchant_channel
JOIN account ON account.payee_id = merchant_channel.payee_id AND code = 'wx_receivable'
LEFT JOIN posting ON posting.account_id = account.id GROUP BY 1
"""
_PAYMENTS: Final = """
SELECT transaction_id, sub_mchid, sum(paid_fen)::bigint FROM payment
JOIN merchant_channel ON merchant_channel.id = channel_id GROUP BY 1, 2
"""
_ENTERED: Final = """
SELECT sub_mchid, count(*) FROM journal JOIN merchant_channel USING (payee_id)
WHERE kind IN ('payment', 'surplus') GROUP BY 1
"""
_UNBALANCED: Final = """
SELECT count(*) FROM (SELECT FROM posting GROUP BY journal_id HAVING sum(amount_fen) <> 0) AS uneven
"""
_EARNED_TWICE: Final = """
SELECT count(*) FROM (SELECT FROM journal WHERE kind = 'recognition' GROUP BY business_ref HAVING count(*) > 1) AS twice
"""
_KEPT: Final = """
SELECT count(*) FROM payment JOIN charge ON charge.id = charge_id
WHERE (surplus OR charge.state IN ('paid_late', 'refund_full')) AND paid_fen <> (
    SELECT coalesce(sum(amount_fen), 0) FROM refund WHERE payment_id = payment.id AND refund.state = 'success'
)
"""
_UNPAID: Final = "SELECT count(*) FROM stay WHERE state <> 'settled' AND exited_at IS NOT NULL"


@dataclass
class Verdict:
    """What was counted; `faults` are what may not be, each with its first examples."""

    counts: dict[str, int] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)

    def must_be_none(self, name: str, found: Sequence[object] | int) -> None:
        """Count a fault."""
        self.faults[name] = found if isinstance(found, int) else len(found)
        if not isinstance(found, int):
            self.examples += [f"{name}: {each}" for each in found[:SHOWN]]


class Umpire:
    """Looks at our tables as a superuser, and at WeChat's book."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def left(self, of: Mapping[str, LiteralString] = OPEN_ENDS) -> Mapping[str, int]:
        """How much of what is asked for there is; only what there is any of."""
        with psycopg.connect(self._stage.admin_url) as superuser:
            found = {name: _number(superuser, question) for name, question in of.items()}
        return {name: count for name, count in found.items() if count}

    def open_jobs(self) -> Sequence[tuple[Any, ...]]:
        """The first of the jobs that are not over: what they are, how they stand and with whom."""
        with psycopg.connect(self._stage.admin_url) as superuser:
            return superuser.execute(_OPEN_JOBS).fetchmany(SHOWN)

    def undelivered(self) -> int:
        """Notices that WeChat still tries to bring."""
        return sum(each["state"] == "pending" for each in self._stage.wechat.book()["notices"])

    def verdict(self, said: Said) -> Verdict:
        """Both books compared; every process must be at rest."""
        book, told = self._stage.wechat.book(), Verdict()
        with psycopg.connect(self._stage.admin_url) as superuser:
            self._compare_money(told, superuser, book)
            _compare_cases(told, superuser, said)
            told.must_be_none("unbalanced", _number(superuser, _UNBALANCED))
            told.must_be_none("late_kept", _number(superuser, _KEPT))
            told.must_be_none("unsettled", _number(superuser, _UNPAID))
        with self._stage.app.app_context():
            told.must_be_none("parity", differences(date.min))
        told.must_be_none("forged_believed", [each["id"] for each in book["notices"] if _is_believed_forgery(each)])
        _count(told, book, said)
        return told

    def _compare_money(self, told: Verdict, superuser: psycopg.Connection[Any], book: Mapping[str, Any]) -> None:
        paid = {each["transaction_id"]: each for each in book["orders"] if each["trade_state"] in PAID}
        returned = [each for each in book["refunds"] if each["status"] == "SUCCESS"]
        held: Counter[str] = Counter()
        for each in paid.values():
            held[each["sub_mchid"]] += each["total"]
        for each in returned:
            held[each["sub_mchid"]] -= each["refund"]
        ours = dict(superuser.execute(_HELD).fetchall())
        told.must_be_none("diff_fen", sum(abs(ours.get(one, 0) - held[one]) for one in {*ours, *held}))
        payments = {row[0]: row[1:] for row in superuser.execute(_PAYMENTS)}
        lost = [number for number, each in paid.items() if payments.get(number) != (each["sub_mchid"], each["total"])]
        gone = dict(
            superuser.execute("SELECT out_refund_no, amount_fen FROM refund WHERE state = 'success'").fetchall()
        )
        lost += [each["out_refund_no"] for each in returned if gone.get(each["out_refund_no"]) != each["refund"]]
        told.must_be_none("lost", lost)
        known = {each["out_refund_no"] for each in returned}
        doubled = [number for number in payments if number not in paid] + [each for each in gone if each not in known]
        counted = Counter(each["sub_mchid"] for each in paid.values())
        entered = dict(superuser.execute(_ENTERED).fetchall())
        doubled += [f"{one}: {count - counted[one]} entries" for one, count in entered.items() if count > counted[one]]
        surplus = sum(max(0, count - counted[one]) for one, count in entered.items())
        told.must_be_none("doubled", doubled)
        told.faults["doubled"] = max(len(doubled), surplus) + _number(superuser, _EARNED_TWICE)


def _compare_cases(told: Verdict, superuser: psycopg.Connection[Any], said: Said) -> None:
    """One case for each thing that a person must look at, and none for anything else."""
    cases = superuser.execute("SELECT kind, reference, detail FROM exception_case ORDER BY id").fetchall()
    wrong = Counter(ref.partition(":")[0] for kind, ref, _ in cases if kind == "payment_mismatch")
    strange = sum(kind == "unknown_order" for kind, _, _ in cases)
    missing: list[object] = [number for number in said.wrong_amounts if not wrong[number]]
    missing += ["unknown_order"] * max(0, said.strangers - strange)
    false: list[object] = [each for each in cases if each[0] not in {"payment_mismatch", "unknown_order"}]
    false += [number for number, count in wrong.items() if count > 1 or number not in said.wrong_amounts]
    false += ["unknown_order"] * max(0, strange - said.strangers)
    told.must_be_none("cases_missing", missing)
    told.must_be_none("cases_false", false)
    told.counts["exception cases"] = len(cases)


def _count(told: Verdict, book: Mapping[str, Any], said: Said) -> None:
    attempts = [attempt for each in book["notices"] for attempt in each["attempts"]]
    genuine = Counter(each["out_trade_no"] for each in _genuine(book) for _ in each["attempts"])
    ids = Counter(each["out_trade_no"] for each in _genuine(book))
    paid = [each for each in book["orders"] if each["trade_state"] in PAID]
    told.counts |= {
        "paid at WeChat": len(paid),
        "messages": len(attempts),
        "of them thanked for": sum(each["status"] in THANKS for each in attempts),
        "of them unanswered": sum(each["status"] == 0 for each in attempts),
        "told more than once": sum(genuine[each["out_trade_no"]] > 1 for each in paid),
        "told under two ids": sum(ids[each["out_trade_no"]] > 1 for each in paid),
        "never told": sum(not genuine[each["out_trade_no"]] for each in paid),
        "wrong amounts": len(said.wrong_amounts),
        "forged": said.forged,
        "of unknown orders": said.strangers,
        "refunds asked for": said.refunds,
        "refunds at WeChat": len(book["refunds"]),
        "fen paid": sum(each["total"] for each in paid),
        "fen returned": sum(each["refund"] for each in book["refunds"] if each["status"] == "SUCCESS"),
    }


def _genuine(book: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    return (each for each in book["notices"] if not each["forgery"] and each["event_type"] == "TRANSACTION.SUCCESS")


def _is_believed_forgery(notice: Mapping[str, Any]) -> bool:
    unsigned = notice["forgery"] in {"signature", "serial", "signtest", "skew"}
    return unsigned and any(each["status"] in THANKS for each in notice["attempts"])


def _number(superuser: psycopg.Connection[Any], question: LiteralString) -> int:
    row = superuser.execute(question).fetchone()
    assert row is not None
    return int(row[0])
