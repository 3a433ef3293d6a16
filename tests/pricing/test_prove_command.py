"""`tariff prove` from a terminal: no server, no account."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from app.jobs.commands import without_settings
from app.jobs.commands.tariffs import tariff
from app.settings import SettingsRefused
from tests.pricing.small_tariffs import all_day, parameters, stepped

ROOT = Path(__file__).resolve().parents[2]
COLLECTION = Path(__file__).parent / "tariffs.json"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "own.json").write_text(json.dumps(parameters(all_day(stepped(400)))))
    (tmp_path / "dear.json").write_text(json.dumps({"parameters": parameters(all_day(stepped(501)))}))
    (tmp_path / "reference.json").write_text(json.dumps(parameters(all_day(stepped(500)))))
    (tmp_path / "ill.json").write_text('{"bands": 1}')
    (tmp_path / "no.json").write_text("{")
    (tmp_path / "deep.json").write_text("[" * 100_000)
    (tmp_path / "twice.json").write_text('{"free": null, ' + (tmp_path / "own.json").read_text()[1:])
    (tmp_path / "anys.json").write_text(json.dumps(parameters(all_day(stepped(1)), day_class_rule=nested(300))))
    (tmp_path / "marked.json").write_text((tmp_path / "own.json").read_text(), encoding="utf-8-sig")
    return tmp_path


def nested(depth: int) -> dict[str, Any]:
    """A rule for days, one condition within the other."""
    condition: dict[str, Any] = {"weekdays": [7]}
    for _ in range(depth):
        condition = {"any": [condition]}
    return {"sunday": condition}


def prove(*words: object) -> Result:
    return CliRunner().invoke(tariff, ["prove", *map(str, words)])


def test_a_price_that_holds_ends_with_0(files: Path) -> None:
    done = prove(files / "own.json", "--against", files / "reference.json")
    assert (done.exit_code, done.stdout.startswith("通过")) == (0, True)


def test_one_that_does_not_ends_with_1_and_tells_the_worst_stay(files: Path) -> None:
    done = prove(files / "dear.json", "--against", files / "reference.json", "--json")
    told = json.loads(done.stdout)
    assert (done.exit_code, told["holds"], told["counterexample"]["excess_fen"]) == (1, False, 48)


def test_several_references_combine_by_the_rule_asked_for(files: Path) -> None:
    against = ("--against", files / "own.json", "--against", files / "dear.json")
    assert prove(files / "reference.json", *against).exit_code == 1
    assert prove(files / "reference.json", *against, "--combine", "highest").exit_code == 0


def test_one_record_of_a_collection_is_named_behind_a_colon() -> None:
    assert prove(f"{COLLECTION}:HZ-ROAD-2", "--against", f"{COLLECTION}:HZ-ROAD-1").exit_code == 0


def test_a_collection_named_without_an_id_is_told_how_to_name_one() -> None:
    done = prove(COLLECTION, "--against", f"{COLLECTION}:HZ-ROAD-1")
    assert done.exit_code == 2
    assert "FILE.json:ID" in done.stderr
    assert prove(f"{COLLECTION}:NONE", "--against", f"{COLLECTION}:HZ-ROAD-1").exit_code == 2


def test_a_file_without_others_to_hold_it_against_is_no_question(files: Path) -> None:
    done = prove(files / "own.json")
    assert done.exit_code == 2
    assert "--against" in done.stderr


@pytest.mark.parametrize("file", ["ill.json", "no.json", "none.json", "deep.json", "twice.json", "anys.json", "."])
def test_a_file_that_is_no_tariff_is_told_as_one(files: Path, file: str) -> None:
    done = prove(files / file, "--against", files / "own.json")
    assert done.exit_code == 2
    assert file in done.stderr


def test_a_file_may_begin_with_a_byte_order_mark(files: Path) -> None:
    assert prove(files / "marked.json", "--against", files / "own.json").exit_code == 0


def test_a_terminal_without_any_settings_can_prove_and_learns_what_other_commands_lack(files: Path) -> None:
    def flask(*words: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "flask", "--app", "wsgi", *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, check=False, env={}, cwd=ROOT)

    assert flask("tariff", "prove", files / "own.json", "--against", files / "reference.json").returncode == 0
    refused = flask("ledger")
    assert refused.returncode == 1
    assert "DATABASE_URL is missing" in refused.stderr


def test_a_lot_needs_the_platform_and_says_what_it_lacks() -> None:
    runner = without_settings(SettingsRefused(["DATABASE_URL is missing"])).test_cli_runner()
    done = runner.invoke(args=["tariff", "prove", "示例停车场", "--as", "lin"])
    assert str(done.exception) == "DATABASE_URL is missing"
