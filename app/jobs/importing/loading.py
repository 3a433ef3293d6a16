"""The import as a whole: sheet after sheet in one transaction, which stands only if no row has a fault."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import func, select, text

from app.domain.staff.rules import Actor, reach
from app.jobs.importing.bays import load_bays
from app.jobs.importing.checking import rows_of
from app.jobs.importing.entrances import load_entrances
from app.jobs.importing.faults import Fault, Faults
from app.jobs.importing.lots import load_lots
from app.jobs.importing.reading import Source, opened
from app.jobs.importing.register import Counts, Register
from app.jobs.importing.sheets import BAYS, ENTRANCES, LOTS, SHEETS, UNITS, Sheet
from app.jobs.importing.units import load_units
from app.kernel.db import current, transaction

Tick = Callable[[str], None]
"""Called with the sheet's title once for each row that was read."""

LOADERS: Final = {
    UNITS.title: load_units, LOTS.title: load_lots, ENTRANCES.title: load_entrances, BAYS.title: load_bays,
}  # fmt: skip
IN_ORDER: Final = (UNITS, LOTS, ENTRANCES, BAYS)


@dataclass(frozen=True)
class Report:
    """What an import did, or would do: rows by sheet that were new, changed or known already, and every fault."""

    counts: dict[str, Counts]
    faults: Faults
    dry_run: bool

    @property
    def is_written(self) -> bool:
        """Whether anything stands now that did not stand before."""
        return not self.faults and not self.dry_run


class _TakenBack(Exception):
    """Ends the transaction: nothing is to stand."""


def import_city(by: Actor, paths: Sequence[Path], *, dry_run: bool, tick: Tick = lambda _sheet: None) -> Report:
    """Write units, lots, entrances and bays from a workbook or CSV files, all or nothing (N2.1, N2.2.2).

    New lots are drafts. What is known already and the same stays as it is, so the same file may be imported again;
    a draft that differs is brought up to the file, anything else that differs is a fault. Refuses `NotPermitted`,
    `FileUnreadable`, `FileNotRecognised`; every other fault is told in the report.
    """
    reach(by, "lots.import")
    report = Report({}, Faults(), dry_run)
    with opened(paths) as source:
        stand_or_fall(report, lambda: _load(Register(by), source, report, tick))
    return report


def stand_or_fall(report: Report, load: Callable[[], None]) -> None:
    """Load in one transaction, alone and unhurried; nothing stands of it when there are faults, or in a dry run."""
    with suppress(_TakenBack), transaction():
        _alone_and_unhurried()
        load()
        if not report.is_written:
            raise _TakenBack


def _alone_and_unhurried() -> None:
    """One import at a time; a city takes longer than a request may."""
    current().execute(text("SET LOCAL statement_timeout = 0"))
    current().execute(text("SET LOCAL lock_timeout = 0"))
    current().execute(select(func.pg_advisory_xact_lock(func.hashtext("import_city"))))


def _load(register: Register, source: Source, report: Report, tick: Tick) -> None:
    if not source:
        titles = "、".join(sheet.title for sheet in SHEETS)
        report.faults.add(Fault("", 0, "", "sheets_missing", f"文件中没有可识别的工作表（{titles}）"))
    for sheet in IN_ORDER:
        if sheet.title in source:
            report.counts[sheet.title] = _load_sheet(sheet, register, source, report.faults, tick)


def _load_sheet(sheet: Sheet, register: Register, source: Source, faults: Faults, tick: Tick) -> Counts:
    rows = rows_of(sheet, source[sheet.title], faults, lambda: tick(sheet.title), register.lose)
    return LOADERS[sheet.title](register, rows, faults)
