import logging
from collections.abc import Mapping
from pathlib import Path

import requests
import structlog

from tests.gates.stand import DEADLINE_SECONDS, served
from tests.ground import Addresses
from tests.miniprogram.stand import Phone, a_plate
from tests.web.conftest import Told


def test_a_field_that_is_not_on_the_list_is_dropped_and_named(told: Told) -> None:
    structlog.get_logger("errors").warning("told", plate="浙A12345", code="x", stay_id=7, phone_id="13800138000")
    line = told()[-1]
    assert (line["code"], line["stay_id"], line["fields_left_out"]) == ("x", 7, ["phone_id", "plate"])
    assert "浙A12345" not in str(line)


def test_of_an_exception_only_its_class_and_place_are_logged(told: Told) -> None:
    structlog.get_logger("errors").error("failed", exc_info=_raised())
    line = told()[-1]
    assert line["error"] == "ValueError"
    assert "13800138000" not in str(line)
    assert "_raised" in str(line["where"])


def test_of_a_group_the_first_of_what_it_holds_are_told_too(told: Told) -> None:
    structlog.get_logger("errors").error("failed", exc_info=ExceptionGroup("13800138000", [_raised(), _raised()]))
    line = told()[-1]
    assert line["error"] == "ExceptionGroup ValueError ValueError"
    assert "13800138000" not in str(line)
    assert "_raised" in str(line["where"])


def _raised() -> ValueError:
    try:
        int("+8613800138000x")
    except ValueError as error:
        return error
    raise AssertionError


def test_libraries_keep_their_template_and_lose_its_values(told: Told) -> None:
    logging.getLogger("some.library").warning("cannot read %s", "浙A12345")
    assert told()[-1]["event"] == "cannot read %s"


def test_a_request_is_logged_by_its_route_never_by_its_address(told: Told, motorist: Phone) -> None:
    plate = a_plate()
    motorist.post("/vehicles", {"plate": plate, "colour": "blue"}, expect=201)
    motorist.ask("GET", "/lots?lat=30.271&lng=120.153")
    routes = [line["route"] for line in told() if line["event"] == "served"]
    assert routes[-2:] == ["/mp/v1/vehicles", "/mp/v1/lots"]
    assert all(word not in str(told()) for word in (plate, "30.271", motorist.access, motorist.openid))


def test_the_served_platform_writes_no_query_down(
    environment: Mapping[str, str], database: Addresses, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with served(environment, log) as address:
        for path in ("/mp/v1/lots", "/mp/v1/nowhere", "/healthz"):
            requests.get(f"{address}{path}?lat=30.271&lng=120.153", timeout=DEADLINE_SECONDS)
    written = log.read_text()
    assert written.count('"event":"served"') == 3
    assert "30.271" not in written
    assert "120.153" not in written


def test_a_line_names_the_request_that_caused_it(told: Told, phone: Phone) -> None:
    phone.client.get("/healthz", headers={"X-Request-ID": "causes-a-line-1"})
    assert told()[-1]["request_id"] == "causes-a-line-1"
