"""All of the city's settings or none, and production only with keys of its own."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from app.adapters.city import Heartbeat
from app.jobs.sweepers import feed_city, find_city_lots, watch_city_feed
from app.kernel.db import transaction
from app.settings import Settings, SettingsRefused
from app.wiring import CalledInsideTransaction, wire, wiring
from simulators.city.keys import KeyMaterial


@pytest.fixture
def told(environment: Mapping[str, str], tmp_path: Path) -> dict[str, str]:
    """An environment that names the city's system."""
    return {**environment, **KeyMaterial.at(tmp_path / "city").environment(), "CITY_URL": "http://127.0.0.1:9"}


def problems(environ: Mapping[str, str]) -> list[str]:
    with pytest.raises(SettingsRefused) as refused:
        Settings.from_environment(environ)
    return refused.value.problems


@pytest.mark.usefixtures("database")
def test_without_any_of_its_names_the_feed_is_off() -> None:
    assert wiring().city is None
    assert feed_city() == find_city_lots() == watch_city_feed() == 0


@pytest.mark.usefixtures("database")
def test_with_all_of_its_names_the_feed_is_on_and_never_called_in_a_transaction(told: dict[str, str]) -> None:
    city = wire(Settings.from_environment(told)).city
    assert city is not None
    with transaction(), pytest.raises(CalledInsideTransaction):
        city.upload(Heartbeat("330106000001"))


@pytest.mark.parametrize("name", ["CITY_URL", "CITY_ACCESS_ID", "CITY_PUBLIC_KEY_FILE", "CITY_PRIVATE_KEY_FILE"])
def test_a_part_of_them_does_not_start(told: dict[str, str], name: str) -> None:
    del told[name]
    assert problems(told) == [f"{name} is missing"]


@pytest.mark.parametrize(("name", "value"), [("CITY_SIGN_HASH", "crc32"), ("CITY_BODY", "xml")])
def test_a_senseless_choice_is_refused_by_name(told: dict[str, str], name: str, value: str) -> None:
    assert problems({**told, name: value})[0].startswith(f"{name} must be one of")


def test_production_refuses_the_stand_in(told: dict[str, str]) -> None:
    refused = problems({**told, "ENVIRONMENT": "production"})
    assert "CITY_PUBLIC_KEY_FILE is a key of the simulator" in refused
    assert "CITY_URL must be https in production" in refused
    assert "CITY_URL must not point at this machine in production" in refused


def test_the_account_does_not_show_when_settings_are_printed(told: dict[str, str]) -> None:
    settings = Settings.from_environment(told)
    assert told["CITY_ACCESS_ID"] not in repr(settings)
    assert replace(settings, city=None).city is None
