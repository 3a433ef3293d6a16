"""Every merchant owes us a bill of every day: the rows that say so are the queue of record."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from sqlalchemy import select, text

from app.kernel import clock
from app.kernel.db import current, transaction
from app.kernel.queue import enqueue
from payments.bills.models import BillDay
from payments.bills.rules.cadence import KEPT_DAYS
from payments.charges.actions.cases import open_case

LEASE: Final = timedelta(minutes=20)
"""Longer than the largest bill takes; whoever dies meanwhile is followed by another."""
_EXPECT: Final = text(
    """
    INSERT INTO bill_day (key, channel_id, payee_id, kind, day, next_check_at, tries)
    SELECT gen_random_uuid(), channel.id, channel.payee_id, kinds.kind, days.day::date,
           CASE WHEN days.day::date >= CAST(:today AS date) - CAST(:kept AS integer)
                THEN (days.day + interval '1 day 10 hours') AT TIME ZONE 'Asia/Shanghai' END, 0
    FROM merchant_channel channel
    CROSS JOIN (VALUES ('trade'), ('fund_flow')) AS kinds (kind)
    CROSS JOIN LATERAL (
        SELECT greatest(
            (lower(channel.valid) AT TIME ZONE 'Asia/Shanghai')::date,
            (SELECT max(known.day) + 1 FROM bill_day known
             WHERE known.channel_id = channel.id AND known.kind = kinds.kind)
        ) AS first
    ) AS since
    CROSS JOIN LATERAL generate_series(
        since.first::timestamp, least(CAST(:today AS date) - 1, bills_due_through(channel.id))::timestamp,
        interval '1 day'
    ) AS days (day)
    WHERE channel.valid IS NOT NULL
    ON CONFLICT ON CONSTRAINT a_merchants_day_has_one_bill_of_a_kind DO NOTHING
    RETURNING channel_id, day, next_check_at
    """
)


def expect_bills() -> int:
    """Write down which bills are due of all days that are over since each merchant began; returns how many are new.

    One that takes no orders any more owes them as long as money may still come back through it: WeChat gives it back
    within 365 days of its payment (`bills_due_through`).

    Those that WeChat has no more are never asked for: they are a case, and a person brings them (`bring_bill`).
    """
    with transaction() as session:
        today = clock.business_day(clock.now())
        made = session.execute(_EXPECT, {"today": today, "kept": KEPT_DAYS}).all()
        gone: defaultdict[int, list[date]] = defaultdict(list)
        for each in made:
            if each.next_check_at is None:
                gone[each.channel_id].append(each.day)
        for channel_id, days in gone.items():
            case_of_gone(channel_id, days)
        return len(made)


def case_of_gone(channel_id: int, days: Sequence[date]) -> None:
    """A person is needed: WeChat has the bills of these days of a merchant no more."""
    first, last = min(days).isoformat(), max(days).isoformat()
    open_case("bill_out_of_reach", f"bills:{channel_id}:{last}", 1, channel_id=channel_id, first=first, last=last)


def ask_for_due(on_due: str, limit: int = 50) -> int:
    """Leave a job for each bill that should be fetched now, which `on_due` names; returns how many."""
    with transaction():
        due = lease_due(limit)
        for day_id in due:
            enqueue(on_due, day_id=day_id)
        return len(due)


def lease_due(limit: int = 50) -> Sequence[int]:
    """Ids of bill days that should be asked for now, the longest due first; each is taken by one caller only."""
    with transaction():
        now = clock.now()
        due = select(BillDay).where(BillDay.next_check_at <= now).order_by(BillDay.next_check_at, BillDay.id)
        taken = current().scalars(due.limit(limit).with_for_update(skip_locked=True)).all()
        for each in taken:
            each.next_check_at = now + LEASE
        return [each.id for each in taken]
