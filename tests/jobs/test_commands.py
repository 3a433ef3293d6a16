"""The door of the commands: who acts, what is told, what is refused."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import click
import pytest
from flask import Flask

from app.domain.lots.models import Lot
from app.domain.staff.actions import open_account
from app.domain.staff.policy import POLICY
from app.domain.staff.rules import Actor
from app.domain.units.models import Unit
from app.jobs.commands import NOUNS, Later
from app.jobs.commands.answers import Note, Sheet, plain, tell, text
from app.jobs.commands.door import CLOCK, DAY, MOMENT, AmbiguousName, named
from app.kernel.db import transaction
from app.kernel.refusals import NotFound
from tests.commands import refused, run, told
from tests.ground import Addresses
from tests.world import PASSWORD, open_lot, shanghai, staff

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def administrator(database: Addresses) -> Actor:
    return staff("administrator", login="lin")


def real(name: str) -> click.Command:
    return Later(name, *NOUNS[name]).real()


def every_command() -> Iterator[tuple[str, click.Command]]:
    for name in NOUNS:
        command = real(name)
        if isinstance(command, click.Group):
            yield from ((f"{name} {verb}", each) for verb, each in command.commands.items())
        yield name, command


COMMANDS = list(every_command())


@pytest.mark.parametrize(("name", "command"), COMMANDS, ids=[name for name, _ in COMMANDS])
def test_every_command_explains_itself(name: str, command: click.Command) -> None:
    assert command.help
    if any(isinstance(parameter, click.Option) and parameter.name == "acting_as" for parameter in command.params):
        assert f"flask --app wsgi {name}" in command.help, "an example helps more than a list of options"


def test_the_list_of_commands_says_what_each_is_for(app: Flask) -> None:
    result = run(app, None, "--help")
    assert result.exit_code == 0
    assert all(name in result.stdout for name in NOUNS)


def test_a_command_that_is_not_called_is_not_loaded() -> None:
    look = "import sys, app.jobs.commands; print('app.jobs.commands.staff' in sys.modules, 'rich' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", look], cwd=ROOT, check=True, capture_output=True, text=True)
    assert answer.stdout.split() == ["False", "False"]


def test_whoever_acts_signs_in(app: Flask, administrator: Actor) -> None:
    assert [row["login"] for row in told(app, administrator, "staff", "list")] == ["founder", "lin"]


def test_a_wrong_password_is_refused_in_chinese_with_its_code(app: Flask, administrator: Actor) -> None:
    result = app.test_cli_runner().invoke(
        args=["staff", "list", "--as", "lin"], env={"GONGBO_PASSWORD": "not the password"}
    )
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("sign_in_refused: 账号或密码不正确")


def test_the_password_may_lie_in_a_file_and_the_account_in_the_environment(
    app: Flask, administrator: Actor, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n")
    result = app.test_cli_runner().invoke(
        args=["staff", "list", "--password-file", str(file)], env={"GONGBO_AS": "lin"}
    )
    assert result.exit_code == 0, result.output
    assert "登录名" in result.stdout
    assert "lin" in result.stdout


def test_without_a_password_and_a_terminal_the_command_says_how(app: Flask, administrator: Actor) -> None:
    result = app.test_cli_runner().invoke(args=["staff", "list", "--as", "lin"])
    assert result.exit_code == 2
    assert "GONGBO_PASSWORD" in result.stderr


def test_whoever_may_not_is_refused_with_details(app: Flask, administrator: Actor) -> None:
    result = run(app, staff("regulator"), "staff", "list")
    assert result.exit_code == 1
    assert result.stderr == "not_permitted: 您没有执行此操作的权限 {'action': 'staff.see_accounts'}\n"


def test_a_fault_is_not_taken_for_a_refusal(app: Flask, administrator: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("app.domain.staff.queries.accounts", broken)
    with pytest.raises(ZeroDivisionError):
        run(app, administrator, "staff", "list")


def test_a_thing_is_named_by_its_key_or_its_name(administrator: Actor) -> None:
    unit = unit_of(open_lot())
    assert unit.id == named(Unit, str(unit.key)).id == named(Unit, unit.name).id
    with pytest.raises(NotFound):
        named(Unit, "不存在的单位")


def unit_of(lot: Lot) -> Unit:
    with transaction() as session:
        return session.get_one(Unit, lot.unit_id)


def test_a_name_that_several_have_is_refused(administrator: Actor) -> None:
    assert open_lot().unit_id != open_lot().unit_id
    with pytest.raises(AmbiguousName):
        named(Unit, "enterprise", "kind")


def test_a_moment_without_offset_is_one_of_hangzhou() -> None:
    assert MOMENT("2026-06-10 20:00") == shanghai("2026-06-10 20:00")
    assert MOMENT("2026-06-10T12:00:00+00:00") == datetime(2026, 6, 10, 12, tzinfo=UTC)
    assert str(DAY("2026-06-10")) == "2026-06-10"
    assert CLOCK("17:30") == time(17, 30)
    for kind in (MOMENT, DAY, CLOCK):
        with pytest.raises(click.BadParameter):
            kind("soon")


def test_json_tells_moments_with_their_offset_and_a_table_without(capsys: pytest.CaptureFixture[str]) -> None:
    row = {"at": datetime(2026, 6, 10, 12, tzinfo=UTC), "open": True, "tags": ("a", "b"), "none": None}
    tell(Sheet({"at": "时间"}, [row]), as_json=True)
    assert capsys.readouterr().out == (
        '[{"at": "2026-06-10T20:00:00+08:00", "open": true, "tags": ["a", "b"], "none": null}]\n'
    )
    assert [text(each) for each in row.values()] == ["2026-06-10 20:00", "是", "a、b", ""]
    tell(Sheet({"at": "时间"}, [row]), as_json=False)
    assert "2026-06-10 20:00" in capsys.readouterr().out
    tell(Note("已登记", key=7), as_json=True)
    assert capsys.readouterr().out == '{"message": "已登记", "key": 7}\n'
    tell(Note("已登记", key=7), as_json=False)
    assert capsys.readouterr().out == "已登记\n  key: 7\n"
    assert plain(time(9)) == "09:00:00"
    tell(Sheet({"at": "时间"}, []), as_json=False)
    assert "（无）" in capsys.readouterr().out


def test_the_life_of_an_account_is_a_few_commands(app: Flask, database: Addresses) -> None:
    environment = {"GONGBO_NEW_PASSWORD": PASSWORD}
    runner = app.test_cli_runner(env=environment)
    founded = runner.invoke(args=["staff", "first-administrator", "lin", "示例林"])
    assert (founded.exit_code, founded.stdout.splitlines()[0]) == (0, "首位管理员账号已开设")
    again = runner.invoke(args=["staff", "first-administrator", "zhao", "示例赵"])
    assert (again.exit_code, again.stderr.split(":")[0]) == (1, "city_founded")
    first = {"GONGBO_AS": "lin", "GONGBO_PASSWORD": PASSWORD, **environment}
    assert runner.invoke(args=["staff", "open", "wang", "示例王"], env=first).exit_code == 0
    own = {**first, "GONGBO_NEW_PASSWORD": PASSWORD + "!"}
    assert runner.invoke(args=["staff", "password", "--as", "wang"], env=own).exit_code == 0
    assert runner.invoke(args=["staff", "grant", "wang", "regulator"], env=first).exit_code == 0
    assert runner.invoke(args=["staff", "close", "wang"], env=first).exit_code == 0


def test_a_grant_is_given_and_ended_by_name(app: Flask, administrator: Actor) -> None:
    open_account(administrator, "wang", "示例王", PASSWORD)
    unit = unit_of(open_lot())
    for words in (("regulator", "--district", "西湖区"), ("unit", "--unit", unit.name), ("price_officer",)):
        told(app, administrator, "staff", "grant", "wang", *words)
    account = next(row for row in told(app, administrator, "staff", "list") if row["login"] == "wang")
    assert [each.split()[0] for each in account["grants"]] == [
        "regulator@西湖区", f"unit@{unit.name}", "price_officer@全市"
    ]  # fmt: skip
    told(app, administrator, "staff", "end-grant", account["grants"][0].split()[1])
    assert refused(app, administrator, "staff", "grant", "wang", "unit") == "scope_does_not_fit"
    assert refused(app, administrator, "staff", "grant", "nobody", "unit") == "not_found"
    assert refused(app, administrator, "staff", "grant", "wang", "regulator", "--district", "999999") == "no_such_place"
    assert run(app, administrator, "staff", "grant", "wang", "unit", "--unit", "a", "--operator", "b").exit_code == 2


def test_a_password_is_reset_by_an_administrator(app: Flask, administrator: Actor) -> None:
    wang = staff("regulator", login="wang")
    runner = app.test_cli_runner(env={"GONGBO_NEW_PASSWORD": PASSWORD, "GONGBO_PASSWORD": PASSWORD})
    assert runner.invoke(args=["staff", "reset-password", "wang", "--as", "lin"]).exit_code == 0
    assert refused(app, wang, "staff", "list") == "password_is_not_own"


def test_everybody_may_read_the_policy_table(app: Flask, database: Addresses) -> None:
    table = {row["action"]: row["roles"] for row in told(app, None, "staff", "roles")}
    assert table == {action: sorted(may) for action, may in POLICY.items()}
