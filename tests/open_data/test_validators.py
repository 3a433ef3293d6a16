"""Asking again: 304 while nothing changed, another entity tag as soon as something did, never a stale answer."""

import gzip
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy import text, update

from app.api.open import answers, forms
from app.api.open.changes import Known, Look, last_look, note
from app.domain.lots.actions import suspend
from app.domain.lots.models import Lot
from app.domain.partners import actions as partners
from app.domain.partners.rules import Count
from app.domain.reservations.actions import reserve
from app.domain.units import actions as units
from app.domain.units.models import Operator, Unit
from app.kernel import clock
from app.kernel.db import current, transaction
from app.wiring import Wiring
from tests.open_data.reader import FEEDS, LOTS, STATUS, TABLE, read
from tests.partners.stand import partner_of
from tests.statements import statements
from tests.units.stand import terms, unit_of
from tests.world import driver, open_lot, paper, registered_operator, shanghai, staff


@pytest.fixture
def lot(evening: datetime) -> Lot:
    return open_lot(5)


def etag(client: FlaskClient, feed: str) -> str:
    return read(client, feed).headers["ETag"]


@pytest.mark.parametrize("feed", FEEDS)
def test_the_same_state_is_the_same_answer_to_the_byte(
    lot: Lot, client: FlaskClient, at: Callable[[datetime], None], feed: str
) -> None:
    first = read(client, feed)
    at(shanghai("2026-06-10 20:10"))
    second = read(client, feed)
    assert first.get_data() == second.get_data()
    for name in ("ETag", "Last-Modified", "Cache-Control"):
        assert first.headers[name] == second.headers[name], name
    assert not first.headers["ETag"].startswith("W/"), "the tag is a strong one"


@pytest.mark.parametrize("feed", FEEDS)
def test_what_a_reader_has_is_not_sent_again_nor_written(
    lot: Lot, client: FlaskClient, feed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = read(client, feed)

    def nobody(*_: Any) -> None:
        raise AssertionError("something was written for a 304")

    for form in (forms.FEATURES, forms.PARKING_TABLE, forms.PARKING_STATUS):
        monkeypatch.setattr(form.__class__, "element", nobody, raising=False)
    for asked in ({"If_None_Match": known.headers["ETag"]}, {"If_Modified_Since": known.headers["Last-Modified"]}):
        answer = read(client, feed, **asked)
        assert (answer.status_code, answer.get_data()) == (304, b"")
        assert answer.headers["ETag"] == known.headers["ETag"]
        assert "public" in answer.headers["Cache-Control"]


def test_a_reservation_changes_the_status_and_not_the_table(lot: Lot, evening: datetime, client: FlaskClient) -> None:
    before = {feed: etag(client, feed) for feed in FEEDS}
    who = driver()
    reserve(who.id, who.vehicle_key, lot.key, evening, evening + timedelta(hours=1))
    changed = [feed for feed in FEEDS if read(client, feed, If_None_Match=before[feed]).status_code == 200]
    assert changed == [LOTS, STATUS]


def test_what_happens_among_the_few_does_not_show(evening: datetime, client: FlaskClient) -> None:
    small = open_lot(3)
    before = etag(client, STATUS)
    who = driver()
    reserve(who.id, who.vehicle_key, small.key, evening, evening + timedelta(hours=1))
    assert etag(client, STATUS) == before


def test_a_suspension_shows_at_once_even_to_who_asks_by_date(lot: Lot, client: FlaskClient) -> None:
    """Contents of the same second: the date alone may not say that nothing changed."""
    regulator = staff("regulator")
    known = read(client, STATUS).headers
    suspend(regulator, lot.key, "示例")
    assert read(client, STATUS, If_Modified_Since=known["Last-Modified"]).status_code == 200
    assert read(client, STATUS, If_None_Match=known["ETag"]).status_code == 200
    assert client.head(STATUS).headers["ETag"] != known["ETag"]


@pytest.mark.parametrize("feed", FEEDS)
def test_a_304_of_an_unchanged_city_reads_no_lot(
    lot: Lot, client: FlaskClient, feed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "horizon", next_transaction)
    known = read(client, feed).headers["ETag"]
    with statements() as questions:
        assert read(client, feed, If_None_Match=known).status_code == 304
    assert [question for question in questions if "FROM lot " in question or "open_window" in question] == []


def next_transaction() -> int:
    """As if nobody else on the server were in the middle of something."""
    return int(current().scalar(text("SELECT txid_snapshot_xmax(txid_current_snapshot())")) or 0)


def test_what_only_time_or_a_partner_changes_shows_within_half_a_minute(
    lot: Lot, client: FlaskClient, at: Callable[[datetime], None], evening: datetime
) -> None:
    known = read(client, STATUS).headers["ETag"]
    record = partners.CountRecord({}, lot.key, Count(4, 5, None, evening))
    partners.take_counts(partner_of(lot.unit_id).id, [record])
    at(evening + timedelta(minutes=2))
    assert read(client, STATUS, If_None_Match=known).status_code == 200


def test_closing_time_is_a_change_by_itself(lot: Lot, client: FlaskClient, at: Callable[[datetime], None]) -> None:
    known = read(client, STATUS)
    at(shanghai("2026-06-11 08:00"))
    later = read(client, STATUS, If_Modified_Since=known.headers["Last-Modified"])
    assert later.status_code == 200
    assert later.headers["Last-Modified"].startswith("Thu, 11 Jun 2026 00:00:")


def test_a_renamed_lot_changes_the_table_and_its_version(lot: Lot, client: FlaskClient) -> None:
    before = {feed: etag(client, feed) for feed in (TABLE, STATUS)}
    with transaction() as session:
        session.get_one(Lot, lot.id).name = "示例停车场改名"
    assert etag(client, TABLE) != before[TABLE]
    assert etag(client, STATUS) != before[STATUS], "a status names the version of its place"


@pytest.mark.parametrize("feed", [LOTS, TABLE])
def test_a_renamed_unit_or_operator_is_told_at_once(lot: Lot, client: FlaskClient, feed: str) -> None:
    operator = registered_operator()
    told = terms([lot], clock.now())
    units.sign_agreement(staff("regulator"), unit_of(lot).key, operator.key, told, paper())
    renamings = update(Unit).filter_by(id=lot.unit_id), update(Operator).filter_by(id=operator.id)
    for renaming in renamings:
        known = etag(client, feed)
        assert read(client, feed, If_None_Match=known).status_code == 304
        with transaction() as session:
            session.execute(renaming.values(name="示例改名"))
        assert read(client, feed, If_None_Match=known).status_code == 200


def test_pages_and_rectangles_have_tags_of_their_own(lot: Lot, client: FlaskClient) -> None:
    assert len({etag(client, LOTS + query) for query in ("", "?limit=1", "?limit=2", "?bbox=118,29,121,31")}) == 4


@pytest.mark.parametrize("feed", FEEDS)
def test_a_zipped_answer_is_the_same_answer_with_another_tag(lot: Lot, client: FlaskClient, feed: str) -> None:
    plain, zipped = read(client, feed), read(client, feed, Accept_Encoding="gzip")
    assert gzip.decompress(zipped.get_data()) == plain.get_data()
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert zipped.headers["ETag"] != plain.headers["ETag"]
    assert zipped.headers["Vary"] == "Accept-Encoding"
    assert int(zipped.headers["Content-Length"]) == len(zipped.get_data())
    again = read(client, feed, Accept_Encoding="gzip", If_None_Match=zipped.headers["ETag"])
    assert again.status_code == 304


@pytest.mark.parametrize("feed", FEEDS)
def test_head_tells_the_headers_of_get_without_a_body(lot: Lot, client: FlaskClient, feed: str) -> None:
    got, head = read(client, feed), client.head(feed)
    assert (head.status_code, head.get_data()) == (200, b"")
    for name in ("ETag", "Last-Modified", "Content-Type", "Cache-Control"):
        assert head.headers[name] == got.headers[name]
    assert "Content-Length" not in head.headers, "0 would be a lie"


def test_without_redis_the_feed_is_served_and_simply_fetched_again(
    lot: Lot, client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch, at: Callable[[datetime], None]
) -> None:
    wired = app.extensions["gongbo"]
    away = Redis.from_url("redis://127.0.0.1:1/0")
    monkeypatch.setitem(app.extensions, "gongbo", Wiring(**{**vars(wired), "redis": away}))
    known = read(client, STATUS)
    assert known.status_code == 200
    at(shanghai("2026-06-10 20:10"))
    assert read(client, STATUS, If_None_Match=known.headers["ETag"]).status_code == 200


def test_a_change_is_never_earlier_than_the_one_before_and_two_in_a_second_are_not_told_apart(redis: Any) -> None:
    noon = shanghai("2026-06-10 12:00")
    moments = [noon, noon, noon + timedelta(seconds=0.5), noon + timedelta(seconds=2), noon]
    changes = [
        note(redis, "test", fingerprint, Look(moment, 7)) for fingerprint, moment in zip("AABCD", moments, strict=True)
    ]
    assert [(change.at - noon).seconds for change in changes] == [0, 0, 0, 2, 2]
    assert [change.tells_apart for change in changes] == [True, True, False, True, False]
    known = last_look(redis, "test")
    assert known == Known("D", changes[-1], Look(noon, 7))
