"""Units: registering, correcting, office hours, findings of exception."""

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import time
from typing import Any

import click

from app.domain.adjustments import actions as adjustments
from app.domain.lots import actions as lots
from app.domain.lots.queries.standing import counts_by_lot, in_all
from app.domain.staff.queries import logins
from app.domain.staff.rules import Actor
from app.domain.units import actions, queries
from app.domain.units.models import RegisterChange, Unit, UnitFinding
from app.domain.units.rules import AUTHORITIES, DISTRICTS, GROUNDS, KINDS, LEVELS, NewUnit
from app.jobs.commands.answers import Answer, Note, Sheet
from app.jobs.commands.door import CLOCK, PAPER, acting, named, noun
from app.kernel.files import Paper

units = noun(
    "Units (开放单位): who opens car-parks, when they work, and who is excepted.",
    "units register 某局 11330100XX00000010 organ city 330102 --as wang",
    "units list --district 330106 --as wang",
    "units find 某学校 school --reason 小学 --evidence 示例文号 --as wang",
)
DISTRICT = click.Choice(list(DISTRICTS))
AUTHORITY = click.Choice(list(AUTHORITIES))


@units.command("register")
@click.argument("name")
@click.argument("credit_code")
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.argument("level", type=click.Choice(list(LEVELS)))
@click.argument("district_code", metavar="DISTRICT", type=DISTRICT)
@click.option("--from", "office_begins", type=CLOCK, default="08:30", show_default=True, help="work begins")
@click.option("--until", "office_ends", type=CLOCK, default="17:30", show_default=True, help="work ends")
@click.option("--authority", type=AUTHORITY, help="who supervises it; else the usual one of its kind and level")
@click.option("--department", "authority_name", help="the department's name, with --authority department")
@acting
def register(by: Actor, **told: Any) -> Answer:
    """Register an opening unit (N2.1); an end of work before its beginning lies on the next day.

    Example: flask --app wsgi units register 某局 11330100XX00000010 organ city 330102 --from 09:00 --as wang
    """
    return Note("单位已登记", key=actions.register(by, NewUnit(**told)).key)


@units.command("correct")
@click.argument("unit")
@click.option("--reason", required=True, help="why the register was wrong, or what has changed")
@click.option("--name", help="its name")
@click.option("--code", "credit_code", help="its unified social credit code")
@click.option("--kind", type=click.Choice(list(KINDS)), help="organ, institution or enterprise")
@click.option("--level", type=click.Choice(list(LEVELS)), help="of the city or of a district")
@click.option("--district", "district_code", type=DISTRICT, help="where it lies")
@click.option("--authority", type=AUTHORITY, help="who supervises it")
@click.option("--department", "authority_name", help="the department's name, with --authority department")
@acting
def correct(by: Actor, unit: str, *, reason: str, **otherwise: Any) -> Answer:
    """Correct what the register says of a unit (key or name); what is not named stays.

    Kind, level and district stay as they are while one of its lots has a payee.

    Example: flask --app wsgi units correct 某局 --name 某中心 --reason 机构改革 --as wang
    """
    row = queries.unit_seen(by, named(Unit, unit).key)
    change = actions.correct(by, row.key, _otherwise(row, otherwise), reason)
    return Note("单位信息已更正", before=change.before, after=change.after)


def _otherwise(row: Unit, told: Mapping[str, Any]) -> NewUnit:
    """What the register says with some of it told anew; the usual authority follows another kind or level."""
    changed = {name: value for name, value in told.items() if value is not None}
    said = NewUnit(
        row.name, row.credit_code or "", row.kind, row.level, row.district_code, row.office_begins, row.office_ends,
        row.authority, row.authority_name,
    )  # fmt: skip
    if "authority" in changed or (row.authority != "department" and {"kind", "level"} & changed.keys()):
        said = replace(said, authority=None, authority_name=None)
    return replace(said, **changed)


@units.command("hours")
@click.argument("unit")
@click.argument("begins", type=CLOCK)
@click.argument("ends", type=CLOCK)
@click.option("--reason", required=True, help="why it works at other hours")
@acting
def hours(by: Actor, unit: str, begins: time, ends: time, *, reason: str) -> Answer:
    """Change a unit's office hours; the open windows of its lots follow at once (N2.2.1).

    Example: flask --app wsgi units hours 某局 09:00 17:30 --reason 冬令时 --as wang
    """
    lots.change_office_hours(by, named(Unit, unit).key, begins, ends, reason)
    return Note("上班时间已变更，开放时段已重新计算")


@units.command("list")
@click.option("--district", "district_code", type=DISTRICT, help="only of this district")
@click.option("--words", default="", help="only with these words in the name")
@acting
def list_units(by: Actor, *, district_code: str | None, words: str) -> Answer:
    """List the units within your reach.

    Example: flask --app wsgi units list --district 330106 --as wang --json
    """
    headings = {
        "name": "名称", "kind": "类别", "level": "层级", "district": "所在地", "hours": "上班时间",
        "authority": "主管单位", "credit_code": "统一社会信用代码",
    }  # fmt: skip
    return Sheet(headings, [_row(unit) for unit in queries.units(by, district_code=district_code, words=words)])


def _row(unit: Unit) -> dict[str, object]:
    return {
        "name": unit.name, "kind": KINDS[unit.kind], "level": LEVELS[unit.level],
        "district": DISTRICTS[unit.district_code],
        "hours": f"{unit.office_begins:%H:%M}-{unit.office_ends:%H:%M}",
        "authority": unit.authority_name or AUTHORITIES[unit.authority], "credit_code": unit.credit_code,
        "key": unit.key,
    }  # fmt: skip


@units.command("show")
@click.argument("unit")
@acting
def show(by: Actor, unit: str) -> Answer:
    """Show a unit (key or name): its entry, what it shares of all its bays and chargers, findings, changes.

    Example: flask --app wsgi units show 某局 --as wang
    """
    row = queries.unit_seen(by, named(Unit, unit).key)
    counts = in_all(counts_by_lot(row.id))
    return Note(
        "开放单位", **_row(row),
        bays=f"{counts.shared_bays}/{counts.total_bays}", bays_percent=counts.bays_percent,
        chargers=f"{counts.shared_chargers}/{counts.total_chargers}", chargers_percent=counts.chargers_percent,
        findings=[_finding(each) for each in queries.findings(row.id)],
        changes=[_change(each) for each in queries.changes(unit_id=row.id)],
    )  # fmt: skip


def _finding(row: UnitFinding) -> dict[str, object]:
    people = logins([each for each in (row.found_by, row.lifted_by) if each is not None])
    return {
        "key": row.key, "ground": GROUNDS[row.ground], "reason": row.reason, "evidence": row.evidence,
        "found_by": people[row.found_by], "found_at": row.found_at,
        "lifted_by": None if row.lifted_by is None else people[row.lifted_by], "lifted_at": row.lifted_at,
        "lifted_because": row.lifted_because,
    }  # fmt: skip


def _change(row: RegisterChange) -> dict[str, object]:
    return {
        "before": row.before, "after": row.after, "reason": row.reason,
        "changed_by": logins([row.changed_by])[row.changed_by], "changed_at": row.changed_at,
    }  # fmt: skip


@units.command("find")
@click.argument("unit")
@click.argument("ground", type=click.Choice(list(GROUNDS)))
@click.option("--reason", required=True, help="why this ground holds")
@click.option("--evidence", required=True, help="which document says so")
@click.option("--file", "paper", type=PAPER, help="the document itself: PDF, PNG or JPEG, at most 10 MB")
@acting
def find(by: Actor, unit: str, ground: str, *, reason: str, evidence: str, paper: Paper | None) -> Answer:
    """Find that a unit is excepted from opening (N2.1); its open lots are suspended at once.

    Example: flask --app wsgi units find 某学校 school --reason 小学 --evidence 示例文号 --as wang
    """
    finding = adjustments.exclude(by, named(Unit, unit).key, ground, reason, evidence, paper)
    return Note("例外认定已生效，已开放的停车场已暂停", key=finding.key)


@units.command("lift")
@click.argument("finding_key", type=click.UUID)
@click.option("--because", required=True, help="why the ground holds no longer")
@acting
def lift(by: Actor, finding_key: uuid.UUID, *, because: str) -> Answer:
    """Lift a finding by its key (see `units show`); who made it cannot. Lots stay suspended until reopened.

    Example: flask --app wsgi units lift 0197b5c8-... --because 已搬迁 --as zhao
    """
    actions.lift_finding(by, finding_key, because)
    return Note("例外认定已解除")
