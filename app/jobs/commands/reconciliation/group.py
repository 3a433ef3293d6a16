"""The noun itself, and what several of its verbs are told."""

from datetime import date, timedelta

import click

from app.jobs.commands.door import DAY, noun
from app.kernel import clock

reconciliation = noun(
    "Reconciliation (对账): WeChat's bills against our books, day by day and merchant by merchant.",
    "reconciliation days --as wang",
    "reconciliation differences --merchant 1900000109 --day 2026-06-10 --as wang",
    "reconciliation explain 0197b5c8-0000-7000-8000-000000000000 --because 商户平台误收 --as wang",
    "reconciliation accept 0197b5c8-0000-7000-8000-000000000000 --because 同意挂账 --as lin",
    "reconciliation propose 1900000109 2026-06-10 --as wang",
    "reconciliation sign 1900000109 2026-06-10 --as lin",
    "reconciliation sheet 1900000109 2026-06-10 --pdf 日结单.pdf --as lin",
    "reconciliation export-bill 1900000109 2026-06-10 --to 交易账单.csv --as lin",
)

merchant_option = click.option("--merchant", help="only this sub-merchant (特约商户号)")
first_option = click.option("--first", type=DAY, help="the first day; else 30 days ago")
last_option = click.option("--last", type=DAY, help="the last day; else yesterday")


def span_of(first: date | None, last: date | None) -> tuple[date, date]:
    """The days that are asked for, both included; else the thirty before today."""
    today = clock.business_day(clock.now())
    return first or today - timedelta(days=30), last or today - timedelta(days=1)
