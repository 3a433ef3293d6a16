"""Reference lots out of a workbook or CSV: all or nothing, faults by row and column, approved by another."""

import csv
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from flask import Flask
from python_calamine import CalamineWorkbook

from app.domain.pricing import actions as pricing
from app.domain.pricing.queries.register import references
from app.domain.staff.rules import NotPermitted
from app.jobs.importing.loading import Report
from app.jobs.importing.references import REFERENCES, import_references
from app.jobs.importing.template import write_template
from tests.commands import run
from tests.world import paper, price_officers, reference, staff

pytestmark = pytest.mark.usefixtures("evening")
ROW = ["示例路泊位", "示例价〔2026〕1号", 30.25, 120.15, "GCJ-02", "HZ-ROAD-1", "2026-01-01", ""]


def but(**cells: Any) -> list[Any]:
    names = [column.name for column in REFERENCES.columns]
    return [cells.get(name, cell) for name, cell in zip(names, ROW, strict=True)]


def sheet(folder: Path, *rows: list[Any]) -> Path:
    path = folder / "参照停车场.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([[column.heading for column in REFERENCES.columns], *rows])
    return path


def imported(folder: Path, *rows: list[Any], dry_run: bool = False) -> Report:
    return import_references(price_officers()[0], [sheet(folder, *rows)], paper(), dry_run=dry_run)


def faults(report: Report) -> list[tuple[int, str, str]]:
    return [(each.row, each.column, each.code) for each in report.faults]


def test_rows_become_proposals_on_one_document_for_another_officer_to_approve(tmp_path: Path) -> None:
    report = imported(tmp_path, ROW, but(name="示例医院停车场", tariff="HZ-XIAOSHAN-HOSP-1", valid_until="2027-01-01"))
    assert (faults(report), report.counts["参照停车场"].new) == ([], 2)
    rows = references(price_officers()[1])
    assert {row.state for row in rows} == {"proposed"}
    assert len({row.sha256 for row in rows}) == 1
    for row in rows:
        pricing.approve_reference(price_officers()[1], row.key)


def test_the_same_file_again_changes_nothing_and_a_new_tariff_is_a_change(tmp_path: Path) -> None:
    imported(tmp_path, ROW)
    pricing.approve_reference(price_officers()[1], references(price_officers()[1])[0].key)
    assert imported(tmp_path, ROW).counts["参照停车场"].same == 1
    changed = imported(tmp_path, but(tariff="HZ-ROAD-2", valid_from="2026-09-01"))
    assert changed.counts["参照停车场"].changed == 1
    assert [row.state for row in references(price_officers()[0])] == ["proposed", "approved"]
    assert faults(imported(tmp_path, ROW)) == [(2, "名称", "reference_in_the_making")]


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        ({"name": ""}, (2, "名称", "cell_empty")),
        ({"latitude": 120.15, "longitude": 30.25}, (2, "纬度", "degrees_out_of_range")),
        ({"latitude": 39.9}, (2, "纬度", "outside_hangzhou")),
        ({"datum": "BD-09"}, (2, "坐标系", "not_a_choice")),
        ({"tariff": "没有的标准"}, (2, "收费标准", "tariff_unknown")),
        ({"valid_from": "去年"}, (2, "生效日期", "not_a_day")),
        ({"valid_until": "2025-01-01"}, (2, "失效日期", "ends_before_it_begins")),
    ],
)
def test_each_fault_is_told_with_its_place_and_nothing_is_written(
    tmp_path: Path, cells: dict[str, Any], fault: tuple[int, str, str]
) -> None:
    report = imported(tmp_path, but(**cells), but(name="示例二"))
    assert faults(report) == [fault]
    assert references(price_officers()[0]) == []


def test_a_dry_run_and_a_row_told_twice_write_nothing(tmp_path: Path) -> None:
    assert imported(tmp_path, ROW, dry_run=True).counts["参照停车场"].new == 1
    assert faults(imported(tmp_path, ROW, ROW)) == [(3, "名称", "row_twice")]
    assert references(price_officers()[0]) == []


def test_a_workbook_of_the_template_is_read_and_other_files_are_not(tmp_path: Path, evening: datetime) -> None:
    empty = tmp_path / "template.xlsx"
    write_template(empty, [REFERENCES])
    with CalamineWorkbook.from_path(empty) as book:
        assert book.sheet_names == ["填写说明", "参照停车场"]
    filled = tmp_path / "filled.xlsx"
    with xlsxwriter.Workbook(str(filled)) as made:
        page = made.add_worksheet("参照停车场")
        page.write_row(0, 0, [f"{column.heading}*" for column in REFERENCES.columns])
        page.write_row(1, 0, ROW[:6])
        as_date = made.add_format({"num_format": "yyyy-mm-dd"})
        page.write_datetime(1, 6, datetime(2026, 1, 1), as_date)  # noqa: DTZ001 - a spreadsheet's date has no zone
    report = import_references(price_officers()[0], [filled], paper(), dry_run=False)
    assert (faults(report), report.counts["参照停车场"].new) == ([], 1)
    with pytest.raises(NotPermitted):
        import_references(staff("regulator"), [filled], paper(), dry_run=False)


def test_the_command_tells_faults_and_exits_with_1(app: Flask, tmp_path: Path) -> None:
    document = tmp_path / "批复.pdf"
    document.write_bytes(b"%PDF-1.7 x")
    words = ("reference-lots", "import", sheet(tmp_path, but(tariff="?")), "--paper", document)
    result = run(app, price_officers()[0], *words)
    assert (result.exit_code, "tariff_unknown" in result.stdout) == (1, True)
    well = run(app, price_officers()[0], *words[:2], sheet(tmp_path, ROW), "--paper", document, "--dry-run")
    assert (well.exit_code, references(price_officers()[0])) == (0, [])
    assert reference().version == 1
