"""Cameras' own lists are read turn by turn, and a camera that is silent keeps none from its turn."""

from itertools import count
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from app.domain.gates.models import VendorList
from app.domain.gates.rules.vendor_lists import ANSWER_WAITS
from app.domain.lots.models import Lot
from app.jobs import camera_lists
from app.kernel.db import transaction
from launcher.ports import free_ports
from tests.conftest import MovableClock
from tests.gates.yard import registered


def asked_last() -> int:
    with transaction() as session:
        found = session.scalars(select(VendorList.device_id).order_by(VendorList.asked_at.desc().nulls_last()).limit(1))
        return found.one()


def test_who_was_not_asked_before_the_round_was_over_comes_first_in_the_next(
    lot: Lot, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    [nobody] = free_ports(1)
    gates = [registered(lot, "vz-http", way, web_url=f"http://127.0.0.1:{nobody}") for way in ("in", "out")]
    turns = []
    for _ in range(4):
        a_second_each = SimpleNamespace(monotonic=count().__next__)
        monkeypatch.setattr(camera_lists, "time", a_second_each)
        assert camera_lists.read_camera_lists() == 0
        turns.append(asked_last())
        clock.move_by(2 * ANSWER_WAITS)
    assert turns == [gate.device_id for gate in gates] * 2
