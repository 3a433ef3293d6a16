"""`tariff prove`: whether a price holds under the cap of others, for every stay."""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import click
from flask import current_app
from flask.cli import with_appcontext

from app.domain.lots.models import Lot
from app.domain.pricing.actions import ReferencesMissing
from app.domain.pricing.actions.prove import verdict_on
from app.domain.pricing.queries.proofs import newest_of, readings_of, tariffs_of
from app.domain.pricing.rules import Tariff
from app.domain.pricing.rules.inputs import Inputs
from app.domain.pricing.rules.proofs import LOWEST, RULES, Readings, every_date
from app.domain.pricing.rules.proofs import prove as proved
from app.domain.staff.actions import sign_in
from app.jobs.commands import REFUSE
from app.jobs.commands.door import named, password_of, password_option, refusals_told
from app.jobs.commands.tariffs.files import TARIFF


def official_dates() -> Readings:
    """Every date that the official calendars of the package tell, and every sort of date after them."""
    from app.domain.calendars.seeds import FIRST_YEAR, LAST_YEAR, official_year  # noqa: PLC0415 - only proofs need it

    days = (day for year in range(FIRST_YEAR, LAST_YEAR + 1) for day in official_year(year))
    return every_date(days, date(LAST_YEAR, 12, 31))


class Outcome(NamedTuple):
    """What a proof says of a price, as JSON and in Chinese."""

    holds: bool
    result: Mapping[str, Any]
    explanation: str


class LotOrTariff(click.ParamType[Tariff | str]):
    """A file with a tariff where there is such a file, else a lot by its key or name."""

    name = "lot or file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Tariff | str:
        return TARIFF.convert(value, param, ctx) if _is_file(value) else str(value)


def _is_file(value: object) -> bool:
    if not isinstance(value, str):
        return True
    return ".json" in value or value == "-" or Path(value).exists()


@click.command("prove")
@click.argument("own", metavar="LOT|FILE", type=LotOrTariff())
@click.option("--against", "references", metavar="FILE", type=TARIFF, multiple=True, help="a reference")
@click.option("--combine", type=click.Choice(sorted(RULES)), help="several to one cap; else the lot's rule, or lowest")
@click.option("--as", "acting_as", envvar="GONGBO_AS", show_envvar=True, help="login of who asks; a lot needs one")
@password_option
@click.option("--json", "as_json", is_flag=True, help="one JSON document instead of text")
def prove(
    own: Tariff | str, references: Sequence[Tariff], combine: str | None, acting_as: str | None,
    password_file: Path | None, *, as_json: bool,
) -> None:  # fmt: skip
    """Prove that LOT or FILE is never dearer than the references: every stay up to 48 hours, to the second.

    Of a LOT (key or name) the newest price that was not withdrawn is proved, against its approved references and by
    its rule where no others are named; nothing is stored. FILE holds the parameters of a tariff, or a record with
    them; FILE.json:ID names one of a collection. Files need no platform.

    Exit code 0: it holds. 1: it does not, with the worst stay and the smallest change that would pass.

    Example: flask --app wsgi tariff prove 示例停车场 --as lin
    """
    with refusals_told():
        outcome = (
            _of_file(own, references, combine)
            if isinstance(own, Tariff)
            else _of_lot(own, references, combine, acting_as, password_file)
        )
    click.echo(json.dumps(outcome.result, ensure_ascii=False) if as_json else outcome.explanation)
    sys.exit(0 if outcome.holds else 1)


def _of_file(own: Tariff, references: Sequence[Tariff], combine: str | None) -> Outcome:
    if not references:
        raise click.UsageError("a file is proved against others: name at least one with --against")
    return _outcome(own, references, official_dates(), combine or LOWEST)


def _outcome(own: Tariff, references: Sequence[Tariff], dates: Readings, rule: str) -> Outcome:
    proof = proved(own, references, dates, rule)
    return Outcome(proof.holds, proof.as_dict(), proof.explain())


@with_appcontext
def _of_lot(
    lot: str, references: Sequence[Tariff], combine: str | None, acting_as: str | None, password_file: Path | None
) -> Outcome:  # fmt: skip
    current_app.extensions.get(REFUSE, lambda: None)()
    if acting_as is None:
        raise click.UsageError(f"no such file: {lot}; of a lot only who has an account may ask (--as)")
    by = sign_in(acting_as, password_of(acting_as, password_file))
    newest = newest_of(by, named(Lot, lot).key)
    outcome = _of_newest(newest.inputs, references, combine)
    price = {"lot": newest.lot, "version": newest.version, "tariff": newest.tariff}
    head = f"{newest.lot} 第{newest.version}版 {newest.tariff}"
    return Outcome(outcome.holds, {"price": price, **outcome.result}, f"{head}\n{outcome.explanation}")


def _of_newest(inputs: Inputs, references: Sequence[Tariff], combine: str | None) -> Outcome:
    if not references and combine is None:
        verdict = verdict_on(inputs)
        return Outcome(verdict.holds, verdict.result, verdict.explanation)
    own, around = tariffs_of(inputs)
    if not references and not around:
        raise ReferencesMissing(lot_id=inputs.lot_id)
    return _outcome(own, references or around, readings_of(inputs), combine or inputs.rule)
