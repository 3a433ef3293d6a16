"""The city does not answer, answers nonsense, or forgets to: nothing is lost, nothing doubled, and the order stays."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from app.adapters.city import Barred, CitySystem, Heartbeat, Unknown, read_private_key
from app.domain.city_feed.actions import alarm, find_visits, pulse, retry, send_due
from app.domain.city_feed.models import CityUpload
from app.domain.city_feed.queries import is_away, refused_uploads, standing, stands
from app.domain.lots.models import Lot
from app.domain.staff.rules import NotPermitted
from app.domain.tasks.models import Task
from app.kernel.db import transaction
from app.kernel.states import WrongState
from app.wiring import CalledInsideTransaction
from tests.city_feed.stand import CityStand
from tests.conftest import MovableClock
from tests.world import drive, gate, some_plate, staff

Tell = Callable[[], int]
LONG = timedelta(minutes=6)
"""Longer than any pause between two tries."""


def tasks(kind: str) -> int:
    with transaction() as session:
        return session.query(Task).filter_by(kind=kind).count()


def visits(lot: Lot, count: int, clock: MovableClock) -> None:
    """Cars drive in and out again, one after the other."""
    entrance, exit_ = gate(lot), gate(lot, "out")
    for _ in range(count):
        plate = some_plate()
        drive(entrance, plate)
        clock.move_by(timedelta(minutes=2))
        drive(exit_, plate)
        clock.move_by(timedelta(minutes=2))


def test_after_an_outage_everything_is_told_in_order_and_then_the_absolute_count(
    city: CityStand, known_lot: Lot, tell: Tell, clock: MovableClock
) -> None:
    city.suffer("down", times=0)
    visits(known_lot, 3, clock)
    tell()
    assert is_away()
    assert tell() == 0, "while the city is away it is not asked again and again"
    city.recover()
    before = len(city.taken)
    clock.move_by(LONG)
    tell()
    assert not is_away()
    kinds = [kind for kind, _ in city.taken[before:]]
    assert kinds == ["arrival", "departure"] * 3 + ["state"]
    assert [name for _, name in city.taken[before:-1:2]] == sorted(city.book["arrivals"])


def test_a_lost_answer_makes_no_second_visit(city: CityStand, known_lot: Lot, tell: Tell, clock: MovableClock) -> None:
    drive(gate(known_lot), some_plate())
    city.suffer("lost_answer", operation="uploadCarInData")
    tell()
    assert len(city.book["arrivals"]) == 1
    assert stands().due == 1
    clock.move_by(LONG)
    tell()
    assert stands().due == 0
    assert [kind for kind, _ in city.taken].count("arrival") == 1


@pytest.mark.parametrize("kind", ["error_500", "html", "busy", "down"])
def test_whatever_the_city_says_that_means_nothing_the_upload_stays_due(
    city: CityStand, known_lot: Lot, tell: Tell, clock: MovableClock, kind: str
) -> None:
    drive(gate(known_lot), some_plate())
    city.suffer(kind)
    tell()
    assert (stands().due, stands().away_since is None) == (1, False)
    clock.move_by(LONG)
    tell()
    assert (stands().due, stands().away_since) == (0, None)


def test_a_wrong_key_loses_nothing_and_calls_a_person(city: CityStand, known_lot: Lot, clock: MovableClock) -> None:
    drive(gate(known_lot), some_plate())
    find_visits()
    other_key = city.material.directory / "city_key.pem"
    assert send_due(city.client(own_key=read_private_key(other_key))) == 1
    assert (stands().barred_code, stands().due, tasks("city_feed_barred")) == ("403", 1, 1)
    clock.move_by(LONG)
    assert send_due(city.client()) == 1
    assert (stands().barred_code, stands().due) == (None, 0)


def test_an_account_that_the_city_does_not_know_is_barred(city: CityStand, known_lot: Lot) -> None:
    [code] = city.book["lots"]
    assert city.client(access_id="nobody").upload(Heartbeat(code)) == Barred("401")
    assert isinstance(CitySystem.upload(city.client(url="http://127.0.0.1:9"), Heartbeat(code)), Unknown)
    assert known_lot.id


def test_a_refused_upload_is_kept_with_its_code_and_sent_again_when_a_person_says_so(
    city: CityStand, known_lot: Lot, tell: Tell
) -> None:
    drive(gate(known_lot), some_plate())
    city.suffer("refuse", operation="uploadCarInData", code=1099)
    tell()
    by = staff("regulator")
    [refused] = refused_uploads(by)
    assert (refused.code, refused.kind, tasks("city_upload_refused")) == ("1099", "entry", 1)
    assert tell() == 0
    retry(by, refused.key)
    with pytest.raises(WrongState):
        retry(by, refused.key)
    assert tell() == 1
    assert (standing(by).refused, len(city.book["arrivals"])) == (0, 1)


def test_the_feed_is_shown_to_those_who_may_see_it(known_lot: Lot) -> None:
    with pytest.raises(NotPermitted):
        standing(staff("unit", unit_id=known_lot.unit_id))


def test_an_upload_that_waits_too_long_raises_one_alarm(
    city: CityStand, known_lot: Lot, tell: Tell, clock: MovableClock
) -> None:
    drive(gate(known_lot), some_plate())
    city.suffer("down", times=0)
    tell()
    assert alarm() == 0
    clock.move_by(timedelta(minutes=31))
    assert alarm() == alarm() == 1
    assert tasks("city_feed_behind") == 1


def test_a_lot_that_is_not_known_yet_keeps_its_visits_back(
    city: CityStand, known_lot: Lot, tell: Tell, clock: MovableClock, evening: datetime
) -> None:
    from tests.world import open_lot  # noqa: PLC0415 - the fixture's lot is the other one

    city.suffer("refuse", operation="uploadParkingInfo", times=1)
    lot = open_lot()
    drive(gate(lot), some_plate())
    tell()
    assert (len(city.book["lots"]), city.book["arrivals"], stands().due) == (1, {}, 1)
    by = staff("administrator")
    retry(by, refused_uploads(by)[0].key)
    tell()
    assert (len(city.book["lots"]), len(city.book["arrivals"]), stands().due) == (2, 1, 0)


def test_the_city_is_never_called_inside_a_transaction(system: CitySystem, known_lot: Lot) -> None:
    drive(gate(known_lot), some_plate())
    find_visits()
    with pytest.raises(CalledInsideTransaction), transaction():
        send_due(system)


def test_a_slow_city_does_not_hold_a_round(city: CityStand, known_lot: Lot, system: CitySystem) -> None:
    for _ in range(3):
        drive(gate(known_lot), some_plate())
    find_visits()
    answers = iter([False, True])
    assert send_due(system, enough=lambda: next(answers)) == 1
    assert pulse(system, enough=lambda: True) == 0


def test_uploads_keep_their_row_when_their_process_dies_between_call_and_answer(
    city: CityStand, known_lot: Lot, system: CitySystem, clock: MovableClock
) -> None:
    drive(gate(known_lot), some_plate())
    find_visits()

    class Dies(Exception):
        pass

    class Mortal:
        def upload(self, record: object) -> None:
            system.upload(record)  # type: ignore[arg-type]
            raise Dies

    with pytest.raises(Dies):
        send_due(Mortal())  # type: ignore[arg-type]
    assert (len(city.book["arrivals"]), stands().due) == (1, 1)
    clock.move_by(LONG)
    send_due(system)
    with transaction() as session:
        assert {row.state for row in session.query(CityUpload)} == {"accepted"}
    assert [kind for kind, _ in city.taken].count("arrival") == 1
