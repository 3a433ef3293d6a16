"""Operating agreements: signing, ending, listing, reading; declaring that a unit runs a lot itself."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, BinaryIO

import click
from sqlalchemy import select

from app.domain.lots.models import Lot
from app.domain.staff.rules import Actor
from app.domain.units import actions, queries
from app.domain.units.models import Operator, Unit
from app.domain.units.queries import AgreementView
from app.domain.units.rules import Terms
from app.jobs.commands.answers import Answer, Note, Sheet
from app.jobs.commands.door import MOMENT, PAPER, acting, named, noun
from app.kernel import clock
from app.kernel.db import transaction
from app.kernel.files import Paper
from app.kernel.refusals import NotFound

agreements = noun(
    "Operating agreements (委托运营服务协议) and self-operation (自行运营).",
    "agreements list --days 30 --as wang",
    "agreements end 0197b5c8-... --reason 协商一致 --as wang",
    "agreements self 某局 南院停车场 --reason 到期收回 --as wang",
)


@agreements.command("sign")
@click.argument("unit")
@click.argument("operator")
@click.argument("lots", nargs=-1, required=True)
@click.option("--bays", "shared_bays", type=int, required=True, help="how many bays are shared")
@click.option("--hours", "hours_text", required=True, help="opening hours, in words")
@click.option("--services", required=True, help="what the operator does")
@click.option("--unit-duties", required=True, help="rights and duties of the unit")
@click.option("--operator-duties", required=True, help="rights and duties of the operator")
@click.option("--from", "begins_at", type=MOMENT, required=True, help="first moment of the term")
@click.option("--until", "ends_at", type=MOMENT, required=True, help="first moment after the term")
@click.option("--file", "paper", type=PAPER, required=True, help="the signed document: PDF, PNG or JPEG, at most 10 MB")
@acting
def sign(by: Actor, unit: str, operator: str, lots: tuple[str, ...], *, paper: Paper, **told: Any) -> Answer:
    """Record that a UNIT entrusts an OPERATOR with LOTS of its own (N4.7), each by key or name.

    Example: flask --app wsgi agreements sign 某局 某停车公司 南院停车场 --bays 30 --hours 按通知时段 --services 收费
    --unit-duties 提供场地 --operator-duties 日常运营 --from 2026-07-01 --until 2027-07-01 --file 协议.pdf --as wang
    """
    entrusting = queries.unit_seen(by, named(Unit, unit).key)
    terms = Terms([_lot_of(entrusting, each).id for each in lots], **told)
    row = actions.sign_agreement(by, entrusting.key, named(Operator, operator).key, terms, paper)
    return Note("协议已登记", key=row.key)


def _lot_of(unit: Unit, text: str) -> Lot:
    """A lot of this unit by its key or its name, which is its own within the unit. Refuses `NotFound`."""
    try:
        is_it = Lot.key == uuid.UUID(text)
    except ValueError:
        is_it = Lot.name == text
    with transaction() as session:
        lot = session.scalar(select(Lot).where(Lot.unit_id == unit.id, is_it))
    if lot is None:
        raise NotFound(name=text)
    return lot


@agreements.command("end")
@click.argument("agreement_key", type=click.UUID)
@click.option("--reason", required=True, help="why it ends early")
@click.option("--at", "ends_at", type=MOMENT, help="when; else now")
@acting
def end(by: Actor, agreement_key: uuid.UUID, *, reason: str, ends_at: datetime | None) -> Answer:
    """End an agreement early by its key; cars that are parked stay.

    Example: flask --app wsgi agreements end 0197b5c8-... --reason 协商一致 --at 2026-12-31 --as wang
    """
    return Note("协议已终止", ends_at=actions.end_agreement(by, agreement_key, reason, ends_at).ends_at)


@agreements.command("self")
@click.argument("unit")
@click.argument("lot")
@click.option("--reason", required=True, help="why the unit runs it itself")
@click.option("--since", type=MOMENT, help="from when on; else from now")
@acting
def run_it_itself(by: Actor, unit: str, lot: str, *, reason: str, since: datetime | None) -> Answer:
    """Declare that a UNIT runs a LOT of its own itself (N3.2); needed after an agreement has ended.

    Example: flask --app wsgi agreements self 某局 南院停车场 --reason 到期收回 --as wang
    """
    own = queries.unit_seen(by, named(Unit, unit).key)
    row = actions.declare_self_operation(by, own.key, _lot_of(own, lot).id, reason, since)
    return Note("已登记自行运营", since=row.since)


@agreements.command("list")
@click.option("--unit", help="only of this unit (key or name)")
@click.option("--days", type=click.IntRange(0), help="only those that end within so many days")
@click.option("--ended", "with_ended", is_flag=True, help="those that have ended, too")
@acting
def list_agreements(by: Actor, *, unit: str | None, days: int | None, with_ended: bool) -> Answer:
    """List the agreements within your reach, the first to end first.

    Example: flask --app wsgi agreements list --days 30 --as wang
    """
    unit_id = None if unit is None else queries.unit_seen(by, named(Unit, unit).key).id
    ends_by = None if days is None else clock.now() + timedelta(days=days)
    found = queries.agreements(by, unit_id=unit_id, ends_by=ends_by, with_ended=with_ended)
    headings = {
        "unit": "开放单位", "operator": "运营单位", "lots": "停车场", "shared_bays": "共享泊位", "begins_at": "起",
        "ends_at": "止", "in_force": "有效", "key": "编号",
    }  # fmt: skip
    return Sheet(headings, [_row(each) for each in found])


def _row(view: AgreementView) -> dict[str, object]:
    return {
        "unit": view.unit.name, "operator": view.operator.name, "lots": _names(view.lot_ids),
        "shared_bays": view.agreement.shared_bays, "begins_at": view.agreement.term.lower, "ends_at": view.ends_at,
        "in_force": view.holds(clock.now()), "key": view.agreement.key,
    }  # fmt: skip


def _names(lot_ids: Sequence[int]) -> list[str]:
    with transaction() as session:
        return list(session.scalars(select(Lot.name).where(Lot.id.in_(lot_ids)).order_by(Lot.id)))


@agreements.command("show")
@click.argument("agreement_key", type=click.UUID)
@click.option("--save", type=click.File("xb", lazy=True), help="write the signed document to this new file")
@acting
def show(by: Actor, agreement_key: uuid.UUID, *, save: BinaryIO | None) -> Answer:
    """Show what an agreement says, and the document's hash; --save writes the document to a new file.

    Example: flask --app wsgi agreements show 0197b5c8-... --save 协议.pdf --as wang
    """
    view = queries.agreement_seen(by, agreement_key)
    paper = queries.agreement_paper(by, agreement_key)
    if save is not None:
        save.write(paper.content)
    said = view.agreement
    return Note(
        "委托运营服务协议", **_row(view), hours=said.hours_text, services=said.services,
        unit_duties=said.unit_duties, operator_duties=said.operator_duties, document=paper.name,
        sha256=paper.sha256.hex(),
    )  # fmt: skip
