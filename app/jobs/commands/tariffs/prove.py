"""`tariff prove`: whether a price holds under the cap of others, for every stay."""

import json
import sys
from collections.abc import Sequence
from datetime import date

import click

from app.domain.pricing.rules import Tariff
from app.domain.pricing.rules.proofs import LOWEST, RULES, Readings, readings
from app.domain.pricing.rules.proofs import prove as proved
from app.jobs.commands.tariffs.files import TARIFF


def official_dates() -> Readings:
    """Every date that the official calendars of the package tell."""
    from app.domain.calendars.seeds import FIRST_YEAR, LAST_YEAR, official_year  # noqa: PLC0415 - only proofs need it

    days = (day for year in range(FIRST_YEAR, LAST_YEAR + 1) for day in official_year(year))
    return readings(days, date(LAST_YEAR, 12, 31))


@click.command("prove")
@click.argument("own", metavar="FILE", type=TARIFF)
@click.option("--against", "references", metavar="FILE", type=TARIFF, multiple=True, required=True, help="a reference")
@click.option(
    "--combine", type=click.Choice(sorted(RULES)), default=LOWEST, show_default=True, help="several to one cap"
)
@click.option("--json", "as_json", is_flag=True, help="one JSON document instead of text")
def prove(own: Tariff, references: Sequence[Tariff], combine: str, as_json: bool) -> None:
    """Prove that FILE is never dearer than the references: every stay up to 48 hours, to the second.

    Exit code 0: it holds. 1: it does not, with the worst stay and the smallest change that would pass.
    FILE holds the parameters of a tariff, or a record with them; FILE.json:ID names one of a collection.
    """
    proof = proved(own, references, official_dates(), combine)
    click.echo(json.dumps(proof.as_dict(), ensure_ascii=False) if as_json else proof.explain())
    sys.exit(0 if proof.holds else 1)
