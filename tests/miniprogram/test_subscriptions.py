"""Motorists tell what they allowed in WeChat."""

import pytest

from app.domain.messages.rules import MOST_KEPT
from tests.messages.stand import template_id, templates
from tests.miniprogram.stand import Phone


@pytest.fixture
def allowing(motorist: Phone) -> Phone:
    templates(motorist.wechat)
    return motorist


def left(phone: Phone) -> dict[str, int]:
    return {each["kind"]: each["left"] for each in phone.get("/subscriptions")["items"]}


def test_each_acceptance_is_one_message_more(allowing: Phone, stranger: Phone) -> None:
    assert left(allowing) == {"arrears": 0, "booking": 0, "conduct": 0, "leaving": 0}
    both = {"template_ids": [template_id("leaving"), template_id("conduct")]}
    allowing.post("/subscriptions", both, expect=201)
    allowing.post("/subscriptions", {"template_ids": [template_id()]}, expect=201)
    assert left(allowing) == {"arrears": 0, "booking": 0, "conduct": 1, "leaving": 2}
    assert left(stranger) == {"arrears": 0, "booking": 0, "conduct": 0, "leaving": 0}


def test_the_same_request_counts_once(allowing: Phone) -> None:
    for _ in range(2):
        allowing.post("/subscriptions", {"template_ids": [template_id()]}, expect=201, key="the-same-key")
    assert left(allowing)["leaving"] == 1


def test_a_template_that_is_none_of_ours_is_refused_and_nothing_is_noted(allowing: Phone) -> None:
    wish = {"template_ids": [template_id(), "tmpl-of-others"]}
    assert allowing.post("/subscriptions", wish, expect=422)["code"] == "template_unknown"
    assert left(allowing)["leaving"] == 0


@pytest.mark.parametrize("wish", [{}, {"template_ids": []}, {"template_ids": [""]}, {"template_ids": ["a"] * 4}])
def test_a_wish_that_names_nothing_is_refused(allowing: Phone, wish: dict[str, object]) -> None:
    allowing.post("/subscriptions", wish, expect=422)


def test_no_more_is_kept_than_anybody_needs(allowing: Phone) -> None:
    for _ in range(MOST_KEPT + 2):
        allowing.post("/subscriptions", {"template_ids": [template_id()]}, expect=201)
    assert left(allowing)["leaving"] == MOST_KEPT
