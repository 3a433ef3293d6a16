"""A message stands in the inbox, and WeChat shows it at most once, as far as the motorist allowed."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from flask import Flask
from psycopg import sql
from psycopg.errors import CheckViolation, ForeignKeyViolation, UniqueViolation
from sqlalchemy import select

from app.adapters.messages import Notice, Outcome, Sent
from app.domain.messages import actions as messages
from app.domain.messages.models import Message, MessageLine
from app.domain.messages.queries import subscriptions
from app.domain.tasks.models import Task
from app.jobs.sweepers import deliver_messages
from app.jobs.worker import work
from app.kernel import clock
from app.kernel.db import in_transaction, transaction
from app.wiring import wiring
from tests.messages.stand import (
    Listener,
    consents,
    deliveries,
    listener,
    states,
    template_id,
    templates,
    told,
)
from tests.races import at_once
from tests.wechat.stand import Stand

At = Callable[[datetime], None]
MINUTE = timedelta(minutes=1)


@pytest.fixture
def of(wechat_stand_in: Stand, evening: datetime, app: Flask) -> Listener:
    templates(wechat_stand_in)
    return listener(wechat_stand_in)


def inbox(of: Listener) -> list[str]:
    with transaction() as session:
        return list(session.scalars(select(Message.subject).filter_by(motorist_id=of.who.id).order_by(Message.id)))


def open_tasks() -> list[str]:
    with transaction() as session:
        return list(session.scalars(select(Task.kind).filter_by(closed_at=None).order_by(Task.id)))


def test_the_job_shows_a_message_and_spends_one_consent(of: Listener, app: Flask) -> None:
    of.accepts(2)
    told(of)
    work(app, wiring().settings, until_empty=True)
    assert of.shown() == [{"thing1": "示例停车场", "time2": "2026年6月11日 08:00", "thing3": "请及时驶离"}]
    assert (states(), consents(of)) == (["sent"], ["spent", None])
    assert [each.left for each in subscriptions(of.who.id) if each.kind == "leaving"] == [1]


def test_without_consent_a_message_stands_in_the_inbox_only(of: Listener) -> None:
    told(of)
    deliver_messages()
    assert (inbox(of), states(), of.shown()) == (["stay:1"], [], [])


def test_telling_again_sends_nothing_again(of: Listener) -> None:
    of.accepts(2)
    told(of)
    told(of)
    deliver_messages()
    deliver_messages()
    assert (len(of.shown()), consents(of)) == (1, ["spent", None])


def test_a_lost_job_is_made_good_by_the_sweeper_and_both_together_send_once(of: Listener, app: Flask) -> None:
    of.accepts()
    told(of)
    assert at_once(app, *[deliver_messages] * 4) == ["done"] * 4
    work(app, wiring().settings, until_empty=True)
    assert (len(of.shown()), states()) == (1, ["sent"])


def test_messages_at_the_same_moment_spend_a_consent_each_and_no_more(of: Listener, app: Flask) -> None:
    of.accepts(2)
    assert at_once(app, *[lambda n=n: told(of, f"stay:{n}") for n in range(4)]) == ["done"] * 4
    deliver_messages()
    assert (len(inbox(of)), len(of.shown()), consents(of)) == (4, 2, ["spent", "spent"])


def test_an_answer_that_never_came_is_unknown_and_nothing_is_sent_twice(of: Listener, at: At) -> None:
    of.accepts(3)
    of.wechat.control("faults", kind="reset_after", operation="subscribe")
    told(of)
    deliver_messages()
    assert states() == ["unknown"]
    at(clock.now() + timedelta(minutes=30))
    deliver_messages()
    assert (len(of.shown()), states()) == (1, ["unknown"])


def test_a_try_whose_process_died_ends_unknown(of: Listener, at: At) -> None:
    class Dying:
        def send(self, _: Notice) -> Outcome:
            raise KeyboardInterrupt

    of.accepts(2)
    told(of)
    with pytest.raises(KeyboardInterrupt):
        messages.deliver(Dying(), deliveries()[0].id)  # type: ignore[arg-type]
    assert states() == ["sending"]
    deliver_messages()
    assert states() == ["sending"]
    at(clock.now() + 3 * MINUTE)
    deliver_messages()
    assert (states(), of.shown()) == (["unknown"], [])


def test_the_call_is_made_outside_any_transaction_and_after_the_try_was_written_down(of: Listener) -> None:
    seen: list[tuple[bool, list[str]]] = []

    class Looking:
        def send(self, _: Notice) -> Outcome:
            seen.append((in_transaction(), states()))
            return Sent("1")

    of.accepts()
    told(of)
    messages.deliver(Looking(), deliveries()[0].id)  # type: ignore[arg-type]
    assert seen == [(False, ["sending"])]


def test_a_refusal_for_want_of_consent_voids_what_we_thought_to_have(of: Listener) -> None:
    of.accepts(3)
    of.forbids()
    told(of)
    deliver_messages()
    assert (states(), deliveries()[0].errcode) == (["refused"], 43101)
    assert consents(of) == ["spent", "void", "void"]
    told(of, "stay:2")
    assert (len(deliveries()), inbox(of), open_tasks()) == (1, ["stay:1", "stay:2"], [])


def test_any_other_refusal_asks_a_person_and_is_not_repeated(of: Listener, at: At) -> None:
    of.accepts(2)
    of.wechat.control("templates", template_id=template_id(), keys=["thing9"])
    told(of)
    deliver_messages()
    at(clock.now() + 10 * MINUTE)
    deliver_messages()
    assert (states(), deliveries()[0].errcode, open_tasks()) == (["refused"], 47003, ["message_refused"])
    assert deliveries()[0].attempts == 1


def test_a_used_up_quota_rests_the_line_longer_each_time_until_wechat_takes_messages_again(
    of: Listener, at: At
) -> None:
    other = listener(of.wechat).accepts()
    of.accepts()
    of.wechat.control("message-limits", quota=0)
    told(of, lasts=timedelta(hours=9))
    told(other, lasts=timedelta(hours=9))
    deliver_messages()
    assert (states(), [each.attempts for each in deliveries()]) == (["due", "due"], [1, 0])
    at(clock.now() + timedelta(seconds=31))
    deliver_messages()
    with transaction() as session:
        line = session.scalars(select(MessageLine)).one()
    assert (line.failures, line.errcode, open_tasks()) == (2, 45009, [])
    of.wechat.control("message-limits")
    at(clock.now() + timedelta(seconds=61))
    deliver_messages()
    assert (states(), len(of.shown()), len(other.shown())) == (["sent", "sent"], 1, 1)
    with transaction() as session:
        assert session.scalars(select(MessageLine)).one().failures == 0


def test_a_concurrent_send_to_the_same_person_holds_up_nobody_else(of: Listener, at: At) -> None:
    other = listener(of.wechat).accepts()
    of.accepts()
    of.wechat.control("faults", kind="errcode", operation="subscribe", errcode=43108)
    told(of)
    told(other)
    deliver_messages()
    assert (states(), len(other.shown())) == (["due", "sent"], 1)
    at(clock.now() + timedelta(seconds=31))
    deliver_messages()
    assert len(of.shown()) == 1


def test_a_secret_that_wechat_refuses_is_a_persons_affair_until_it_works_again(of: Listener, at: At) -> None:
    of.accepts()
    of.wechat.control("faults", kind="errcode", operation="subscribe", errcode=40001, times=2)
    told(of)
    deliver_messages()
    assert (states(), open_tasks()) == (["due"], ["wechat_refuses_messages"])
    at(clock.now() + MINUTE)
    deliver_messages()
    assert (states(), open_tasks()) == (["sent"], [])


def test_what_would_come_too_late_is_given_up(of: Listener, at: At) -> None:
    of.accepts()
    told(of, lasts=10 * MINUTE)
    at(clock.now() + 11 * MINUTE)
    deliver_messages()
    assert (states(), of.shown(), inbox(of)) == (["expired"], [], ["stay:1"])


def test_nothing_personal_lies_in_deliveries_or_jobs(of: Listener, admin: psycopg.Connection[Any]) -> None:
    of.accepts()
    told(of)
    for table in ("message_delivery", "message_consent", "procrastinate_jobs"):
        rows = admin.execute(sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(table))).fetchall()
        assert rows
        assert of.openid not in str(rows)


def test_the_tables_keep_their_own_promises(of: Listener, admin: psycopg.Connection[Any]) -> None:
    of.accepts()
    told(of)
    told(listener(of.wechat).accepts(), "stay:2")
    with pytest.raises(UniqueViolation, match="a_consent_is_spent_once"):
        admin.execute("UPDATE message_delivery SET consent_id = (SELECT min(consent_id) FROM message_delivery), "
                      "motorist_id = (SELECT min(motorist_id) FROM message_delivery), "
                      "message_id = message_id + 0")  # fmt: skip
    with pytest.raises(CheckViolation, match="a_consent_that_ended_says_how"):
        admin.execute("UPDATE message_consent SET ended_as = NULL")
    with pytest.raises(ForeignKeyViolation, match="a_delivery_spends_its_own_motorists_consent"):
        admin.execute("UPDATE message_delivery SET consent_id = consent_id + 1 "
                      "WHERE consent_id = (SELECT max(consent_id) FROM message_delivery)")  # fmt: skip
