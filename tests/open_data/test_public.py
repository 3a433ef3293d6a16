"""What is not public is nowhere: not in a feed, not in its counts, not in its entity tag."""

import json
import random
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.api.open import answers
from app.api.open.changes import Change
from app.domain.lots.models import Lot
from app.domain.motorists.queries import openid_of
from app.domain.reservations.actions import reserve
from app.domain.units import actions as units
from app.domain.units.models import Unit
from app.kernel.db import transaction
from tests.open_data.conftest import Put
from tests.open_data.reader import FEEDS, features, places, read, statuses
from tests.statements import statements
from tests.world import driver, gate, open_lot, parked_stay, staff

STATES = ("draft", "submitted", "approved", "open", "suspended", "withdrawn")


def find(lot: Lot, ground: str = "secret") -> None:
    """The lot's unit is excepted; the lot is suspended already."""
    with transaction() as session:
        unit_key = session.scalars(select(Unit.key).where(Unit.id == lot.unit_id)).one()
    units.find(staff("regulator"), unit_key, ground, "示例", "示例")


def everything(client: FlaskClient) -> list[tuple[bytes, str]]:
    told = [read(client, feed) for feed in FEEDS]
    return [(answer.get_data(), answer.headers["ETag"]) for answer in told]


@pytest.mark.parametrize("state", STATES)
def test_only_open_and_suspended_lots_are_shown(evening: datetime, client: FlaskClient, put: Put, state: str) -> None:
    lot = open_lot()
    put(lot, state)
    shown = {str(lot.key)} if state in ("open", "suspended") else set()
    assert set(features(client)) == set(places(client)) == set(statuses(client)) == shown


def test_feeds_are_the_public_lots_whatever_the_city_is_like(evening: datetime, client: FlaskClient, put: Put) -> None:
    draw = random.Random()
    expected = set()
    for _ in range(14):
        lot, state = open_lot(draw.randrange(1, 6)), draw.choice(STATES)
        put(lot, state)
        is_secret = state in ("suspended", "withdrawn") and draw.random() < 0.5
        if is_secret:
            find(lot)
        elif state in ("open", "suspended"):
            expected.add(str(lot.key))
    assert set(features(client)) == set(places(client)) == set(statuses(client)) == expected
    assert set(features(client, "?limit=1000")) == set(features(client, "?bbox=118,29,121,31")) == expected


def test_a_secret_unit_leaves_no_trace_at_all(
    evening: datetime, client: FlaskClient, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But for the moment of the change, the answer is to the byte what it is without the unit, entity tag included."""
    monkeypatch.setattr(answers, "note", lambda *_: Change(evening, tells_apart=True))
    open_lot(5)
    before = everything(client)
    hidden = open_lot(5)
    assert everything(client) != before
    put(hidden, "suspended")
    find(hidden)
    assert everything(client) == before


def test_a_unit_excepted_for_another_reason_is_shown_suspended(
    evening: datetime, client: FlaskClient, put: Put
) -> None:
    lot = open_lot()
    put(lot, "suspended")
    find(lot, "hospital")
    assert features(client)[str(lot.key)]["status"] == "suspended"


def test_nothing_personal_is_in_any_feed(
    evening: datetime, client: FlaskClient, at: Callable[[datetime], None]
) -> None:
    who, lot = driver(), open_lot(8)
    later = evening + timedelta(hours=5)
    reserve(who.id, who.vehicle_key, lot.key, later, later + timedelta(hours=1))
    parked_stay(who, gate(lot))
    at(evening + timedelta(minutes=30))
    regulator = staff("regulator")
    canaries = (who.plate.characters, openid_of(who.id), str(who.key), str(who.vehicle_key), regulator.label)
    for content, etag in everything(client):
        text = content.decode() + json.dumps(json.loads(content)) + etag
        assert [canary for canary in canaries if canary in text] == []
        for word in ("plate", "openid", "phone_enc", "bay_id", "lot_id", '"A001"', "reservation"):
            assert word not in text


def test_more_lots_need_no_more_questions(evening: datetime, client: FlaskClient) -> None:
    open_lot()
    features(client)
    with statements() as of_one:
        features(client)
    for _ in range(6):
        open_lot()
    features(client)
    with statements() as of_seven:
        features(client)
    assert len(of_seven) == len(of_one)
