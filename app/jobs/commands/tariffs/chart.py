"""`tariff chart`: the fee over the length of the stay as a picture, own against cap."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click

from app.domain.calendars.seeds import official_day
from app.domain.pricing.rules import Tariff
from app.domain.pricing.rules.proofs.combining import LOWEST, RULES, combined_curve
from app.domain.pricing.rules.proofs.curves import fee_curve
from app.domain.pricing.rules.proofs.steps import Curve
from app.domain.pricing.rules.spans import wall
from app.jobs.commands.door import MOMENT, refusals_told
from app.jobs.commands.tariffs.drawing import HOUR, Panel, draw
from app.jobs.commands.tariffs.fee_curves import steps_of
from app.jobs.commands.tariffs.files import TARIFF
from app.kernel.clock import shanghai

WEEKDAYS = "一二三四五六日"
MONDAY_MORNING = "2026-06-01 09:00"


@click.command("chart")
@click.argument("own", metavar="FILE", type=TARIFF)
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="the SVG to write")
@click.option("--against", "references", metavar="FILE", type=TARIFF, multiple=True, help="a reference lot's tariff")
@click.option(
    "--entry", "entries", type=MOMENT, multiple=True, default=[MONDAY_MORNING], show_default=True,
    help="when the car enters, in Hangzhou; a panel for each",
)  # fmt: skip
@click.option("--hours", type=click.IntRange(1, 24 * 30), default=48, show_default=True, help="the longest stay drawn")
@click.option("--vehicle-class", help="a class of vehicle; else each tariff's default")
@click.option("--combine", type=click.Choice(sorted(RULES)), default=LOWEST, help="several references to one cap")
def chart(
    own: Tariff, output: Path, *, references: Sequence[Tariff], entries: Sequence[datetime], hours: int,
    vehicle_class: str | None, combine: str,
) -> None:  # fmt: skip
    """Draw what a stay costs over its length, to the second of each change, and the cap beside it.

    FILE holds the parameters of a tariff, or a record with them; FILE.json:ID names one of a collection. Where a day
    class is told in words, the city's calendar decides. Needs no database.

    Example: flask --app wsgi tariff chart own.json --against road.json --entry '2026-06-01 18:00' -o fee.svg
    """
    seconds = hours * HOUR
    with refusals_told():
        panels = [_panel(own, references, entry, seconds, vehicle_class, combine) for entry in entries]
    try:
        output.write_text(draw("停车费用", panels, seconds), encoding="utf-8")
    except OSError as error:
        raise click.FileError(str(output), error.strerror) from None


def _panel(
    own: Tariff, references: Sequence[Tariff], entry: datetime, seconds: int, vehicle_class: str | None, combine: str
) -> Panel:  # fmt: skip
    at = shanghai(entry)
    fee, *bounds = (_fee(each, entry, seconds, vehicle_class) for each in (own, *references))
    cap = steps_of(combined_curve(combine, bounds), seconds) if bounds else None
    return Panel(f"入场 {at:%Y-%m-%d %H:%M}（周{WEEKDAYS[at.weekday()]}）", steps_of(fee, seconds), cap)


def _fee(tariff: Tariff, entry: datetime, seconds: int, vehicle_class: str | None) -> Curve:
    """A class that the tariff does not name is priced as its default."""
    name = vehicle_class if vehicle_class in tariff.vehicle_classes else None
    return fee_curve(tariff, wall(entry), seconds, name, tariff.calendar(official_day))
