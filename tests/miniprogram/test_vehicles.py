import uuid
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from sqlalchemy import func, select

from app.domain.motorists.models import NumberPlate
from app.domain.tasks.models import Task
from app.kernel import crypto
from app.kernel.db import transaction
from tests.ground import Addresses
from tests.miniprogram.stand import Phone, a_plate


def test_a_vehicle_is_shown_to_its_owner_with_its_plate(motorist: Phone) -> None:
    plate = a_plate()
    added = motorist.post("/vehicles", {"plate": plate, "colour": "blue"}, expect=201)
    assert (added["plate"], added["colour"], added["kind"]) == (plate, "blue", "ordinary")
    assert motorist.get("/vehicles") == [added]


def test_a_plate_does_not_rest_in_the_clear(motorist: Phone) -> None:
    plate = a_plate()
    motorist.post("/vehicles", {"plate": plate, "colour": "blue"}, expect=201)
    with transaction() as session:
        index = crypto.blind_index("plate", f"blue:{plate}")
        row = session.scalars(select(NumberPlate).filter_by(bidx=index)).one()
    assert plate.encode() not in row.value_enc + row.bidx


def test_adding_a_plate_again_however_written_is_the_same_vehicle(motorist: Phone) -> None:
    plate = a_plate()
    first = motorist.post("/vehicles", {"plate": plate, "colour": "blue"}, expect=201)
    written = f"{plate[:2]}·{plate[2:].lower()}"
    assert motorist.post("/vehicles", {"plate": written, "colour": "blue"}, expect=201) == first
    assert len(motorist.get("/vehicles")) == 1


def test_the_same_characters_on_another_colour_are_another_vehicle(motorist: Phone) -> None:
    plate = a_plate()
    for colour in ("blue", "yellow"):
        motorist.post("/vehicles", {"plate": plate, "colour": colour}, expect=201)
    assert len(motorist.get("/vehicles")) == 2


@pytest.mark.parametrize(
    ("plate", "colour"),
    [("ABC", "blue"), ("浙A1234", "blue"), ("浙A12345", "green"), ("B1234XY", "blue"), ("浙A12345", "other")],
)
def test_what_cannot_be_a_plate_is_refused_without_being_repeated(motorist: Phone, plate: str, colour: str) -> None:
    response = motorist.ask("POST", "/vehicles", {"plate": plate, "colour": colour})
    assert (response.status_code, response.get_json()["code"]) == (422, "plate_malformed")
    assert plate not in response.get_data(as_text=True)
    assert motorist.get("/vehicles") == []


def test_a_colour_that_is_none_is_refused(motorist: Phone) -> None:
    refused = motorist.post("/vehicles", {"plate": a_plate(), "colour": "pink"}, expect=422)
    assert refused["details"]["fields"] == {"json": {"colour": ["不在可选范围内"]}}


def test_a_plate_on_two_accounts_is_shown_to_a_person_and_to_neither_account(motorist: Phone, stranger: Phone) -> None:
    wish = {"plate": a_plate(), "colour": "blue"}
    motorist.post("/vehicles", wish, expect=201)
    second = stranger.post("/vehicles", wish, expect=201)
    assert set(second) == {"key", "plate", "colour", "kind", "added_at"}
    with transaction() as session:
        index = crypto.blind_index("plate", f"blue:{wish['plate']}")
        plate_id = session.scalars(select(NumberPlate.id).filter_by(bidx=index)).one()
        shared = select(func.count()).select_from(Task).filter_by(kind="plate_on_two_accounts", subject_id=plate_id)
        assert session.scalar(shared) == 1


def test_a_removed_vehicle_is_gone_and_may_come_back(motorist: Phone) -> None:
    wish = {"plate": a_plate(), "colour": "blue"}
    first = motorist.post("/vehicles", wish, expect=201)
    motorist.delete(f"/vehicles/{first['key']}")
    assert motorist.get("/vehicles") == []
    assert motorist.post("/vehicles", wish, expect=201)["key"] != first["key"]


def test_somebody_elses_vehicle_is_simply_not_there(motorist: Phone, stranger: Phone) -> None:
    vehicle = motorist.post("/vehicles", {"plate": a_plate(), "colour": "blue"}, expect=201)
    assert stranger.delete(f"/vehicles/{vehicle['key']}", expect=404)["code"] == "vehicle_not_found"
    assert motorist.get("/vehicles") == [vehicle]


def test_an_account_holds_ten_vehicles(motorist: Phone) -> None:
    for _ in range(10):
        motorist.post("/vehicles", {"plate": a_plate(), "colour": "blue"}, expect=201)
    refused = motorist.post("/vehicles", {"plate": a_plate(), "colour": "blue"}, expect=409)
    assert refused["code"] == "too_many_vehicles"
    assert len(motorist.get("/vehicles")) == 10


def test_twelve_vehicles_added_at_once_are_ten(motorist: Phone) -> None:
    def add(plate: str) -> int:
        rival = Phone(motorist.client.application.test_client(), motorist.wechat, access=motorist.access)
        return rival.ask("POST", "/vehicles", {"plate": plate, "colour": "blue"}).status_code

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(add, [a_plate() for _ in range(12)]))
    assert sorted(answers) == [201] * 10 + [409] * 2
    assert len(motorist.get("/vehicles")) == 10


def test_a_vehicle_is_added_while_another_row_that_names_account_and_plate_is_being_written(
    motorist: Phone, stranger: Phone, servers: Addresses
) -> None:
    wish = {"plate": a_plate(), "colour": "blue"}
    stranger.post("/vehicles", wish, expect=201)
    with psycopg.connect(servers.admin) as elsewhere:
        elsewhere.execute("SELECT FROM motorist FOR KEY SHARE")
        elsewhere.execute("SELECT FROM plate FOR KEY SHARE")
        motorist.post("/vehicles", wish, expect=201)


@pytest.mark.parametrize("path", ["/vehicles/{}", "/reservations/{}", "/stays/{}", "/payments/{}"])
def test_what_nobody_has_is_not_found(motorist: Phone, path: str) -> None:
    method = "DELETE" if "vehicles" in path else "GET"
    assert motorist.ask(method, path.format(uuid.uuid4())).status_code == 404
