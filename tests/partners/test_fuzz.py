"""Whatever is signed and sent, this door answers as its description says, and never breaks."""

import json
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.lots.models import Lot
from app.web.openapi import description
from tests.partners.stand import Hand, count, visit

FEW = settings(
    max_examples=6, deadline=None, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(("method", "path"), [("POST", "/counts"), ("POST", "/visits"), ("PUT", "/lots/{lot}")])
def test_what_the_description_allows_is_answered_as_described(
    app: Flask, hand: Hand, lot: Lot, method: str, path: str
) -> None:
    document = description(app)
    operation = schemathesis.openapi.from_dict(document)[f"/partner/v1{path}"][method]

    @FEW
    @given(case=operation.as_strategy())
    def answered(case: Any) -> None:
        response = hand.send(method, path.replace("{lot}", str(lot.key)), case.body)
        assert str(response.status_code) in document["paths"][f"/partner/v1{path}"][method.lower()]["responses"]
        assert "X-Signature" in response.headers

    answered()


@pytest.mark.parametrize("noun", ["counts", "visits"])
def test_a_record_with_a_field_of_nonsense_gets_a_verdict_and_breaks_nothing(hand: Hand, lot: Lot, noun: str) -> None:
    good = {"counts": count(lot), "visits": visit(lot)}[noun]

    @FEW
    @given(field=st.sampled_from([*good, "left_at", "kind", "reason", "entry_lane"]), value=JSON)
    def judged(field: str, value: Any) -> None:
        body = {noun: [{**good, field: value}, json.loads(json.dumps(value))]}
        response = hand.send("POST", f"/{noun}", body)
        assert response.status_code in (200, 400, 422)
        if response.status_code == 200:
            assert response.get_json()["verdicts"][1]["code"] == "fields_refused"

    judged()
