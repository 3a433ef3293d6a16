"""What stands in the way of a start is told in one sentence, and what a start writes is fit for development only."""

import os
import stat
import sys
from pathlib import Path

import pytest

from app.settings import Settings, SettingsRefused
from launcher import venv
from launcher.environment import Ports, development_environment, read_environment
from launcher.failure import CannotStart
from launcher.platform_run import run_platform

PORTS = Ports(
    web=8000, wechat=8001, gates=8002, city=8003, fiscal=8004, tax=8005, mail=8006, smtp=8587, postgres=54329,
    valkey=63799,
)  # fmt: skip
ADDRESSES = {
    "DATABASE_URL": "postgresql+psycopg://app@127.0.0.1:54329/gongbo",
    "MIGRATION_DATABASE_URL": "postgresql+psycopg://owner@127.0.0.1:54329/gongbo",
    "REDIS_URL": "redis://127.0.0.1:63799/0",
}


@pytest.fixture(autouse=True)
def _nothing_is_set_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ.copy():
        if name.startswith(("WECHAT_", "CITY_", "SMTP_")) or name in {
            "AUDIT_ANCHORS",
            "ENVIRONMENT",
            "CLOCK_FILE",
            "PORT",
            "GATES_PORT",
            "GATES_URL",
        }:
            monkeypatch.delenv(name)


def test_a_development_environment_starts_there_and_never_in_production(tmp_path: Path) -> None:
    environment = development_environment(tmp_path, PORTS, ADDRESSES)
    assert Settings.from_environment(environment).environment == "development"
    with pytest.raises(SettingsRefused) as refused:
        Settings.from_environment(environment | {"ENVIRONMENT": "production"})
    assert {problem.split()[0] for problem in refused.value.problems} >= {"CLOCK_FILE", "FIELD_KEYS", "INDEX_KEY"}


def test_keys_stay_the_same_from_start_to_start_and_belong_to_us_alone(tmp_path: Path) -> None:
    first = development_environment(tmp_path, PORTS, ADDRESSES)
    assert development_environment(tmp_path, PORTS, ADDRESSES) == first
    assert read_environment(tmp_path / "development.env") == first
    assert stat.S_IMODE((tmp_path / "development.env").stat().st_mode) == 0o600


def test_a_taken_port_is_named_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken_port: int
) -> None:
    monkeypatch.setenv("PORT", str(taken_port))
    with pytest.raises(CannotStart, match=f"Port {taken_port} is taken by .*; choose another one by PORT="):
        run_platform(tmp_path / "var")
    assert not (tmp_path / "var").exists()


def test_an_old_python_is_refused_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 4))
    with pytest.raises(CannotStart, match=r"Python 3\.11 or newer is needed"):
        venv.set_up(tmp_path)


def test_an_environment_that_agrees_with_the_lock_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed: list[Path] = []
    monkeypatch.setattr(venv, "_make", lambda _: None)
    monkeypatch.setattr(venv, "_install", installed.append)
    assert venv.set_up(tmp_path)
    assert not venv.set_up(tmp_path)
    assert installed == [tmp_path]
