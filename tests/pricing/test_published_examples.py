"""The engine against every published and worked-out example of the collected tariffs, to the second."""

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from app.domain.pricing.rules import Quote, Tariff, classes_of, hourly_text, quote

COLLECTION: dict[str, Any] = json.loads((Path(__file__).parent / "tariffs.json").read_text(encoding="utf-8"))
TARIFFS: dict[str, dict[str, Any]] = {each["id"]: each for each in COLLECTION["tariffs"]}
EXAMPLES = [
    pytest.param(name, example, id=f"{name}-{place}")
    for name, tariff in TARIFFS.items()
    for place, example in enumerate(tariff["examples"])
]


moment = datetime.fromisoformat


def quoted(parameters: dict[str, Any], example: dict[str, Any]) -> Quote:
    listed = {date.fromisoformat(day): name for day, name in example.get("day_classes", {}).items()}
    booked_end = example.get("booked_end")
    return quote(
        Tariff.load(parameters),
        moment(example["entry"]),
        moment(example["exit"]),
        example.get("vehicle_class"),
        [(moment(stay["entry"]), moment(stay["exit"])) for stay in example.get("prior_stays", [])],
        classes_of(listed),
        booked_end=None if booked_end is None else moment(booked_end),
        waiver=example.get("waiver"),
        payment_channel=example.get("payment_channel"),
    )


def test_the_collection_is_complete() -> None:
    assert (len(TARIFFS), len(EXAMPLES)) == (COLLECTION["tariff_count"], COLLECTION["example_count"]) == (35, 339)


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_an_example_costs_what_its_source_says_and_its_lines_add_up(name: str, example: dict[str, Any]) -> None:
    bill = quoted(TARIFFS[name]["parameters"], example)
    assert bill.total_fen == example["expected_fen"]
    assert bill.payable_fen == example.get("expected_payable_fen", example["expected_fen"])
    assert sum(line.amount_fen for line in bill.lines) == bill.total_fen
    assert "合计" in bill.explain()


@pytest.mark.parametrize("name", TARIFFS)
def test_every_tariff_is_told_in_one_short_chinese_sentence(name: str) -> None:
    parameters = TARIFFS[name]["parameters"]
    some_class = next(iter(parameters.get("day_class_rule", {"": ""})))
    told = hourly_text(
        Tariff.load(parameters), datetime.fromisoformat("2026-06-01T09:00:00+08:00"), lambda _: some_class
    )
    assert "元" in told
    assert len(told) < 120
