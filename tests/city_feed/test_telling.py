"""What the city is told, over HTTP, in the form of its interface."""

from collections.abc import Callable
from datetime import datetime, timedelta

from app.adapters.city import CitySystem
from app.domain.city_feed.actions import find_lots, find_visits, send_due
from app.domain.city_feed.models import CityUpload, CityVisit
from app.domain.lots.models import Lot
from app.kernel.db import transaction
from tests.city_feed.stand import CityStand, find_secret
from tests.world import ask, drive, gate, open_lot, open_own_lot, some_plate

Tell = Callable[[], int]
At = Callable[[datetime], None]


def test_a_lot_is_told_with_its_bays_its_point_and_its_prices(city: CityStand, known_lot: Lot) -> None:
    [told] = city.book["lots"].values()
    assert told["parkingCode"] == f"330106{known_lot.id:06d}"
    assert (told["parkingName"], told["address"]) == (known_lot.name, known_lot.address)
    assert (told["totalBerthNum"], told["openBerthNum"], told["intrinsicTotalNum"]) == (known_lot.total_bays, 3, 6)
    assert (told["gmapX"], told["gmapY"]) == (f"{known_lot.longitude:.6f}", f"{known_lot.latitude:.6f}")
    assert told["openTime"].startswith("工作日18:30至次日08:00，休息日全天")
    assert (told["priceType"], told["regionCode"]) == (2, "330106")
    assert told["uploadTime"].startswith("2026-06-10 20:00")


def test_a_lot_is_told_once_until_something_changes(city: CityStand, known_lot: Lot, tell: Tell) -> None:
    assert tell() == 0
    with transaction() as session:
        session.get_one(Lot, known_lot.id).address = "示例路2号"
    assert tell() == 1
    [told] = city.book["lots"].values()
    assert told["address"] == "示例路2号"


def test_an_entry_is_told_with_plate_lane_and_free_bays(city: CityStand, known_lot: Lot, tell: Tell) -> None:
    plate, entrance = some_plate(), gate(known_lot)
    ask(entrance, plate)
    drive(entrance, plate)
    tell()
    [told] = city.book["arrivals"].values()
    assert (told["plateNo"], told["plateColor"], told["carType"]) == (plate.characters, "1", 1)
    assert (told["parkingType"], told["entryNum"], told["freeBerthNum"], told["openBerthNum"]) == (3, "1", 2, 3)
    assert told["arriveTime"].startswith("2026-06-10 20:00")
    code = f"330106{known_lot.id:06d}"
    assert told["uid"].startswith(f"{code}1202606102000")
    assert len(told["uid"]) == len(code) + 1 + 17


def test_an_exit_is_told_under_the_number_of_its_entry_with_its_fee(
    city: CityStand, known_lot: Lot, tell: Tell, at: At, evening: datetime
) -> None:
    plate, entrance, exit_ = some_plate(), gate(known_lot), gate(known_lot, "out")
    ask(entrance, plate)
    drive(entrance, plate)
    tell()
    at(evening + timedelta(minutes=90))
    drive(exit_, plate)
    tell()
    [arrived], [told] = city.book["arrivals"].values(), city.book["departures"].values()
    assert told["uid"] == arrived["uid"]
    assert told["endTime"].startswith("2026-06-10 21:30")
    assert (told["outNum"], told["shouldPay"], told["chargeFee"]) == ("1", 600, 0)


def test_entry_and_exit_found_together_are_told_in_this_order(
    city: CityStand, known_lot: Lot, tell: Tell, at: At, evening: datetime
) -> None:
    _visit(known_lot, evening, at)
    tell()
    [entry, exit_] = [news for news in city.taken if news[0] in {"arrival", "departure"}]
    assert (entry[0], exit_[0]) == ("arrival", "departure")
    assert entry[1] == exit_[1]


def _visit(lot: Lot, evening: datetime, at: At) -> None:
    plate, entrance, exit_ = some_plate(), gate(lot), gate(lot, "out")
    ask(entrance, plate)
    drive(entrance, plate)
    at(evening + timedelta(minutes=30))
    drive(exit_, plate)


def test_two_cars_of_one_lane_and_moment_have_two_numbers(
    city: CityStand, known_lot: Lot, tell: Tell, evening: datetime
) -> None:
    entrance = gate(known_lot)
    for plate in (some_plate(), some_plate()):
        drive(entrance, plate, evening)
    tell()
    assert len(city.book["arrivals"]) == 2


def test_a_visit_that_was_over_before_the_feed_began_is_not_told(
    city: CityStand, evening: datetime, tell: Tell, at: At
) -> None:
    lot = open_lot()
    _visit(lot, evening, at)
    at(evening + timedelta(hours=1))
    tell()
    assert city.book["arrivals"] == {}
    assert len(city.book["lots"]) == 1


def test_nothing_of_a_unit_with_state_secrets_is_ever_told(
    city: CityStand, evening: datetime, tell: Tell, at: At
) -> None:
    own = open_own_lot(bays=2)
    find_secret(own.lot)
    find_lots()
    _visit(own.lot, evening, at)
    assert tell() == 0
    assert city.book["lots"] == {}
    assert city.book["arrivals"] == {}


def test_what_is_due_is_withheld_when_the_unit_turns_out_secret(
    city: CityStand, known_lot: Lot, system: CitySystem
) -> None:
    drive(gate(known_lot), some_plate())
    find_visits()
    find_secret(known_lot)
    assert send_due(system) == 0
    assert city.book["arrivals"] == {}
    with transaction() as session:
        assert {row.state for row in session.query(CityUpload).filter_by(kind="entry")} == {"withheld"}


def test_a_heartbeat_and_free_bays_reach_the_city(
    city: CityStand, known_lot: Lot, tell: Tell, at: At, evening: datetime
) -> None:
    [code] = city.book["lots"]
    assert city.book["states"][code]["freeBerthNum"] == 3
    assert city.book["heartbeats"][code].startswith("2026-06-10 20:00")
    drive(gate(known_lot), some_plate())
    at(evening + timedelta(minutes=6))
    tell()
    assert city.book["states"][code]["freeBerthNum"] == 2
    assert city.book["heartbeats"][code].startswith("2026-06-10 20:06")


def test_a_closed_lot_has_no_free_bays(city: CityStand, known_lot: Lot, tell: Tell, at: At) -> None:
    at(datetime.fromisoformat("2026-06-11T10:00:00+08:00"))
    tell()
    [state] = city.book["states"].values()
    assert (state["openBerthNum"], state["freeBerthNum"]) == (3, 0)


def test_a_plate_lies_in_no_row_of_the_feed(known_lot: Lot, tell: Tell) -> None:
    plate = some_plate()
    drive(gate(known_lot), plate)
    tell()
    with transaction() as session:
        rows = [vars(row) for model in (CityVisit, CityUpload) for row in session.query(model)]
    assert plate.characters not in str(rows)
