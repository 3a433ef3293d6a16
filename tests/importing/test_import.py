"""A city out of a workbook or CSV files: every fault told with its place, all or nothing, safe to repeat."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from flask import Flask
from python_calamine import CalamineWorkbook
from sqlalchemy import func, select

from app.domain.lots.models import Bay, Entrance, Lot, LotStep
from app.domain.lots.rules import LOT as MACHINE
from app.domain.staff.rules import Actor
from app.domain.units.models import Unit
from app.domain.units.rules import sample_credit_code
from app.jobs.importing.faults import Fault
from app.jobs.importing.loading import Report, import_city
from app.jobs.importing.sheets import BAYS, ENTRANCES, LOTS, SHEETS, UNITS, Sheet
from app.jobs.importing.template import write_template
from app.kernel.db import transaction
from app.kernel.refusals import NotAllowed
from tests.commands import run
from tests.ground import Addresses
from tests.world import staff

CODE = sample_credit_code("organ", 1)
UNIT = [CODE, "示例单位甲", "机关", "区级", "西湖区", "区县", "", "09:00", "17:30"]
LOT = [CODE, "示例停车场", "示例路1号", 30.27, 120.15, "GCJ-02", "一般区域", 10, 2, 1, 210, ""]
ENTRANCE = [CODE, "示例停车场", "东门", 30.2701, 120.1501, "GCJ-02", "出入口"]
Rows = Mapping[str, Sequence[Sequence[Any]]]


def bay(number: int, shared: str = "是") -> list[Any]:
    return [CODE, "示例停车场", f"A{number:03d}", "A", "普通", shared]


def a_city(**others: Sequence[Sequence[Any]]) -> Rows:
    return {
        UNITS.title: [UNIT], LOTS.title: [LOT], BAYS.title: [bay(n) for n in range(1, 5)], ENTRANCES.title: [ENTRANCE],
        **others,
    }  # fmt: skip


def but(row: Sequence[Any], sheet: Sheet, **cells: Any) -> list[Any]:
    """The row with other cells, by the columns' names."""
    names = [column.name for column in sheet.columns]
    return [cells.get(name, cell) for name, cell in zip(names, row, strict=True)]


def workbook(folder: Path, rows: Rows) -> Path:
    path = folder / "city.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        for sheet in SHEETS:
            if sheet.title in rows:
                page = book.add_worksheet(sheet.title)
                page.write_row(0, 0, [column.heading for column in sheet.columns])
                for place, row in enumerate(rows[sheet.title], 1):
                    page.write_row(place, 0, row)
    return path


@pytest.fixture
def by(database: Addresses) -> Actor:
    return staff("regulator", login="lin")


def imported(by: Actor, folder: Path, rows: Rows, *, dry_run: bool = False) -> Report:
    return import_city(by, [workbook(folder, rows)], dry_run=dry_run)


def faults(by: Actor, folder: Path, rows: Rows) -> list[tuple[str, int, str, str]]:
    report = imported(by, folder, rows)
    assert count(Unit) == count(Lot) == count(Bay) == 0, "nothing is written"
    return [(each.sheet, each.row, each.column, each.code) for each in report.faults]


def count(model: type[Any]) -> int:
    with transaction() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def counts(report: Report) -> dict[str, tuple[int, int, int]]:
    assert list(report.faults) == []
    return {sheet: (each.new, each.changed, each.same) for sheet, each in report.counts.items()}


def test_a_workbook_becomes_units_drafts_bays_and_entrances(by: Actor, tmp_path: Path) -> None:
    report = imported(by, tmp_path, a_city())
    assert counts(report) == {"开放单位": (1, 0, 0), "停车场": (1, 0, 0), "泊位": (4, 0, 0), "出入口": (1, 0, 0)}
    with transaction() as session:
        lot = session.scalars(select(Lot)).one()
        assert (lot.state, lot.total_bays, lot.shared_chargers, lot.height_limit_cm) == ("draft", 10, 1, 210)
        assert session.scalars(select(LotStep.by_account)).all() == [by.account_id]
        assert session.scalars(select(Entrance.direction)).all() == ["both"]


def test_the_same_file_again_changes_nothing(by: Actor, tmp_path: Path) -> None:
    imported(by, tmp_path, a_city())
    again = counts(imported(by, tmp_path, a_city()))
    assert again == {"开放单位": (0, 0, 1), "停车场": (0, 0, 1), "泊位": (0, 0, 4), "出入口": (0, 0, 1)}
    assert (count(Unit), count(Lot), count(Bay)) == (1, 1, 4)


def test_a_draft_is_brought_up_to_the_file(by: Actor, tmp_path: Path) -> None:
    imported(by, tmp_path, a_city())
    other = a_city(停车场=[but(LOT, LOTS, address="示例路2号")], 泊位=[bay(1, "否"), bay(2), bay(5)])
    told = counts(imported(by, tmp_path, other))
    assert (told["停车场"], told["泊位"]) == ((0, 1, 0), (1, 1, 1))
    with transaction() as session:
        assert session.scalars(select(Lot.address)).one() == "示例路2号"
        assert session.scalars(select(Bay.number).where(Bay.shared).order_by(Bay.number)).all() == [
            "A002", "A003", "A004", "A005",
        ]  # fmt: skip


def test_what_people_have_submitted_is_not_changed_by_a_file(by: Actor, tmp_path: Path) -> None:
    imported(by, tmp_path, a_city())
    with transaction() as session:
        MACHINE.move(session.scalars(select(Lot)).one(), "withdraw", "test")
    report = imported(by, tmp_path, a_city(停车场=[but(LOT, LOTS, address="示例路2号")], 泊位=[bay(1), bay(9)]))
    assert [each.code for each in report.faults] == ["lot_differs", "bay_differs"]
    with transaction() as session:
        assert session.scalars(select(Lot.address)).one() == "示例路1号"


def test_a_dry_run_tells_what_would_be_and_writes_nothing(by: Actor, tmp_path: Path) -> None:
    report = imported(by, tmp_path, a_city(), dry_run=True)
    assert counts(report)["泊位"] == (4, 0, 0)
    assert count(Unit) == count(Lot) == count(Bay) == 0


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ({"开放单位": [but(UNIT, UNITS, kind="公司")]}, ("开放单位", 2, "单位性质", "not_a_choice")),
        ({"开放单位": [but(UNIT, UNITS, district_code="上海")]}, ("开放单位", 2, "所在区县", "district_unknown")),
        ({"开放单位": [but(UNIT, UNITS, office_begins="九点")]}, ("开放单位", 2, "上班时间", "not_a_time")),
        ({"开放单位": [but(UNIT, UNITS, name="")]}, ("开放单位", 2, "单位名称", "cell_empty")),
        (
            {"开放单位": [but(UNIT, UNITS, authority="国资委")]},
            ("开放单位", 2, "主管部门类别", "authority_does_not_fit"),
        ),
        ({"开放单位": [UNIT, UNIT]}, ("开放单位", 3, "统一社会信用代码", "row_twice")),
        ({"停车场": [but(LOT, LOTS, latitude=120.15, longitude=30.27)]}, ("停车场", 2, "纬度", "degrees_out_of_range")),
        ({"停车场": [but(LOT, LOTS, latitude=31.2, longitude=121.4)]}, ("停车场", 2, "纬度", "outside_hangzhou")),
        ({"停车场": [but(LOT, LOTS, datum="BD-09")]}, ("停车场", 2, "坐标系", "not_a_choice")),
        ({"停车场": [but(LOT, LOTS, total_bays=2.5)]}, ("停车场", 2, "泊位总数", "not_a_whole_number")),
        ({"停车场": [but(LOT, LOTS, shared_chargers=3)]}, ("停车场", 2, "开放充电桩数", "too_many_chargers")),
        ({"泊位": [[*bay(1)[:4], "飞机", "是"]]}, ("泊位", 2, "泊位类型", "not_a_choice")),
        ({"泊位": [bay(1, "也许")]}, ("泊位", 2, "是否开放", "not_yes_or_no")),
        ({"泊位": [bay(1), bay(2), bay(1)]}, ("泊位", 4, "泊位编号", "row_twice")),
        ({"泊位": [[CODE, "别的停车场", "A001", "A", "普通", "是"]]}, ("泊位", 2, "停车场名称", "lot_unknown")),
        ({"泊位": [bay(n) for n in range(1, 12)]}, ("泊位", 12, "泊位编号", "too_many_bays")),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_sheet_row_and_column_and_nothing_is_written(
    by: Actor, tmp_path: Path, rows: Rows, told: tuple[str, int, str, str]
) -> None:
    assert faults(by, tmp_path, a_city(**rows)) == [told], "and what hangs on the faulty row is not blamed too"


def test_a_wrong_check_digit_is_told_first_and_then_what_names_the_right_code(by: Actor, tmp_path: Path) -> None:
    rows = a_city(开放单位=[but(UNIT, UNITS, credit_code=CODE[:-1] + ("X" if CODE[-1] != "X" else "Y"))])
    told = faults(by, tmp_path, rows)
    assert told[0] == ("开放单位", 2, "统一社会信用代码", "credit_code_wrong")
    assert told[1] == ("停车场", 2, "统一社会信用代码", "unit_unknown")


def test_all_faults_are_told_at_once(by: Actor, tmp_path: Path) -> None:
    rows = a_city(停车场=[but(LOT, LOTS, total_bays=0, area="郊区")], 泊位=[bay(1, ""), bay(2, "也许")])
    assert [code for *_, code in faults(by, tmp_path, rows)] == [
        "not_a_choice", "number_out_of_range", "cell_empty", "not_yes_or_no",
    ]  # fmt: skip


def test_a_missing_column_and_an_unknown_one_are_told(by: Actor, tmp_path: Path) -> None:
    path = tmp_path / "泊位.csv"
    path.write_text("停车场名称,泊位编号,分区,泊位类型,是否开放,颜色\n", encoding="utf-8")
    report = import_city(by, [path], dry_run=False)
    assert [(each.column, each.code) for each in report.faults] == [
        ("统一社会信用代码", "column_missing"), ("颜色", "column_unknown"),
    ]  # fmt: skip


def test_a_file_without_any_known_sheet_is_a_fault(by: Actor, tmp_path: Path) -> None:
    path = tmp_path / "other.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        book.add_worksheet("别的")
    assert [each.code for each in import_city(by, [path], dry_run=False).faults] == ["sheets_missing"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8", "gb18030"])
def test_csv_files_named_as_the_sheets_do_the_same(by: Actor, tmp_path: Path, encoding: str) -> None:
    paths = []
    for sheet in (UNITS, LOTS, BAYS):
        path = tmp_path / f"{sheet.title}.csv"
        with path.open("w", encoding=encoding, newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow([column.heading for column in sheet.columns])
            writer.writerows(a_city()[sheet.title])
        paths.append(path)
    assert counts(import_city(by, paths, dry_run=False))["泊位"] == (4, 0, 0)


@pytest.mark.parametrize(
    ("name", "code"), [("city.xlsx", "import_file_unreadable"), ("a.csv", "import_file_not_recognised")]
)
def test_a_file_that_is_none_is_refused(app: Flask, by: Actor, tmp_path: Path, name: str, code: str) -> None:
    (tmp_path / name).write_bytes(b"\xff\xfe nothing")
    ended = run(app, by, "import", "city", tmp_path / name)
    assert ended.exit_code == 1
    assert ended.stderr.startswith(code)


def test_wgs_84_points_are_converted(by: Actor, tmp_path: Path) -> None:
    imported(by, tmp_path, a_city(停车场=[but(LOT, LOTS, datum="WGS-84")]))
    with transaction() as session:
        lot = session.scalars(select(Lot)).one()
    assert 0.001 < abs(lot.latitude - 30.27) + abs(lot.longitude - 120.15) < 0.02


def test_a_districts_regulator_imports_units_of_the_district_only(database: Addresses, tmp_path: Path) -> None:
    other = staff("regulator", district_code="330102")
    report = imported(other, tmp_path, a_city())
    assert [each.code for each in report.faults] == ["out_of_reach"]
    own = staff("regulator", district_code="330106")
    assert counts(imported(own, tmp_path, a_city()))["开放单位"] == (1, 0, 0)


def test_a_units_own_people_import_nothing(database: Addresses, tmp_path: Path) -> None:
    with pytest.raises(NotAllowed):
        imported(staff("price_officer"), tmp_path, a_city())


def test_the_template_has_every_column_and_imports_as_an_empty_city(by: Actor, tmp_path: Path) -> None:
    path = tmp_path / "template.xlsx"
    write_template(path)
    with CalamineWorkbook.from_path(path) as book:
        assert book.sheet_names == ["填写说明", *(sheet.title for sheet in SHEETS)]
    assert counts(import_city(by, [path], dry_run=False)) == {sheet.title: (0, 0, 0) for sheet in SHEETS}


def test_the_command_tells_faults_as_a_table_or_as_json(app: Flask, by: Actor, tmp_path: Path) -> None:
    path = workbook(tmp_path, a_city(泊位=[bay(1, "也许")]))
    ended = run(app, by, "import", "city", path, "--json")
    assert ended.exit_code == 1
    fault = Fault("泊位", 2, "是否开放", "not_yes_or_no", "应为：是、否")
    assert json.loads(ended.stdout) == [vars(fault)]
    assert "没有写入" in ended.stderr


def test_the_command_imports(app: Flask, by: Actor, tmp_path: Path) -> None:
    ended = run(app, by, "import", "city", workbook(tmp_path, a_city()))
    assert ended.exit_code == 0, ended.output
    assert count(Bay) == 4


def csv_of(folder: Path, sheet: Sheet, rows: Sequence[Sequence[Any]]) -> Path:
    path = folder / f"{sheet.title}.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        csv.writer(stream).writerows([[column.heading for column in sheet.columns], *rows])
    return path


@pytest.mark.parametrize(
    ("sheet", "row", "code"),
    [
        (LOTS, but(LOT, LOTS, lot="示例新停车场"), "unit_unknown"),
        (LOTS, but(LOT, LOTS, address="示例路9号"), "unit_unknown"),
        (BAYS, bay(9), "lot_unknown"),
        (ENTRANCES, but(ENTRANCE, ENTRANCES, direction="入口"), "lot_unknown"),
    ],
)
def test_a_districts_regulator_touches_nothing_of_a_unit_elsewhere(
    by: Actor, tmp_path: Path, sheet: Sheet, row: list[Any], code: str
) -> None:
    imported(by, tmp_path, a_city())
    other = staff("regulator", district_code="330102")
    report = import_city(other, [csv_of(tmp_path, sheet, [row])], dry_run=False)
    assert [each.code for each in report.faults] == [code]


def test_a_lot_that_would_have_fewer_bays_than_are_known_is_a_fault(by: Actor, tmp_path: Path) -> None:
    imported(by, tmp_path, a_city())
    report = imported(by, tmp_path, a_city(停车场=[but(LOT, LOTS, total_bays=3)]))
    assert [(each.sheet, each.row, each.column, each.code) for each in report.faults] == [
        ("停车场", 2, "泊位总数", "fewer_bays_than_there_are")
    ]


def written_by_hand(folder: Path, write: Any) -> Path:
    """A workbook whose sheet of units somebody filled in otherwise than our template asks."""
    path = folder / "by_hand.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        page = book.add_worksheet(UNITS.title)
        page.write_row(0, 0, [column.heading for column in UNITS.columns])
        page.write_row(1, 0, UNIT)
        write(book, page)
    return path


@pytest.mark.parametrize(
    ("write", "told"),
    [
        (lambda _, page: page.write_formula(1, 1, '="示例单位"&"乙"', None, "示例单位乙"), []),
        (lambda _, page: page.write_formula(1, 1, '="示例单位"&"乙"', None, ""), [(2, "单位名称", "cell_empty")]),
        (lambda _, page: page.write_formula(1, 1, "=1/0", None, "#DIV/0!"), [(2, "单位名称", "cell_is_an_error")]),
        (lambda _, page: page.write_formula(1, 6, "=A9", None, "#REF!"), [(2, "主管部门名称", "cell_is_an_error")]),
        (lambda book, page: page.merge_range(1, 0, 2, 0, CODE, book.add_format()), []),
        (lambda _, page: page.write_row(4, 0, UNIT), [(5, "统一社会信用代码", "row_twice")]),
        (lambda _, page: page.write_string(1, 1, '=CMD("x")'), [(2, "单位名称", "text_is_a_formula")]),
        (lambda _, page: page.write_string(1, 1, "+86示例"), [(2, "单位名称", "text_is_a_formula")]),
        (lambda _, page: page.write_string(1, 1, "示例\x07单位"), [(2, "单位名称", "text_not_printable")]),
    ],
)  # fmt: skip
def test_what_people_do_with_spreadsheets_is_understood_or_told(
    by: Actor, tmp_path: Path, write: Any, told: list[tuple[int, str, str]]
) -> None:
    report = import_city(by, [written_by_hand(tmp_path, write)], dry_run=True)
    assert [(each.row, each.column, each.code) for each in report.faults] == told


def test_a_workbook_with_something_far_to_the_right_is_refused_before_it_fills_the_memory(
    app: Flask, by: Actor, tmp_path: Path
) -> None:
    path = written_by_hand(tmp_path, lambda _, page: page.write_string(1, 16_383, "示例"))
    assert run(app, by, "import", "city", path).stderr.startswith("import_sheet_too_wide")
    beside = written_by_hand(tmp_path, lambda _, page: page.write_string(1, 51, "示例"))
    assert import_city(by, [beside], dry_run=True).faults.count == 0


@pytest.mark.parametrize("name", ["城市.xls", "城市.ods", "城市"])
def test_a_file_of_another_kind_is_told_which_kinds_there_are(app: Flask, by: Actor, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
    ended = run(app, by, "import", "city", tmp_path / name)
    assert ended.stderr.startswith("import_file_not_recognised")
    assert "xlsx" in ended.stderr


def test_a_formula_that_came_to_nothing_is_told_where_a_cell_may_be_empty_too(by: Actor, tmp_path: Path) -> None:
    paths = [csv_of(tmp_path, UNITS, [UNIT]), csv_of(tmp_path, LOTS, [but(LOT, LOTS, height_limit_cm="#REF!")])]
    report = import_city(by, paths, dry_run=True)
    assert [(each.column, each.code) for each in report.faults] == [("限高（厘米）", "cell_is_an_error")]


def test_a_csv_file_that_ends_within_quotes_is_refused(app: Flask, by: Actor, tmp_path: Path) -> None:
    path = csv_of(tmp_path, UNITS, [UNIT])
    path.write_text(path.read_text(encoding="utf-8-sig") + '"示例', encoding="utf-8")
    assert run(app, by, "import", "city", path).stderr.startswith("import_file_unreadable")
