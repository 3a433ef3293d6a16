"""What lots charge: drafted by units, proved and published by price officers, bounded by approved references."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from app.domain.lots.models import Lot
from app.domain.pricing import actions
from app.domain.pricing.models import ReferenceLot, TariffVersion
from app.domain.pricing.queries import flow, register
from app.domain.pricing.rules.proofs import RULES
from app.domain.staff.queries import logins
from app.domain.staff.rules import Actor
from app.domain.units.models import Unit
from app.jobs.commands.answers import Answer, Note, Sheet, plain
from app.jobs.commands.door import MOMENT, acting, named, noun
from app.jobs.commands.reference_lots import STATES as SET_STATES
from app.jobs.commands.reference_lots import parameters_in

prices = noun(
    "Prices (收费标准) of lots: draft, proof, publication, and the references that bound them (N3.3).",
    "prices propose-references 示例停车场 --as lin",
    "prices approve-references SET --as wang",
    "prices draft 示例停车场 示例标准 tariff.json --document 单位决定 --as chen",
    "prices prove PRICE --as lin",
    "prices publish PRICE --from '2026-07-01 00:00' --as lin",
)
STATES = {"draft": "草案", "proved": "已证明", "failed": "未通过", "published": "已公布", "withdrawn": "已撤回"}
RULE_TEXT = {"lowest": "取最低", "highest": "取最高", "average": "取平均"}
HEADINGS = {
    "version": "版本", "tariff": "收费标准", "state_text": "状态", "proof_holds": "证明通过", "effective_from": "生效",
    "made_by": "拟定人", "published_by": "公布人", "key": "编号",
}  # fmt: skip


@prices.command("list")
@click.option("--failing", is_flag=True, help="only lots whose newest proof fails")
@acting
def list_standings(by: Actor, *, failing: bool) -> Answer:
    """List lots with what they charge now, the set that bounds them, and whether the newest proof holds.

    Example: flask --app wsgi prices list --failing --as lin
    """
    headings = {
        "lot": "停车场", "unit": "开放单位", "tariff": "收费标准", "since": "起", "set_version": "参照版本",
        "proof_holds": "证明通过", "proved_at": "证明时间", "lot_key": "编号",
    }  # fmt: skip
    return Sheet(headings, [vars(each) for each in flow.standings(by, failing=failing)])


@prices.command("of")
@click.argument("lot")
@acting
def of_lot(by: Actor, lot: str) -> Answer:
    """List the prices of a lot (key or name), the newest first.

    Example: flask --app wsgi prices of 示例停车场 --as lin
    """
    rows = flow.lot_prices(by, named(Lot, lot).key)
    known = logins([each for row in rows for each in (row.made_by, row.published_by) if each is not None])
    return Sheet(HEADINGS, [_row(row, known) for row in rows])


def _row(row: flow.PriceView, known: dict[int, str]) -> dict[str, Any]:
    people = {"made_by": known.get(row.made_by), "published_by": known.get(row.published_by or 0)}
    return {**vars(row), **people, "state_text": STATES[row.state]}


@prices.command("show")
@click.argument("price", type=click.UUID)
@acting
def show(by: Actor, price: uuid.UUID) -> Answer:
    """Show a price with its tariff, its proof or counterexample, and every step.

    Example: flask --app wsgi prices show PRICE --as lin --json
    """
    sheet = flow.price_sheet(by, price)
    known = logins([step.by_account for step in sheet.steps])
    steps = [{**vars(step), "by_account": known.get(step.by_account)} for step in sheet.steps]
    facts = plain(sheet.price) | {"parameters": sheet.parameters, "proof": sheet.proof, "steps": steps}
    return Note(sheet.price.explanation or "尚未证明", **facts)


@prices.command("draft")
@click.argument("lot")
@click.argument("name")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
@click.option("--document", default="开放单位决定（N3.3）", show_default=True, help="the decision behind a new tariff")
@click.option(
    "--running",
    type=click.Choice(["entry", "split"]),
    default="entry",
    show_default=True,
    help="stays that run when it begins: the tariff of their entry, or split at the change",
)
@click.option("--from", "wanted_from", type=MOMENT, help="from when the unit wishes it to hold")
@click.option("--why", default="", help="a remark that stays with it")
@acting
def draft(
    by: Actor, lot: str, name: str, file: Path | None, document: str, running: str, wanted_from: datetime | None,
    why: str,
) -> Answer:  # fmt: skip
    """Draft what a lot shall charge: a new tariff NAME from a JSON FILE, or without a file the stored one of that name.

    Example: flask --app wsgi prices draft 示例停车场 示例标准 tariff.json --from '2026-07-01 00:00' --as chen
    """
    told: actions.NewTariff | uuid.UUID = (
        named(TariffVersion, name).key if file is None else actions.NewTariff(name, document, parameters_in(file))
    )
    row = actions.draft_price(by, named(Lot, lot).key, told, why=why, running=running, wanted_from=wanted_from)
    return Note("已拟定，待证明和公布", key=row.key, version=row.version)


@prices.command("withdraw")
@click.argument("price", type=click.UUID)
@click.option("--why", required=True)
@acting
def withdraw(by: Actor, price: uuid.UUID, why: str) -> Answer:
    """Take back a price that was not published, with a reason.

    Example: flask --app wsgi prices withdraw PRICE --why 重新测算 --as chen
    """
    actions.withdraw_price(by, price, why)
    return Note("收费标准草案已撤回")


@prices.command("prove")
@click.argument("price", type=click.UUID)
@acting
def prove(by: Actor, price: uuid.UUID) -> Answer:
    """Prove that no stay costs more than the references allow; a failed proof is kept with its counterexample.

    Exit code 1 when it fails, with the worst stay, both fees line by line and the smallest change that would pass.

    Example: flask --app wsgi prices prove PRICE --as lin
    """
    proof = actions.prove_price(by, price)
    if not proof.holds:
        raise actions.PriceAboveCap(proof=str(proof.key), **_worst(proof.result, proof.explanation))
    return Note(proof.explanation, key=proof.key, holds=proof.holds, last_day=proof.last_day)


def _worst(result: dict[str, Any], explanation: str) -> dict[str, Any]:
    case = result["counterexample"]
    told = ("entry", "exit", "vehicle_class", "own_fen", "cap_fen", "excess_fen", "remedy")
    return {"explanation": explanation, **{name: case.get(name) for name in told}}


@prices.command("publish")
@click.argument("price", type=click.UUID)
@click.option("--from", "effective_from", type=MOMENT, help="from when it holds; else as soon as it may")
@click.option("--notice", default="", help="what motorists are told; else the platform's own words")
@click.option("--why", default="", help="a remark that stays with it")
@click.option("--unbounded-because", default="", help="needed where no reference has a price for some stays")
@acting
def publish(
    by: Actor, price: uuid.UUID, effective_from: datetime | None, notice: str, why: str, unbounded_because: str
) -> Answer:  # fmt: skip
    """Publish a proved price that somebody else drafted; motorists are told from when it holds.

    A dearer one is announced `tariff_notice_days` ahead; a first or a lower one may hold at once.

    Example: flask --app wsgi prices publish PRICE --from '2026-07-01 00:00' --as lin
    """
    told = {"notice": notice, "why": why, "unbounded_because": unbounded_because}
    row = actions.publish_price(by, price, effective_from, **told)
    return Note("收费标准已公布", effective_from=row.effective_from, notice=row.notice)


@prices.command("around")
@click.argument("lot")
@acting
def around(by: Actor, lot: str) -> Answer:
    """Show which references bound a lot, by which rule, and what its radius would propose now.

    Example: flask --app wsgi prices around 示例停车场 --as lin --json
    """
    found = register.around(by, named(Lot, lot).key)
    sets = [{**vars(each), "state_text": SET_STATES[each.state]} for each in found.sets]
    told = {"rule": found.rule, "rule_text": RULE_TEXT[found.rule], "legal_note": found.legal_note}
    proposal = {each.name: each.distance_m for each in found.proposal}
    return Note("周围参照", **told, radius_m=found.radius_m, proposal=proposal, sets=sets)


@prices.command("propose-references")
@click.argument("lot")
@click.argument("references", nargs=-1)
@click.option("--why", default="", help="needed when the set is not what the radius proposes")
@acting
def propose_references(by: Actor, lot: str, references: Sequence[str], why: str) -> Answer:
    """Propose the references of a lot: those within the radius, else its zone; or those named (keys or names).

    Example: flask --app wsgi prices propose-references 示例停车场 --as lin
    """
    keys = [named(ReferenceLot, each).key for each in references]
    row = actions.propose_references(by, named(Lot, lot).key, keys, why)
    return Note("参照组合已提出，待另一名价格管理人员审批", key=row.key, version=row.version)


@prices.command("approve-references")
@click.argument("references", metavar="SET", type=click.UUID)
@click.option("--because", default="", help="a remark that stays with it")
@acting
def approve_references(by: Actor, references: uuid.UUID, because: str) -> Answer:
    """Let a proposed set bound the lot's fees from now on; its price is proved again.

    Example: flask --app wsgi prices approve-references SET --as wang
    """
    row = actions.approve_references(by, references, because)
    return Note("参照组合已批准", version=row.version)


@prices.command("decline-references")
@click.argument("references", metavar="SET", type=click.UUID)
@click.option("--because", required=True)
@acting
def decline_references(by: Actor, references: uuid.UUID, because: str) -> Answer:
    """Turn a proposed set down, with a reason.

    Example: flask --app wsgi prices decline-references SET --because 遗漏一处 --as wang
    """
    actions.decline_references(by, references, because)
    return Note("参照组合未获批准")


@prices.command("cap-rules")
@acting
def cap_rules(by: Actor) -> Answer:
    """List the rules by which several references combine; without any the lowest counts.

    Example: flask --app wsgi prices cap-rules --as lin
    """
    headings = {
        "scope": "范围", "scope_id": "范围编号", "rule_text": "组合规则", "legal_note": "依据", "begins_at": "起",
        "ends_at": "止",
    }  # fmt: skip
    return Sheet(headings, [{**vars(each), "rule_text": RULE_TEXT[each.rule]} for each in register.cap_rules(by)])


@prices.command("set-cap-rule")
@click.argument("rule", type=click.Choice(sorted(RULES)))
@click.option("--note", "legal_note", required=True, help="on what it rests")
@click.option("--from", "begins_at", type=MOMENT, help="since when, in Hangzhou; else from now on")
@click.option("--unit", help="only for this unit (key or name)")
@click.option("--lot", help="only for this lot (key or name)")
@acting
def set_cap_rule(
    by: Actor, rule: str, legal_note: str, begins_at: datetime | None, unit: str | None, lot: str | None
) -> Answer:  # fmt: skip
    """Let a rule hold from a moment on, with the legal note that it rests on; lots are proved again.

    Example: flask --app wsgi prices set-cap-rule lowest --note 价格主管部门答复 --as lin
    """
    if unit is not None and lot is not None:
        raise click.UsageError("name --unit or --lot, not both")
    scope, scope_id = ("city", 0)
    if unit is not None:
        scope, scope_id = "unit", named(Unit, unit).id
    if lot is not None:
        scope, scope_id = "lot", named(Lot, lot).id
    actions.set_cap_rule(by, rule, legal_note, begins_at, scope=scope, scope_id=scope_id)
    return Note("组合规则已设定", rule=rule)
