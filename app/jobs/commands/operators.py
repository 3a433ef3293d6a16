"""Operators: registering, correcting, listing."""

import click

from app.domain.staff.rules import Actor
from app.domain.units import actions, queries
from app.domain.units.models import Operator
from app.domain.units.rules import NewOperator
from app.jobs.commands.answers import Answer, Note, Sheet
from app.jobs.commands.door import acting, named, noun

operators = noun(
    "Operators (运营单位): who runs lots for units under an agreement.",
    "operators register 某停车公司 91330100XX00000013 0571-00000000 --as wang",
    "operators list --as wang",
)


@operators.command("register")
@click.argument("name")
@click.argument("credit_code")
@click.argument("service_phone")
@acting
def register(by: Actor, name: str, credit_code: str, service_phone: str) -> Answer:
    """Register an operator (N3.2) with its public service phone.

    Example: flask --app wsgi operators register 某停车公司 91330100XX00000013 0571-00000000 --as wang
    """
    return Note("运营单位已登记", key=actions.register_operator(by, NewOperator(name, credit_code, service_phone)).key)


@operators.command("correct")
@click.argument("operator")
@click.option("--reason", required=True, help="why the register was wrong, or what has changed")
@click.option("--name", help="its name")
@click.option("--code", "credit_code", help="its unified social credit code")
@click.option("--phone", "service_phone", help="its public service phone")
@acting
def correct(
    by: Actor, operator: str, *, reason: str, name: str | None, credit_code: str | None, service_phone: str | None
) -> Answer:  # fmt: skip
    """Correct what the register says of an operator (key or name); what is not named stays.

    Example: flask --app wsgi operators correct 某停车公司 --phone 0571-11111111 --reason 更换电话 --as wang
    """
    row = named(Operator, operator)
    told = NewOperator(name or row.name, credit_code or row.credit_code or "", service_phone or row.service_phone or "")
    change = actions.correct_operator(by, row.key, told, reason)
    return Note("运营单位信息已更正", before=change.before, after=change.after)


@operators.command("list")
@acting
def list_operators(by: Actor) -> Answer:
    """List all operators.

    Example: flask --app wsgi operators list --as wang --json
    """
    rows = [
        {"name": row.name, "credit_code": row.credit_code, "service_phone": row.service_phone, "key": row.key}
        for row in queries.operators(by)
    ]
    return Sheet({"name": "名称", "credit_code": "统一社会信用代码", "service_phone": "服务电话", "key": "编号"}, rows)
