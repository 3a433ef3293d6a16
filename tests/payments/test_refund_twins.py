"""Notices of one refund that come at the same moment: WeChat's copies of one, and two that say different things."""

from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from sqlalchemy import func, select

from app.kernel.audit import AuditEntry
from app.kernel.db import transaction
from app.kernel.states import StateEvent
from payments.charges.models import CallbackInbox, Payment
from payments.payees.models import Payee
from payments.refunds.actions import apply_refund_notice, notices
from payments.refunds.models import Refund
from payments.refunds.queries import journals_of_refund
from payments.wechat import Notice
from tests.payments.world import MOVED, Till, books, cases, notice, now_of, reserved, sent, told_of
from tests.races import all_waiting_for, asleep, at_once

PAID = {"wx_receivable": 1250, "customer_prepaid": -1250}
LESS_300 = {"wx_receivable": 950, "customer_prepaid": -950}
REFUND_AND_PAYMENT = "SELECT FROM payment FOR UPDATE", "SELECT FROM refund FOR UPDATE"


def said(till: Till, made: Refund, status: str) -> Notice:
    """A notice that the refund came to this."""
    return notice(told_of(till, made, refund_status=status), f"REFUND.{status}", "refund")


def together(till: Till, admin: psycopg.Connection[Any], *told: Notice) -> list[str]:
    """All of them are read before the first of them takes effect."""
    deeds = [lambda each=each: apply_refund_notice(each) for each in told]
    return all_waiting_for(admin, REFUND_AND_PAYMENT, till.app, *deeds)


def steps(made: Refund) -> list[str]:
    """What happened to it since WeChat has it, as its moves tell."""
    with transaction() as session:
        moves = select(StateEvent.event).filter_by(machine="refund", entity_id=made.id).order_by(StateEvent.id)
        events = list(session.scalars(moves))
    return events[events.index("accept") + 1 :]


def entries(made: Refund, *deeds: str) -> int:
    """How often the audit log tells of it."""
    with transaction() as session:
        found = select(func.count()).where(
            AuditEntry.subject == "refund", AuditEntry.subject_id == made.id, AuditEntry.action.in_(deeds)
        )
        return session.scalars(found).one()


def announced(made: Refund) -> int:
    """How many of its moves were told by a job."""
    with transaction() as session:
        found = session.connection().exec_driver_sql(
            "SELECT count(*) FROM procrastinate_jobs WHERE task_name = %s AND (args ->> 'refund_id')::bigint = %s",
            (MOVED, made.id),
        )
        return int(found.scalar_one())


def outcomes(*told: Notice) -> list[str]:
    """What came of each, as the inbox keeps it."""
    with transaction() as session:
        ids = [each.id for each in told]
        found = select(CallbackInbox.outcome).where(CallbackInbox.notify_id.in_(ids)).order_by(CallbackInbox.outcome)
        return list(session.scalars(found))


@dataclass(frozen=True)
class End:
    """What a refund comes to by one word of WeChat's."""

    status: str
    event: str
    books: dict[str, int]
    kept_back_fen: int
    journals: int

    @property
    def state(self) -> str:
        return self.status.lower()


ENDS = [
    End("SUCCESS", "succeed", LESS_300, 300, 2),
    End("CLOSED", "close", PAID, 0, 1),
    End("ABNORMAL", "fail", {**LESS_300, "wx_receivable": 1250, "refund_abnormal": -300}, 300, 2),
]


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.status)
def test_copies_of_one_notice_at_the_same_moment_take_effect_once(
    till: Till, payee: Payee, payment: Payment, admin: psycopg.Connection[Any], end: End
) -> None:
    made = sent(till, payment)
    told_before = announced(made)
    told = said(till, made, end.status)
    assert together(till, admin, told, told, told) == ["done"] * 3
    assert (now_of(made).state, reserved(payment), books(payee)) == (end.state, end.kept_back_fen, end.books)
    assert (steps(made), len(journals_of_refund(made)), outcomes(told)) == ([end.event], end.journals, [end.state])
    assert (entries(made, f"refund.{end.event}"), announced(made)) == (1, told_before + 1)
    assert "refund_contradicted" not in {each.kind for each in cases(made.out_refund_no)}


def test_success_and_closed_at_the_same_moment_come_to_one_of_both_and_a_grave_case(
    till: Till, payee: Payee, payment: Payment, admin: psycopg.Connection[Any]
) -> None:
    made = sent(till, payment)
    told = [said(till, made, status) for status in ("SUCCESS", "CLOSED")]
    assert together(till, admin, *told) == ["done", "done"]
    state = now_of(made).state
    came_to = {"success": (["succeed"], 300, LESS_300), "closed": (["close"], 0, PAID)}
    assert (steps(made), reserved(payment), books(payee)) == came_to[state]
    assert outcomes(*told) == sorted([state, "refund_contradicted"])
    assert entries(made, "refund.succeed", "refund.close") == 1
    [case] = [each for each in cases(made.out_refund_no) if each.kind == "refund_contradicted"]
    assert (case.severity, case.detail["ours"]) == (1, state)


def test_success_and_abnormal_at_the_same_moment_end_with_the_money_gone_once(
    till: Till, payee: Payee, payment: Payment, admin: psycopg.Connection[Any]
) -> None:
    made = sent(till, payment)
    told = [said(till, made, status) for status in ("SUCCESS", "ABNORMAL")]
    assert together(till, admin, *told) == ["done", "done"]
    assert (now_of(made).state, reserved(payment), books(payee)) == ("success", 300, LESS_300)
    assert (steps(made), outcomes(*told)) in (
        (["succeed"], ["refund_contradicted", "success"]), (["fail", "succeed"], ["abnormal", "success"]),
    )  # fmt: skip


def test_a_copy_that_was_slower_than_newer_news_is_not_held_against_it(
    till: Till, payment: Payment, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = sent(till, payment)
    older, newer = said(till, made, "ABNORMAL"), said(till, made, "SUCCESS")
    asleep(monkeypatch, notices, "lock_refund_by_id", lambda: elsewhere(till, older, newer))
    apply_refund_notice(older)
    assert (now_of(made).state, steps(made)) == ("success", ["fail", "succeed"])
    assert [each.kind for each in cases(made.out_refund_no)] == ["refund_abnormal"]


def elsewhere(till: Till, *told: Notice) -> None:
    """By another process meanwhile."""
    for each in told:
        assert at_once(till.app, lambda each=each: apply_refund_notice(each)) == ["done"]  # type: ignore[misc]
