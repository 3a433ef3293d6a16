"""Work days and holidays: which years are known, what they say, and loading the next one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from app.domain.adjustments import actions as adjustments
from app.domain.adjustments.queries import affected
from app.domain.calendars import actions, queries
from app.domain.calendars.rules import Day, Status
from app.domain.calendars.sheets import DATE, HOLIDAY, KIND, MAKEUP, plain_day, read_year
from app.domain.staff.queries import logins
from app.domain.staff.rules import Actor
from app.jobs.calendar_files import rows_of
from app.jobs.commands.answers import Answer, Note, Sheet
from app.jobs.commands.door import acting, noun
from app.kernel import clock
from app.kernel.clock import business_day
from app.kernel.files import Paper

calendars = noun(
    "Work days and holidays (工作日历): official, provisional (暂定) or missing years.",
    "calendars list --as lin",
    "calendars show 2026 --as lin",
    "calendars load 2027 2027.xlsx --source 国办发明电〔2026〕7号 --dry-run --as lin",
)
STATUS = {Status.OFFICIAL: "正式", Status.PROVISIONAL: "暂定", queries.MISSING: "缺失"}
KINDS = {"workday": "工作日", "dayoff": "休息日"}


@calendars.command("list")
@acting
def list_years(by: Actor) -> Answer:
    """List the years with their status, and who loaded them from which document.

    Example: flask --app wsgi calendars list --as lin --json
    """
    years = queries.years(by)
    names = logins([year.loaded_by for year in years if year.loaded_by is not None])
    rows = [
        {**vars(year), "status_text": STATUS[year.status], "loaded_by": names.get(year.loaded_by or 0)}
        for year in years
    ]
    headings = {
        "year": "年份", "status_text": "状态", "days_off": "休息日", "makeup_days": "调休上班日",
        "source_doc": "依据", "loaded_by": "载入人", "loaded_at": "载入时间",
    }  # fmt: skip
    return Sheet(headings, rows)


@calendars.command("show")
@click.argument("year", type=click.IntRange(2000, 2999))
@click.option("--all", "every_day", is_flag=True, help="every day, not only those that differ from the plain week")
@acting
def show(by: Actor, year: int, *, every_day: bool) -> Answer:
    """Show the days of a year that differ from the plain week; with --all every day.

    Example: flask --app wsgi calendars show 2026 --as lin
    """
    rows = [
        {
            "date": day.date,
            "kind": day.kind,
            "kind_text": KINDS[day.kind],
            "holiday": day.holiday,
            "is_makeup": day.is_makeup,
            "status": day.status,
            "status_text": STATUS[day.status],
        }
        for day in queries.year_days(by, year)
        if every_day or day != plain_day(day.date, day.status)
    ]
    headings = {"date": DATE, "kind_text": KIND, "holiday": HOLIDAY, "is_makeup": MAKEUP, "status_text": "状态"}
    return Sheet(headings, rows)


@calendars.command("load")
@click.argument("year", type=click.IntRange(2000, 2999))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--source", required=True, help="the document that says so, such as 国办发明电〔2026〕7号")
@click.option("--paper", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="the notice, PDF or image")
@click.option("--provisional", is_flag=True, help="not yet told by the State Council")
@click.option("--dry-run", is_flag=True, help="tell what would change and change nothing")
@acting
def load(
    by: Actor, year: int, file: Path, *, source: str, paper: Path | None, provisional: bool, dry_run: bool
) -> Answer:  # fmt: skip
    """Load a year from CSV or xlsx: columns 日期, 类型 (工作日/休息日), 节日, 调休 (是/否).

    Only days that differ from the plain week need a row. Each fault is told by row and column, and nothing is loaded
    then. The same file again changes nothing. An official calendar of a year that is not over writes all windows anew;
    whoever loses a reservation is told, and offered a bay near by (`adjustments affected`).

    Example: flask --app wsgi calendars load 2027 2027.xlsx --source 国办发明电〔2026〕7号 --as lin
    """
    status = Status.PROVISIONAL if provisional else Status.OFFICIAL
    days = read_year(year, *rows_of(file), status)
    trial = actions.load_year(by, year, days, status=status, source_doc=source, dry_run=True)
    told = {"year": year, "changed": trial.changed}
    if not trial.is_new:
        return Note("日历与现行版本相同，未作任何更改", **told)
    if dry_run:
        return Note("试运行：未作任何更改", **told)
    kept = Paper(paper.read_bytes(), paper.name) if paper else None
    if provisional or year < business_day(clock.now()).year:
        actions.load_year(
            by, year, days, status=status, source_doc=source, paper=kept, on_loaded="pricing.prove_outdated"
        )  # fmt: skip
        return Note("日历已载入", **told)
    return Note("日历已载入，开放时段已更新", **told, **_applied(by, year, days, source, kept))


def _applied(by: Actor, year: int, days: Sequence[Day], source: str, paper: Paper | None) -> dict[str, Any]:
    row = adjustments.apply_calendar(by, year, days, source_doc=source, paper=paper)
    while adjustments.apply_forgotten():
        continue
    return {"adjustment": row.key, "displaced": len(affected(by, row.key))}
