"""The reference client as it lies in docs/, against the true door behind a WSGI server."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from app.domain.lots.models import Lot
from app.domain.partners.models import LotCount
from app.kernel.db import transaction
from tests.partners.stand import CLIENT, Hand, count, reference_client, served, visit

module = reference_client()


@pytest.fixture
def url(app: Flask) -> Iterator[str]:
    with served(app) as address:
        yield address


@pytest.fixture
def partner(hand: Hand, url: str) -> Any:
    made = hand.partner.made
    client = module.PartnerClient(url, str(made.partner), made.key_id, made.secret.hex(), pause=0)
    yield client
    client.session.close()


def test_it_is_under_a_hundred_lines() -> None:
    assert len(CLIENT.read_text().splitlines()) < 100


def test_it_follows_the_platforms_clock_lists_describes_and_pushes(partner: Any, lot: Lot) -> None:
    [own] = partner.lots()
    assert own["lot"] == str(lot.key)
    assert abs(partner.offset) > 300
    assert partner.describe(own["lot"], {"own_code": "P-1"})["outcome"] == "unchanged"
    good = count(lot)
    told = partner.push("counts", [good, count(lot, -1), good])
    assert [verdict["outcome"] for verdict in told] == ["recorded", "refused", "repeated"]
    assert [verdict["outcome"] for verdict in partner.push("visits", [visit(lot)])] == ["recorded"]


def test_more_than_a_batch_goes_in_several_and_verdicts_keep_their_places(partner: Any, lot: Lot) -> None:
    told = partner.push("counts", [count(lot, -1)] * 501 + [count(lot)])
    assert [verdict["index"] for verdict in told] == list(range(502))
    assert told[-1]["outcome"] == "recorded"


def test_an_answer_that_got_lost_is_asked_for_again_and_nothing_happens_twice(
    partner: Any, lot: Lot, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost: list[Any] = []
    true_request = partner.session.request

    def lose_the_first(*words: Any, **more: Any) -> Any:
        answer = true_request(*words, **more)
        if answer.status_code == 200 and not lost:
            lost.append(answer)
            raise module.requests.ConnectionError
        return answer

    monkeypatch.setattr(partner.session, "request", lose_the_first)
    assert [verdict["outcome"] for verdict in partner.push("counts", [count(lot)])] == ["recorded"]
    assert len(lost) == 1
    with transaction() as session:
        assert session.query(LotCount).count() == 1


def test_what_the_platform_did_not_sign_is_not_believed(partner: Any) -> None:
    partner.secret = b"\0" * 32
    with pytest.raises(module.NotBelieved):
        partner.lots()


def test_a_refused_message_is_told_with_its_code(partner: Any) -> None:
    with pytest.raises(module.Refused) as refused:
        partner.describe("00000000-0000-7000-8000-000000000000", {})
    assert (refused.value.args[0], refused.value.args[1]["code"]) == (404, "lot_not_found")


def test_it_is_a_program_too(hand: Hand, url: str, lot: Lot, tmp_path: Path) -> None:
    made = hand.partner.made
    (tmp_path / "counts.json").write_text(json.dumps([count(lot)]))
    told = {
        "GONGBO_URL": url, "GONGBO_PARTNER": str(made.partner), "GONGBO_KEY": made.key_id,
        "GONGBO_SECRET": made.secret.hex(),
    }  # fmt: skip
    command = [sys.executable, str(CLIENT), "counts", str(tmp_path / "counts.json")]
    done = subprocess.run(command, env={**os.environ, **told}, capture_output=True, text=True, check=True, timeout=30)
    assert json.loads(done.stdout)[0]["outcome"] == "recorded"
