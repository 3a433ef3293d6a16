"""The rates of WeChat's fee that were agreed."""

import re
import uuid
from datetime import date
from decimal import Decimal
from typing import Any

import click

from app.domain.reconciliation import actions, queries
from app.domain.staff.rules import Actor
from app.jobs.commands.answers import Answer, Note, Sheet
from app.jobs.commands.door import DAY, acting
from app.jobs.commands.reconciliation.group import reconciliation


class PercentType(click.ParamType[int]):
    """`0.54`: percent with at most four decimals, as millionths."""

    name = "percent"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        if not re.fullmatch(r"\d{1,2}(\.\d{1,4})?", value):
            self.fail(f"{value} is no percentage such as 0.54", param, ctx)
        return int(Decimal(value).scaleb(4))


PERCENT = PercentType()


@reconciliation.command("record-rate")
@click.argument("merchant")
@click.argument("percent", type=PERCENT)
@click.option("--since", type=DAY, required=True, help="the first day for which it holds")
@click.option("--note", required=True, help="the contract or notice on which it rests")
@acting
def record_rate(by: Actor, *, merchant: str, percent: int, since: date, note: str) -> Answer:
    """Record at which rate (约定费率) WeChat's fee was agreed; another person confirms it.

    Example: flask --app wsgi reconciliation record-rate 1900000109 0.54 --since 2026-06-01 --note 合同2026-17 --as wang
    """
    return Note("费率已登记，待确认", key=actions.record_rate(by, merchant, percent, since, note).key)


@reconciliation.command("confirm-rate")
@click.argument("rate", type=click.UUID)
@acting
def confirm_rate(by: Actor, *, rate: uuid.UUID) -> Answer:
    """Confirm a recorded rate: days that are compared from now on are held against it.

    Example: flask --app wsgi reconciliation confirm-rate 0197b5c8-0000-7000-8000-000000000000 --as lin
    """
    return Note("费率已确认", since=actions.confirm_rate(by, rate).since)


@reconciliation.command("rates")
@acting
def list_rates(by: Actor) -> Answer:
    """List which rates of WeChat's fee were agreed, by merchant.

    Example: flask --app wsgi reconciliation rates --as wang
    """
    headings = {
        "key": "编号", "sub_mchid": "特约商户号", "since": "起始日", "percent": "费率（%）", "note": "依据",
        "recorded_by": "登记人", "confirmed_by": "确认人",
    }  # fmt: skip
    rows = [vars(each) | {"percent": f"{Decimal(each.rate_ppm).scaleb(-4):f}"} for each in queries.rates(by)]
    return Sheet(headings, rows)
