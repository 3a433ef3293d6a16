"""Templates and deliveries, as somebody at a terminal sees them."""

from datetime import datetime

import pytest
from flask import Flask

from app.jobs.sweepers import deliver_messages
from tests.commands import refused, run
from tests.commands import told as answered
from tests.messages.stand import listener, templates, told
from tests.wechat.stand import Stand
from tests.world import staff

SET = ("messages", "set-template", "leaving", "tmpl-1", "--page", "pages/stay/index", "--field")


def test_a_template_is_set_and_a_later_one_follows_it(evening: datetime, app: Flask) -> None:
    by = staff("administrator")
    answered(app, by, *SET, "thing1=lot")
    answered(app, by, *SET, "thing1=lot", "--from", "2026-06-20 00:00")
    [row] = answered(app, by, "messages", "templates")
    assert (row["kind"], row["fields"], row["begins_at"]) == (
        "leaving", {"thing1": "lot"}, "2026-06-20T00:00:00+08:00",
    )  # fmt: skip
    assert refused(app, by, *SET, "thing1=lot") == "change_out_of_order"


@pytest.mark.parametrize("field", ["car_number1=lot", "thing1=plate", "thing1", "=lot"])
def test_a_field_that_cannot_be_filled_is_refused(evening: datetime, app: Flask, field: str) -> None:
    assert refused(app, staff("administrator"), *SET, field) == "template_unfit"


def test_only_administrators_set_templates(evening: datetime, app: Flask) -> None:
    assert refused(app, staff("regulator"), *SET, "thing1=lot") == "not_permitted"
    assert refused(app, staff("finance_maker"), "messages", "deliveries") == "not_permitted"


def test_deliveries_are_listed_without_saying_to_whom(wechat_stand_in: Stand, evening: datetime, app: Flask) -> None:
    templates(wechat_stand_in)
    of = listener(wechat_stand_in).accepts()
    told(of)
    deliver_messages()
    by = staff("regulator")
    [row] = answered(app, by, "messages", "deliveries")
    assert (row["kind"], row["state"], row["attempts"]) == ("test", "sent", 1)
    assert answered(app, by, "messages", "deliveries", "--state", "refused") == []
    assert "sent" in run(app, by, "messages", "deliveries").stdout
