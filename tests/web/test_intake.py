from typing import Any

import pytest

from tests.miniprogram.stand import Phone, a_plate


def sent(phone: Phone, body: bytes | str, content_type: str = "application/json") -> tuple[int, dict[str, Any]]:
    response = phone.ask("POST", "/vehicles", data=body, content_type=content_type)
    return response.status_code, response.get_json()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "invalid_json"), (b"\xff\xfe", "invalid_json"), (b'{"plate": NaN}', "invalid_json"),
        (b'{"plate": "a", "plate": "b"}', "invalid_json"), (b"[]", "not_an_object"), (b'"x"', "not_an_object"),
        (b'{"plate":' + b"[" * 20 + b"]" * 20 + b"}", "json_too_deep"), (b"[" * 30_000, "invalid_json"),
    ],
)  # fmt: skip
def test_what_is_no_json_object_is_refused(motorist: Phone, body: bytes, code: str) -> None:
    status, answer = sent(motorist, body)
    assert (status, answer["code"]) == (400, code)


@pytest.mark.parametrize("text", ["浙A\\u000012345", "\\ud800", "a\\udfffb"])
def test_characters_that_cannot_be_stored_are_refused_in_bodies(motorist: Phone, text: str) -> None:
    status, answer = sent(motorist, f'{{"plate": "{text}", "colour": "blue"}}')
    assert (status, answer["code"]) == (422, "forbidden_character")


def test_characters_that_cannot_be_stored_are_refused_in_queries_and_paths(motorist: Phone) -> None:
    for path in ("/stays?cursor=a%00b", "/stays?a%00=b", "/stays/%00"):
        response = motorist.ask("GET", path)
        assert (response.status_code, response.get_json()["code"]) == (422, "forbidden_character")


def test_a_body_of_more_than_64_kib_is_refused(motorist: Phone) -> None:
    largest = b'{"plate": "' + b"x" * (64 * 1024 - 13) + b'"}'
    assert sent(motorist, largest)[0] == 422
    status, answer = sent(motorist, largest + b" ")
    assert (status, answer["code"]) == (413, "body_too_large")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_only_json_is_read(motorist: Phone, content_type: str) -> None:
    status, answer = sent(motorist, '{"plate": "x", "colour": "blue"}', content_type)
    assert (status, answer["code"]) == (415, "unsupported_media_type")


def test_an_unknown_field_is_refused_by_name(motorist: Phone) -> None:
    wish = {"plate": a_plate(), "colour": "blue", "motorist_id": 1}
    refused = motorist.post("/vehicles", wish, expect=422)
    assert refused["details"]["fields"] == {"json": {"motorist_id": ["未知字段"]}}


def test_an_unknown_query_parameter_is_refused_by_name(motorist: Phone) -> None:
    refused = motorist.get("/reservations", {"state": "all"}, expect=422)
    assert refused["details"]["fields"] == {"query": {"state": ["未知字段"]}}


@pytest.mark.parametrize(
    "span",
    [
        {"begins_at": "2026-03-01T08:00:00"}, {"begins_at": "yesterday"}, {"begins_at": "0001-01-01T00:00:00+14:00"},
        {"begins_at": "9999-12-31T23:59:59-14:00"}, {"ends_at": "2026-03-01T07:00:00+08:00"}, {"lat": "1e400"},
        {"lat": "nan"}, {"radius_m": "99999999999999999999"}, {"vehicle_class": "tank"}, {"lng": "181"},
    ],
)  # fmt: skip
def test_a_senseless_search_is_refused_not_failed(motorist: Phone, span: dict[str, str]) -> None:
    wish = {"lat": "30.27", "lng": "120.15", "begins_at": "2026-03-01T08:00:00+08:00"}
    query = {**wish, "ends_at": "2026-03-01T10:00:00+08:00", **span}
    assert motorist.get("/lots", query, expect=422)["code"] == "invalid"


def test_a_cursor_is_only_good_where_it_was_given(motorist: Phone) -> None:
    for made_up in ("x", "AAAA", "5" * 200, "é"):
        assert motorist.get("/stays", {"cursor": made_up}, expect=422)["code"] == "invalid_cursor"


@pytest.mark.parametrize("path", ["//stays", "/stays//", "/stays/"])
def test_an_address_with_a_slash_too_many_is_refused_and_sent_nowhere(motorist: Phone, path: str) -> None:
    response = motorist.ask("GET", path)
    assert (response.status_code, response.get_json()["code"]) == (404, "not_found")
