"""The import of a city, as a person starts it: one command, its time and its largest memory."""

import csv
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import wsgi
from app.domain.staff.actions import found_administrator
from app.domain.units.actions import know_districts
from app.domain.units.rules import sample_credit_code
from app.jobs.importing.sheets import BAYS, LOTS, UNITS, Sheet
from app.settings import Settings
from bench import alone
from bench.ground import Ground, ground
from bench.results import tell

BAYS_EACH: Final = 40
LOGIN, PASSWORD = "bench", "a long and plain sentence"


def measure(lots: int) -> None:
    """One line: seconds and megabytes for so many units with a lot of forty bays each, out of CSV files."""
    with ground() as stand:
        app = wsgi.create_app(Settings.from_environment(stand.environment))
        with app.app_context():
            know_districts()
            found_administrator(LOGIN, "示例", PASSWORD)
            app.extensions["sqlalchemy"].engine.dispose()
        files = [_written(stand.folder, sheet, rows) for sheet, rows in _city(lots)]
        seconds, peak_mb = _run(stand, files)
    tell(
        "import_city", {"seconds": seconds, "peak_mb": peak_mb},
        "seconds of the whole command, and the most memory that it held",
        lots=lots, bays=lots * BAYS_EACH,
    )  # fmt: skip


def _run(stand: Ground, files: list[Path]) -> tuple[float, float]:
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "import", "city", *map(str, files), "--as", LOGIN]
    environment = {**stand.environment, "GONGBO_PASSWORD": PASSWORD}
    began = time.perf_counter()
    peak_mb = alone.run(command, environment).peak_mb
    return time.perf_counter() - began, peak_mb


def _written(folder: Path, sheet: Sheet, rows: Iterator[list[Any]]) -> Path:
    path = folder / f"{sheet.title}.csv"
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([column.heading for column in sheet.columns])
        writer.writerows(rows)
    return path


def _city(lots: int) -> Iterator[tuple[Sheet, Iterator[list[Any]]]]:
    codes = [sample_credit_code("organ", number) for number in range(lots)]
    office = ["09:00", "17:30"]
    yield UNITS, ([code, f"示例单位{n}", "机关", "区级", "西湖区", "区县", "", *office] for n, code in enumerate(codes))
    yield (
        LOTS,
        (
            [code, "示例停车场", f"示例路{n}号", *_point(n), "GCJ-02", "一般区域", 3 * BAYS_EACH, 4, 2, 210, ""]
            for n, code in enumerate(codes)
        ),
    )
    yield (
        BAYS,
        ([code, "示例停车场", f"A{bay:03d}", "A", "普通", "是"] for code in codes for bay in range(1, BAYS_EACH + 1)),
    )


def _point(number: int) -> tuple[float, float]:
    return 30.1 + number % 100 / 500, 120.0 + number // 100 / 500
