"""The sweepers: one plain process that finds due rows, whatever became of the queue.

Never run as jobs: a stuck queue must not stop them. Each may run in several processes at once.
"""

import signal
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FrameType

import structlog
from flask import Flask

from app.domain.adjustments import actions as adjustments
from app.domain.arrears.actions import chase
from app.domain.audit import actions as audit
from app.domain.calendars.actions import alarm_before_days_run_out
from app.domain.city_feed import actions as city_feed
from app.domain.conduct.actions import assess_forgotten, forget_carried
from app.domain.departures.actions import escalate, note_overstays, remind
from app.domain.erasure.actions import forget_what_is_old
from app.domain.finance.actions import check_books, keep_units
from app.domain.gates import actions as gates
from app.domain.lots.actions import extend_windows, remind_of_checks
from app.domain.messages.actions import deliver_due
from app.domain.partners import actions as partners
from app.domain.policies.queries import numbers
from app.domain.pricing.actions import prove_outdated
from app.domain.receipts.actions import ask_for_due_mails, tell_news
from app.domain.receipts.queries import describe
from app.domain.refunds import actions as refunds
from app.domain.regulars.actions import tend_due
from app.domain.remittance.actions import watch as watch_remittances
from app.domain.reservations import actions as reservations
from app.domain.search.actions import forget_old_changes
from app.domain.stays.actions import project_forgotten, release_unpassed, review_long_stays, settle_forgotten
from app.domain.tasks.actions import adopt_cases
from app.domain.units.actions import remind_of_endings
from app.jobs.camera_lists import read_camera_lists
from app.jobs.counts import SWEEPS, SWEPT, SWEPT_AT
from app.jobs.park_systems import serve_park_systems
from app.jobs.rescue import rescue_stalled_jobs
from app.jobs.watchdog import no_longer_than
from app.kernel.idempotency import forget_expired
from app.kernel.trace import request_id
from app.wiring import wiring
from payments.bank.actions import watch_lines, watch_settlements
from payments.bills.actions import ask_for_due, erase_originals, expect_bills
from payments.charges.actions import sweep as sweep_orders
from payments.receipts.actions import issue_due, plan_due
from payments.reconciliation.actions import follow, watch_suspense
from payments.refunds.actions import sweep as sweep_refunds
from payments.shipping.actions import ask_whether_managed, find_rendered, report_due

log = structlog.get_logger("jobs")
TICK_SECONDS = 0.5
ROUND_SECONDS = 2.0
"""The city and WeChat may be slow; other due work waits no longer than this and the call in hand."""
SWEEP_SECONDS = 300.0
"""A sweep that lasts longer hangs, and all others with it."""
PATIENT_SECONDS = 1_800.0
"""For sweeps that ask others row by row, who may be slow to answer each, and for those that go through whole books."""


def ask_about_orders() -> int:
    """Ask WeChat about every order whose notice did not come."""
    return sweep_orders(wiring().pay)


def bring_refunds_forward() -> int:
    """Send approved refunds to WeChat, and ask about every one whose notice did not come."""
    return sweep_refunds(wiring().pay, wiring().settings.wechat.refund_notify_url)


def ask_for_bills() -> int:
    """Leave a job for each of WeChat's bills that is due: a large one must not keep the other sweepers waiting."""
    expect_bills()
    return ask_for_due(on_due="bills.fetch")


def follow_differences() -> int:
    """Ask WeChat about what bills and we say differently."""
    return follow(wiring().pay)


def watch_old_suspense() -> int:
    """Bring what stands in suspense for too long before a person."""
    return watch_suspense(numbers()["suspense_old_days"])


def tell_of_services() -> int:
    """Tell WeChat that what was paid for was rendered, where it wants to know; of what is older than its wish, last."""
    ask_whether_managed(wiring().trade)
    return report_due(wiring().trade) or find_rendered()


def seal_audit_log() -> int:
    """Seal what was written since the last time, and leave the head of the chain outside of the database."""
    sealed = audit.seal()
    audit.anchor(wiring().anchors)
    return sealed


def plan_receipts() -> int:
    """See which bills and invoices should stand for what was paid, and write down what is missing or too much."""
    return plan_due(describe)


def issue_receipts() -> int:
    """Have bills and invoices issued by their platforms, however long those were away."""
    return issue_due(wiring().receipts)


def find_city_lots() -> int:
    """Find lots that the city does not know as they are; without settings for the city there is nothing to find."""
    return city_feed.find_lots() if wiring().city else 0


def feed_city() -> int:
    """Tell the city's own system of entries and exits, heartbeats and free bays; off without its settings."""
    city = wiring().city
    if city is None:
        return 0
    ends = time.monotonic() + ROUND_SECONDS
    city_feed.find_visits()
    told = city_feed.send_due(city, enough=lambda: time.monotonic() > ends)
    return told + city_feed.pulse(city, enough=lambda: time.monotonic() > ends)


def watch_city_feed() -> int:
    """Raise an alarm when the city's feed has fallen behind; off without its settings."""
    return city_feed.alarm() if wiring().city else 0


def deliver_messages() -> int:
    """Let WeChat show the messages whose job was lost, or which had to wait."""
    ends = time.monotonic() + ROUND_SECONDS
    return deliver_due(wiring().messages, enough=lambda: time.monotonic() > ends)


@dataclass
class Sweeper:
    """One kind of due work, how often it is looked for and how long that may last, in seconds."""

    name: str
    every: float
    sweep: Callable[[], int]
    within: float = SWEEP_SECONDS
    due_at: float = 0.0


def sweepers() -> Sequence[Sweeper]:
    """All of them; a test runs each once."""
    return [
        Sweeper("orders", 1.0, ask_about_orders, PATIENT_SECONDS),
        Sweeper("refunds", 1.0, bring_refunds_forward, PATIENT_SECONDS),
        Sweeper("nobodys_payments", 5.0, refunds.give_back),
        Sweeper("money_cases", 15.0, adopt_cases),
        Sweeper("refund_news", 15.0, refunds.tell_forgotten),
        Sweeper("bills", 60.0, ask_for_bills),
        Sweeper("bill_originals", 3600.0, erase_originals, PATIENT_SECONDS),
        Sweeper("differences", 30.0, follow_differences, PATIENT_SECONDS),
        Sweeper("settlement_arrivals", 3600.0, watch_settlements),
        Sweeper("bank_lines", 3600.0, watch_lines),
        Sweeper("suspense", 3600.0, watch_old_suspense),
        Sweeper("remittances", 3600.0, watch_remittances),
        Sweeper("receipts_planned", 5.0, plan_receipts),
        Sweeper("receipts_issued", 5.0, issue_receipts, PATIENT_SECONDS),
        Sweeper("receipt_news", 5.0, tell_news),
        Sweeper("receipt_mails", 5.0, ask_for_due_mails),
        Sweeper("shipments", 5.0, tell_of_services, PATIENT_SECONDS),
        Sweeper("passages", 5.0, project_forgotten),
        Sweeper("settlements", 5.0, settle_forgotten),
        Sweeper("adjustments", 5.0, adjustments.apply_forgotten),
        Sweeper("offers", 5.0, adjustments.offer_forgotten),
        Sweeper("emergencies", 60.0, adjustments.review_emergencies),
        Sweeper("long_stays", 60.0, review_long_stays),
        Sweeper("missed_reservations", 5.0, reservations.release_missed),
        Sweeper("waitlist", 5.0, reservations.offer_forgotten),
        Sweeper("regulars", 15.0, tend_due),
        Sweeper("overstays", 15.0, reservations.follow_overstays),
        Sweeper("unpassed", 15.0, release_unpassed),
        Sweeper("gate_commands", 5.0, gates.forget_overdue_commands),
        Sweeper("gate_nonces", 60.0, gates.forget_old_nonces),
        Sweeper("camera_lists", 1.0, read_camera_lists, PATIENT_SECONDS),
        Sweeper("park_systems", 1.0, serve_park_systems),
        Sweeper("gate_lists", 600.0, gates.forget_old_lists),
        Sweeper("gate_readiness", 15.0, gates.watch_readiness),
        Sweeper("partner_nonces", 60.0, partners.forget_old_nonces),
        Sweeper("partner_silence", 60.0, partners.note_silence),
        Sweeper("reminders", 15.0, remind),
        Sweeper("overstayed", 60.0, note_overstays),
        Sweeper("escalations", 15.0, escalate),
        Sweeper("conduct", 5.0, assess_forgotten),
        Sweeper("carried_measures", 3600.0, forget_carried),
        Sweeper("forgetting", 60.0, forget_what_is_old),
        Sweeper("arrears", 60.0, chase),
        Sweeper("messages", 5.0, deliver_messages),
        Sweeper("city_lots", 60.0, find_city_lots),
        Sweeper("city_feed", 1.0, feed_city),
        Sweeper("city_feed_lag", 60.0, watch_city_feed),
        Sweeper("books", 3600.0, check_books, PATIENT_SECONDS),
        Sweeper("units_turnover", 5.0, keep_units, PATIENT_SECONDS),
        Sweeper("audit_seal", 30.0, seal_audit_log, PATIENT_SECONDS),
        Sweeper("audit_check", 600.0, audit.ask_for_check),
        Sweeper("stalled_jobs", 10.0, rescue_stalled_jobs),
        Sweeper("open_windows", 60.0, extend_windows),
        Sweeper("lot_checks", 600.0, remind_of_checks),
        Sweeper("lot_changes", 30.0, forget_old_changes),
        Sweeper("cap_proofs", 600.0, prove_outdated),
        Sweeper("agreements", 600.0, remind_of_endings),
        Sweeper("calendar_alarms", 600.0, alarm_before_days_run_out),
        Sweeper("remembered_requests", 600.0, forget_expired),
    ]


def sweep_for_ever(flask_app: Flask) -> None:
    """Sweep until SIGTERM or SIGINT; what is in hand ends first."""
    stop = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    log.info("sweepers_started", process="sweepers")
    due = sweepers()
    while not stop.wait(TICK_SECONDS):
        for sweeper in due:
            if not stop.is_set() and sweeper.due_at <= time.monotonic():
                sweeper.due_at = time.monotonic() + sweeper.every
                sweep_once(flask_app, sweeper)


def sweep_once(flask_app: Flask, sweeper: Sweeper) -> int:
    """Run one sweeper; its failure is logged and does not stop the others, who try again later as it does.

    The sweep has a request id of its own, which also names the jobs that it causes. One that hangs ends the process.
    """
    request_id.set(f"sweep-{uuid.uuid4().hex}")
    with no_longer_than(sweeper.within, sweeper=sweeper.name), flask_app.app_context():
        try:
            count = sweeper.sweep()
        except Exception:  # one broken kind of work must not stop all others
            SWEEPS.labels(sweeper.name, "failed").inc()
            log.exception("sweep_failed", sweeper=sweeper.name)
            return 0
        finally:
            SWEPT_AT.labels(sweeper.name).set_to_current_time()
    SWEEPS.labels(sweeper.name, "done").inc()
    SWEPT.labels(sweeper.name).inc(count)
    if count:
        log.info("swept", sweeper=sweeper.name, count=count)
    return count
