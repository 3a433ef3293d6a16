"""Numbers that the city may change: by whom, from when, for whom."""

from datetime import datetime, timedelta

import pytest
from flask import Flask

from app.domain.policies import actions
from app.domain.policies.queries import numbers, settings
from app.domain.policies.rules import CITY_DEFAULTS
from app.domain.staff.rules import NotPermitted
from app.kernel.refusals import NotFound
from app.kernel.terms import ChangeOutOfOrder
from tests.commands import refused, told
from tests.world import open_lot, staff

NAME = "overstay_grace_minutes"
HOUR = timedelta(hours=1)


def test_a_number_holds_from_a_moment_on_and_the_narrowest_wins(evening: datetime) -> None:
    by, lot = staff("administrator"), open_lot()
    actions.set_number(by, NAME, 20)
    actions.set_number(by, NAME, 25, scope="unit", scope_id=lot.unit_id)
    actions.set_number(by, NAME, 30, evening + HOUR, scope="lot", scope_id=lot.id)
    assert numbers()[NAME] == 20
    assert numbers(lot_id=lot.id, unit_id=lot.unit_id)[NAME] == 25
    told = [(each.scope, each.value) for each in settings(by) if each.name == NAME]
    assert told == [("city", 20), ("lot", 30), ("unit", 25)]


def test_every_number_is_listed_with_its_default(evening: datetime) -> None:
    listed = {each.name: each.value for each in settings(staff("unit", unit_id=open_lot().unit_id))}
    assert listed == CITY_DEFAULTS


@pytest.mark.parametrize("value", [-1, 525_601])
def test_a_number_that_makes_no_sense_is_refused(evening: datetime, value: int) -> None:
    with pytest.raises(actions.PolicyOutOfRange):
        actions.set_number(staff("administrator"), NAME, value)


def test_an_unknown_number_is_refused(evening: datetime) -> None:
    with pytest.raises(actions.UnknownPolicy):
        actions.set_number(staff("administrator"), "speed_of_light", 3)


def test_the_past_is_not_changed(evening: datetime) -> None:
    with pytest.raises(actions.ChangeInThePast):
        actions.set_number(staff("administrator"), NAME, 3, evening - HOUR)


def test_numbers_are_changed_in_the_order_of_time(evening: datetime) -> None:
    by = staff("administrator")
    actions.set_number(by, NAME, 3, evening + HOUR)
    with pytest.raises(ChangeOutOfOrder):
        actions.set_number(by, NAME, 4)


def test_only_the_citys_people_change_numbers(evening: datetime) -> None:
    with pytest.raises(NotPermitted):
        actions.set_number(staff("unit", unit_id=open_lot().unit_id), NAME, 3)
    with pytest.raises(NotFound):
        actions.set_number(staff("regulator", district_code="330106"), NAME, 3)


def test_commands_set_and_list(app: Flask, evening: datetime) -> None:
    by, lot = staff("administrator"), open_lot()
    told(app, by, "policies", "set", NAME, 20, "--lot", lot.name)
    told(app, by, "policies", "set", NAME, 22, "--from", "2026-07-01 00:00")
    rows = [row for row in told(app, by, "policies", "list") if row["name"] == NAME]
    assert [(row["scope"], row["value"]) for row in rows] == [("city", 15), ("city", 22), ("lot", 20)]
    assert rows[1]["begins_at"] == "2026-07-01T00:00:00+08:00"
    assert refused(app, by, "policies", "set", NAME, 22, "--from", "2026-01-01 00:00") == "change_in_the_past"
