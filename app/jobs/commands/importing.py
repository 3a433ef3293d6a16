"""Bulk import of units and lots, and its template."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from app.domain.staff.rules import Actor
from app.jobs.commands.answers import Answer, Note, Sheet, tell
from app.jobs.commands.door import acting, noun
from app.jobs.importing.loading import Report, import_city

importing = noun(
    "Bulk import (批量导入) of units, lots, entrances and bays from xlsx or CSV.",
    "import template 城市.xlsx",
    "import city 城市.xlsx --dry-run --as wang",
    "import city 开放单位.csv 停车场.csv 泊位.csv --as wang",
)
HEADINGS = {"sheet": "工作表", "row": "行", "column": "列", "code": "代码", "message": "问题"}


@importing.command("template")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def template(file: Path) -> None:
    """Write an empty workbook with headings, choices and a page that explains them.

    Example: flask --app wsgi import template 城市.xlsx
    """
    from app.jobs.importing.template import write_template  # noqa: PLC0415 - only this command writes workbooks

    write_template(file)
    click.echo(f"模板已写入 {file}")


@importing.command("city")
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="check everything and write nothing")
@acting
def city(by: Actor, files: Sequence[Path], *, dry_run: bool) -> Answer:
    """Import one workbook, or CSV files named after its sheets, all or nothing; safe to repeat.

    Every fault is told with sheet, row and column, and then nothing is written and the exit code is 1.

    Example: flask --app wsgi import city 城市.xlsx --dry-run --as wang
    """
    with progress() as tick:
        report = import_city(by, files, dry_run=dry_run, tick=tick)
    if report.faults:
        tell(faults_sheet(report), as_json=click.get_current_context().params["wants_json"])
        click.echo(f"共 {report.faults.count} 处问题，没有写入任何内容", err=True)
        raise click.exceptions.Exit(1)
    return Note("检查通过，没有写入" if dry_run else "导入完成", **_counts(report))


def faults_sheet(report: Report) -> Sheet:
    """Every fault that is told, as rows."""
    return Sheet(HEADINGS, [vars(fault) for fault in report.faults])


def _counts(report: Report) -> dict[str, object]:
    return {sheet: {"新增": each.new, "更新": each.changed, "未变": each.same} for sheet, each in report.counts.items()}


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """A bar a sheet on stderr, for a person who waits; nothing where nobody looks."""
    from rich.console import Console  # noqa: PLC0415 - the help text need not wait for it
    from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        bars: dict[str, tuple[object, int]] = {}

        def tick(sheet: str) -> None:
            bar, count = bars.get(sheet) or (progress.add_task(sheet, total=None), 0)
            bars[sheet] = (bar, count + 1)
            if count % 500 == 0:
                progress.update(bar, completed=count + 1)  # type: ignore[arg-type]

        yield tick
