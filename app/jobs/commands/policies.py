"""The numbers that the city may change: listed and set."""

from datetime import datetime

import click

from app.domain.lots.models import Lot
from app.domain.policies import actions, queries
from app.domain.policies.rules import CITY_DEFAULTS
from app.domain.staff.rules import Actor
from app.domain.units.models import Unit
from app.jobs.commands.answers import Answer, Note, Sheet
from app.jobs.commands.door import MOMENT, acting, named, noun

policies = noun(
    "Numbers that the city may change (规则参数): for the city, one unit or one lot; the narrowest wins.",
    "policies list --as lin",
    "policies set overstay_grace_minutes 20 --from '2026-07-01 00:00' --as lin",
)
HEADINGS = {
    "name": "参数", "scope": "范围", "scope_id": "范围编号", "value": "数值", "begins_at": "起", "ends_at": "止"
}  # fmt: skip


@policies.command("list")
@acting
def list_policies(by: Actor) -> Answer:
    """List every number as it holds now or later; without a beginning it is the platform's default.

    Example: flask --app wsgi policies list --as lin --json
    """
    return Sheet(HEADINGS, [vars(number) for number in queries.settings(by)])


@policies.command("set")
@click.argument("name", type=click.Choice(sorted(CITY_DEFAULTS)))
@click.argument("value", type=int)
@click.option("--from", "begins_at", type=MOMENT, help="since when, in Hangzhou; else from now on")
@click.option("--unit", help="only for this unit (key or name)")
@click.option("--lot", help="only for this lot (key or name)")
@acting
def set_policy(
    by: Actor, name: str, value: int, begins_at: datetime | None, unit: str | None, lot: str | None
) -> Answer:  # fmt: skip
    """Let a number hold from a moment on.

    Example: flask --app wsgi policies set overstay_grace_minutes 20 --unit 示例单位 --as lin
    """
    if unit is not None and lot is not None:
        raise click.UsageError("name --unit or --lot, not both")
    scope, scope_id = ("city", 0)
    if unit is not None:
        scope, scope_id = "unit", named(Unit, unit).id
    if lot is not None:
        scope, scope_id = "lot", named(Lot, lot).id
    actions.set_number(by, name, value, begins_at, scope=scope, scope_id=scope_id)
    return Note("规则参数已设定", name=name, value=value)
