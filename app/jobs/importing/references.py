"""Reference lots out of a workbook or a CSV file: proposed all or nothing, to be approved by another price officer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select

from app.domain.pricing.actions import NewReference, propose_references_told, store_tariff
from app.domain.pricing.models import ReferenceLot, ReferenceVersion, TariffVersion
from app.domain.pricing.published import names, read
from app.domain.staff.rules import Actor, reach
from app.jobs.importing.cells import day, text
from app.jobs.importing.checking import rows_of
from app.jobs.importing.faults import Fault, Faults
from app.jobs.importing.loading import Report, Tick, stand_or_fall
from app.jobs.importing.points import hangzhou_point
from app.jobs.importing.reading import Source, opened
from app.jobs.importing.register import Counts
from app.jobs.importing.sheets import POINT, Column, Row, Sheet, heading_of
from app.kernel.clock import SHANGHAI
from app.kernel.db import current
from app.kernel.files import Paper
from app.kernel.spans import span

REFERENCES: Final = Sheet(
    "参照停车场",
    (
        Column("名称", "name", text(80), "示例路道路泊位", hint="政府定价管理停车场的名称"),
        Column("批准文号", "approval", text(80), "示例价〔2026〕1号"),
        *POINT,
        Column("收费标准", "tariff", text(80), "HZ-ROAD-1", hint=f"已存收费标准的名称，或：{'、'.join(names())}"),
        Column("生效日期", "valid_from", day, "2026-01-01"),
        Column("失效日期", "valid_until", day, "", required=False, hint="不含当日；长期有效则不填"),
    ),
    ("name",),
)


def import_references(
    by: Actor, paths: Sequence[Path], paper: Paper, *, dry_run: bool, tick: Tick = lambda _sheet: None
) -> Report:
    """Propose what a file tells of reference lots, on one document, all or nothing (N3.3).

    A known lot that is told otherwise becomes a change from its new date on; what is known and the same stays. Refuses
    `NotPermitted`, `FileUnreadable`, `FileNotRecognised`, `FileRefused`; every other fault is told in the report.
    """
    reach(by, "pricing.propose_reference")
    report = Report({}, Faults(), dry_run)
    with opened(paths, [REFERENCES.title]) as source:
        stand_or_fall(report, lambda: _load(by, source, paper, report, tick))
    return report


def _load(by: Actor, source: Source, paper: Paper, report: Report, tick: Tick) -> None:
    title = REFERENCES.title
    if title not in source:
        report.faults.add(Fault("", 0, "", "sheets_missing", f"文件中没有可识别的工作表（{title}）"))
        return
    rows = rows_of(REFERENCES, source[title], report.faults, lambda: tick(title), lambda _title, _row: None)
    counts = report.counts[title] = Counts()
    told = list(_told(by, rows, report.faults, counts))
    if told and not report.faults:
        propose_references_told(by, told, paper)


def _told(by: Actor, rows: Iterator[tuple[int, Row]], faults: Faults, counts: Counts) -> Iterator[NewReference]:
    known = _Known(by)
    for number, row in rows:
        told = _read(known, row, number, faults)
        if told is None:
            continue
        version = known.versions.get(told.name)
        if version is None:
            counts.new += 1
            yield told
        elif _says_the_same(version, told):
            counts.same += 1
        elif version.state == "proposed":
            _blame(number, "name", "reference_in_the_making", "该参照已有待审批的版本，请先审批", faults)
        else:
            counts.changed += 1
            yield told


@dataclass
class _Known:
    """The register's newest version of each lot, and the tariffs that are stored."""

    by: Actor

    def __post_init__(self) -> None:
        newest = (
            select(ReferenceLot.name, ReferenceVersion)
            .join(ReferenceVersion, ReferenceVersion.reference_id == ReferenceLot.id)
            .where(ReferenceVersion.state.in_(("approved", "proposed")))
            .order_by(ReferenceVersion.version)
        )
        self.versions: dict[str, ReferenceVersion] = {row[0]: row[1] for row in current().execute(newest)}
        stored = current().execute(select(TariffVersion.name, TariffVersion.id))
        self.tariffs: dict[str, int] = {row[0]: row[1] for row in stored}

    def tariff(self, called: str) -> int | None:
        """The stored tariff of this name; a published one by its id, which is stored when first asked for."""
        if called in self.tariffs:
            return self.tariffs[called]
        if called not in names():
            return None
        published = read(called)
        title = f"{published.lot_or_zone}（{published.id}）"
        if title not in self.tariffs:
            kept = store_tariff(title, published.document, published.parameters, self.by.label)
            self.tariffs[title] = kept.id
        return self.tariffs[title]


def _read(known: _Known, row: Row, number: int, faults: Faults) -> NewReference | None:
    point = hangzhou_point(REFERENCES, row, number, faults)
    tariff_id = known.tariff(row["tariff"])
    begins_at, ends_at = _midnight(row["valid_from"]), _midnight(row["valid_until"])
    if tariff_id is None:
        _blame(number, "tariff", "tariff_unknown", "没有此收费标准，请先入库或改用内置编号", faults)
    if ends_at is not None and begins_at is not None and ends_at <= begins_at:
        _blame(number, "valid_until", "ends_before_it_begins", "失效日期须晚于生效日期", faults)
        return None
    if point is None or tariff_id is None:
        return None
    return NewReference(
        row["name"], row["approval"], tariff_id, span(begins_at, ends_at), (point.latitude, point.longitude)
    )  # fmt: skip


def _midnight(of: date | None) -> Any:
    return None if of is None else datetime.combine(of, time(), SHANGHAI)


def _says_the_same(version: ReferenceVersion, told: NewReference) -> bool:
    known = (version.approval, version.tariff_id, version.valid.lower, version.valid.upper)
    near = told.point is not None and all(
        abs((one or 0) - other) < 1e-6  # noqa: PLR2004 - degrees
        for one, other in zip((version.latitude, version.longitude), told.point, strict=True)
    )
    return near and known == (told.approval, told.tariff_id, told.valid.lower, told.valid.upper)


def _blame(number: int, name: str, code: str, message: str, faults: Faults) -> None:
    faults.add(Fault(REFERENCES.title, number, heading_of(REFERENCES, name), code, message))
