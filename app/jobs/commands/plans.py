"""Opening plans: drafted and submitted by units, decided on by regulators."""

import uuid
from collections.abc import Sequence
from datetime import datetime, time
from typing import Any

import click

from app.domain.lots import actions
from app.domain.lots.models import Lot, OpeningPlan
from app.domain.lots.queries.places import seen_lot
from app.domain.lots.queries.plans import plans_of
from app.domain.staff.queries import logins
from app.domain.staff.rules import Actor
from app.jobs.commands.answers import Answer, Note, Sheet
from app.jobs.commands.door import CLOCK, MOMENT, acting, named, noun

STATES = {
    "draft": "编制中", "submitted": "待审批", "approved": "生效", "returned": "已退回", "superseded": "已替代",
}  # fmt: skip
plans = noun(
    "Opening plans (开放方案, N4.7): bays, hours, responsible persons, safety rules, emergency plan.",
    "plans draft 某局停车场 --bays 20 --safety-file safety.txt --emergency-file emergency.txt --as wang",
    "plans name PLAN responsible 王某 0571-12345678 '工作日 8:30-17:30' --as wang",
    "plans submit PLAN --as wang",
    "plans approve PLAN --as lin",
)
TEXT = click.File("r", encoding="utf-8")


def told(command: Any) -> Any:
    """The options that tell a plan."""
    for option in reversed(
        (
            click.option("--bays", "shared_bays", type=int, required=True, help="bays to be shared"),
            click.option("--chargers", "shared_chargers", type=int, default=0, help="chargers to be shared"),
            click.option("--closes-before", "closes_before_minutes", type=int, default=60, show_default=True,
                         help="minutes before work begins at which it closes"),
            click.option("--opens-after", "opens_after_minutes", type=int, default=60, show_default=True,
                         help="minutes after work ends at which it opens"),
            click.option("--duty", "duty_days", multiple=True, nargs=3, metavar="WEEKDAY BEGINS ENDS",
                         help="the unit works on this weekday too (0 is Monday); repeatable"),
            click.option("--works-on", "worked", multiple=True, nargs=3, metavar="DATE BEGINS ENDS",
                         help="the unit works on this date, at these hours; repeatable"),
            click.option("--rests-on", "rested", multiple=True, metavar="DATE", help="nobody works then; repeatable"),
            click.option("--curfew", type=(CLOCK, CLOCK), default=None, help="no car may move between these times"),
            click.option("--withhold", "withholds", multiple=True, help="number of a bay that stops being shared"),
            click.option("--reason", "shortfall_reason", help="why less is offered than the notice asks for"),
            click.option("--safety-file", "safety", type=TEXT, help="safety rules (安全管理制度)"),
            click.option("--emergency-file", "emergency", type=TEXT, help="emergency plan (应急预案)"),
        )
    ):  # fmt: skip
        command = option(command)
    return command


def _plan(said: dict[str, Any]) -> actions.NewPlan:
    worked, rested, curfew = said.pop("worked"), said.pop("rested"), said.pop("curfew")
    safety, emergency = said.pop("safety"), said.pop("emergency")
    begins, ends = curfew or (None, None)
    return actions.NewPlan(
        **said | {
            "duty_days": [_duty(*each) for each in said["duty_days"]],
            "exceptions": [{"date": day, "begins": begin, "ends": end} for day, begin, end in worked]
            + [{"date": day} for day in rested],
            "withholds": list(said["withholds"]), "curfew_begins": begins, "curfew_ends": ends,
            "safety_rules": safety.read() if safety else "", "emergency_plan": emergency.read() if emergency else "",
        }
    )  # fmt: skip


def _duty(weekday: str, begins: str, ends: str) -> dict[str, Any]:
    return {"weekday": int(weekday) if weekday.isdigit() else None, "begins": begins, "ends": ends}


@plans.command("draft")
@click.argument("lot")
@told
@acting
def draft(by: Actor, lot: str, **said: Any) -> Answer:
    """Draft the next version of a lot's plan.

    Example: flask --app wsgi plans draft 某局停车场 --bays 20 --safety-file s.txt --emergency-file e.txt --as wang
    """
    plan = actions.draft_plan(by, named(Lot, lot).key, _plan(said))
    return Note("开放方案草稿已登记", key=plan.key, version=plan.version)


@plans.command("change")
@click.argument("plan", type=click.UUID)
@told
@acting
def change(by: Actor, plan: uuid.UUID, **said: Any) -> Answer:
    """Tell a drafted plan anew, all of it.

    Example: flask --app wsgi plans change PLAN --bays 24 --safety-file s.txt --emergency-file e.txt --as wang
    """
    actions.change_plan(by, plan, _plan(said))
    return Note("开放方案已更改")


@plans.command("name")
@click.argument("plan", type=click.UUID)
@click.argument("role", type=click.Choice(["responsible", "deputy"]))
@click.argument("name")
@click.argument("phone")
@click.argument("duty_times")
@acting
def name_contact(by: Actor, plan: uuid.UUID, **contact: str) -> Answer:
    """Name the responsible person or the deputy of a plan (专人专责, N5.4), in place of whom it named before.

    Example: flask --app wsgi plans name PLAN deputy 李某 0571-12345678 夜间及节假日 --as wang
    """
    actions.name_contacts(by, plan, [actions.NewContact(**contact)])
    return Note("联系人已登记")


@plans.command("submit")
@click.argument("plan", type=click.UUID)
@acting
def submit(by: Actor, plan: uuid.UUID) -> Answer:
    """Submit a plan; from here on it stays as it is.

    Example: flask --app wsgi plans submit PLAN --as wang
    """
    actions.submit_plan(by, plan)
    return Note("开放方案已提交审批")


@plans.command("approve")
@click.argument("plan", type=click.UUID)
@click.option("--because", default="", help="a remark, which stays with the plan")
@click.option("--from", "valid_from", type=MOMENT, help="since when, in Hangzhou; else from now on")
@acting
def approve(by: Actor, plan: uuid.UUID, *, because: str, valid_from: datetime | None) -> Answer:
    """Put a submitted plan in force; who made or submitted it cannot.

    Example: flask --app wsgi plans approve PLAN --from '2026-07-01 00:00' --as lin
    """
    return Note("开放方案已批准", valid_from=actions.approve_plan(by, plan, because, valid_from).valid_from)


@plans.command("return")
@click.argument("plan", type=click.UUID)
@click.option("--because", required=True, help="what is wrong with it")
@acting
def send_back(by: Actor, plan: uuid.UUID, *, because: str) -> Answer:
    """Send a submitted plan back.

    Example: flask --app wsgi plans return PLAN --because 应急预案过简 --as lin
    """
    actions.return_plan(by, plan, because)
    return Note("开放方案已退回")


@plans.command("widen")
@click.argument("plan", type=click.UUID)
@acting
def widen(by: Actor, plan: uuid.UUID) -> Answer:
    """Put a drafted plan in force at once that only gives more than the present one.

    Example: flask --app wsgi plans widen PLAN --as wang
    """
    actions.widen(by, plan)
    return Note("开放方案已生效")


@plans.command("list")
@click.argument("lot")
@acting
def list_plans(by: Actor, lot: str) -> Answer:
    """List all versions of a lot's plan, newest first.

    Example: flask --app wsgi plans list 某局停车场 --as wang --json
    """
    found = plans_of(seen_lot(by, named(Lot, lot).key).id)
    who = logins([each for plan in found for each in (plan.made_by, plan.decided_by) if each])
    headings = {
        "version": "版本", "state": "状态", "shared_bays": "共享泊位", "margins": "提前/推后(分)", "made_by": "编制",
        "decided_by": "审批", "valid_from": "生效", "key": "编号",
    }  # fmt: skip
    return Sheet(headings, [_row(plan, who) for plan in found])


def _row(plan: OpeningPlan, who: dict[int, str]) -> dict[str, Any]:
    return {
        "version": plan.version, "state": STATES[plan.state], "shared_bays": plan.shared_bays,
        "margins": f"{plan.closes_before_minutes}/{plan.opens_after_minutes}", "made_by": who.get(plan.made_by),
        "decided_by": who.get(plan.decided_by or 0), "valid_from": plan.valid_from, "key": plan.key,
        "duty_days": plan.duty_days, "exceptions": plan.exceptions, "curfew": _curfew(plan),
        "shortfall_reason": plan.shortfall_reason, "decided_because": plan.decided_because,
        "safety_rules": plan.safety_rules, "emergency_plan": plan.emergency_plan,
    }  # fmt: skip


def _curfew(plan: OpeningPlan) -> Sequence[time] | None:
    return None if plan.curfew_begins is None or plan.curfew_ends is None else (plan.curfew_begins, plan.curfew_ends)
