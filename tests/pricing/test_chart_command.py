"""`tariff chart`: the picture shows each change at its second, and where a price is above the cap."""

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from click.testing import CliRunner, Result

from app.domain.pricing.rules import Tariff, no_day_classes
from app.domain.pricing.rules.proofs.curves import fee_curve
from app.jobs.commands.tariffs import tariff
from app.jobs.commands.tariffs.fee_curves import Step, excesses, steps_of
from tests.pricing.small_tariffs import all_day, free_time, parameters, stepped

SVG = "{http://www.w3.org/2000/svg}"


def draw(folder: Path, own: dict[str, Any], *words: str, against: dict[str, Any] | None = None) -> Result:
    (folder / "own.json").write_text(json.dumps(own))
    (folder / "cap.json").write_text(json.dumps(against or own))
    more = ["--against", str(folder / "cap.json")] if against else []
    return CliRunner().invoke(
        tariff,
        ["chart", str(folder / "own.json"), "-o", str(folder / "fee.svg"), *more, *words],
        catch_exceptions=False,
    )


def picture(folder: Path) -> ET.Element:
    return ET.parse(folder / "fee.svg").getroot()  # noqa: S314 - our own file


def told(drawn: ET.Element) -> list[str]:
    return [str(text.text) for text in drawn.iter(f"{SVG}text")]


def test_a_step_line_rises_at_the_second_at_which_the_fee_does(tmp_path: Path) -> None:
    done = draw(tmp_path, parameters(all_day(stepped(400)), free=free_time(15)), "--hours", "2")
    assert (done.exit_code, done.output) == (0, "")
    (line,) = [str(path.get("d")) for path in picture(tmp_path).iter(f"{SVG}path")]
    assert re.findall("[A-Z]", line) == ["M", "H", "V", "H", "V", "H"]
    assert f"H{76 + 800 * 901 / 7200:.2f} V" in line
    assert f"H{76 + 800 * 3601 / 7200:.2f} V" in line


def test_a_picture_has_a_panel_for_each_entry_with_chinese_axes(tmp_path: Path) -> None:
    entries = ["--entry", "2026-06-01 09:00", "--entry", "2026-06-06 18:30"]
    draw(tmp_path, parameters(all_day(stepped(400))), *entries, against=parameters(all_day(stepped(500))))
    words = told(picture(tmp_path))
    assert "入场 2026-06-01 09:00（周一）" in words
    assert "入场 2026-06-06 18:30（周六）" in words
    assert words.count("停车时长（小时）") == words.count("费用（元）") == 2
    assert "上限（周围政府定价停车场）" in words


def shaded(folder: Path) -> int:
    return len([each for each in picture(folder).iter(f"{SVG}rect") if each.get("fill-opacity")])


def test_what_lies_above_the_cap_is_shaded(tmp_path: Path) -> None:
    draw(tmp_path, parameters(all_day(stepped(400))), against=parameters(all_day(stepped(500))))
    assert shaded(tmp_path) == 1  # the legend alone
    draw(tmp_path, parameters(all_day(stepped(500))), against=parameters(all_day(stepped(400))))
    assert shaded(tmp_path) == 2


def test_where_there_is_no_price_there_is_no_line(tmp_path: Path) -> None:
    draw(tmp_path, parameters(all_day(stepped(400)), longest_stay_min=60), "--hours", "2")
    (line,) = [str(path.get("d")) for path in picture(tmp_path).iter(f"{SVG}path")]
    assert line.endswith(f"H{76 + 800 * 3601 / 7200:.2f}")


def test_a_year_without_calendar_is_refused_where_the_day_class_decides(tmp_path: Path) -> None:
    rule = {"workday": {"kind": "workday"}, "off": {"otherwise": True}}
    bands = [all_day(stepped(400), [name], name) for name in rule]
    by_class = parameters(*bands, day_class_rule=rule)
    done = draw(tmp_path, by_class, "--entry", "2027-06-01 09:00")
    assert (done.exit_code, done.stderr.split(":")[0]) == (1, "calendar_year_missing")


def test_a_fee_that_is_dear_for_one_minute_alone_is_drawn(tmp_path: Path) -> None:
    """A table with a dear row of one minute, cheaper before and after."""
    rows = [{"up_to_min": 1, "fen": 100}, {"up_to_min": 2, "fen": 900}, {"up_to_min": 600, "fen": 100}]
    table = parameters(all_day({"method": "table_of_totals", "table": rows}))
    draw(tmp_path, table, "--hours", "1")
    (line,) = [str(path.get("d")) for path in picture(tmp_path).iter(f"{SVG}path")]
    assert f"H{76 + 800 * 61 / 3600:.2f} V" in line
    assert f"H{76 + 800 * 121 / 3600:.2f} V" in line


def test_a_curve_counts_from_the_entry_and_asks_the_plate_cap_too() -> None:
    told = parameters(all_day(stepped(100, 10)), plate_cap={"kind": "calendar_day", "fen": 250})
    curve = fee_curve(Tariff.load(told), 23 * 3600 + 59 * 60 + 30, 3600, "small", no_day_classes)
    assert steps_of(curve, 3600) == [Step(0, 0), Step(1, 100), Step(601, 200), Step(1201, 250)]
    assert steps_of(curve, 601) == [Step(0, 0), Step(1, 100), Step(601, 200)]


def test_spans_above_the_cap_that_touch_are_one() -> None:
    own, cap = [Step(0, 0), Step(10, 5), Step(20, 9), Step(40, None)], [Step(0, 0), Step(15, 4), Step(30, 9)]
    assert excesses(own, cap, 60) == [(10, 30)]


def test_a_picture_that_cannot_be_written_is_told_without_a_traceback(tmp_path: Path) -> None:
    done = draw(tmp_path, parameters(all_day(stepped(400))), "--hours", "2", "-o", str(tmp_path / "none" / "fee.svg"))
    assert done.exit_code == 1
    assert "none/fee.svg" in done.stderr
