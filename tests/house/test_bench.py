"""What the bench compares is the same work on both sides."""

from datetime import timedelta
from functools import partial
from itertools import islice
from urllib.parse import parse_qs

import orjson
import pytest
from psycopg.types.range import Range

from bench.bare import app as bare
from bench.city import CENTRE, FIRST, key_of
from bench.ground import MOMENT
from bench.load import UnexpectedAnswer, requests_per_second
from bench.metropolis import Metropolis
from bench.posting import MARK, script_of
from bench.recording import Sent
from bench.script import pgbench_script
from bench.turns import in_turns, ratio
from bench.wishes import FIRST_EVENING, searches_in
from launcher.ports import free_ports

MOTORIST, LOT, BAY = FIRST["motorist"], FIRST["lot"], FIRST["bay"] + 5


def written(sql: str, values: dict[str, object], *before: Sent) -> str:
    lines = pgbench_script([*before, Sent(sql, values, {})], MOTORIST, LOT, FIRST_EVENING).splitlines()
    return lines[-2]


def test_a_recorded_motorist_and_lot_become_others_in_each_transaction() -> None:
    said = written("SELECT %(who)s, %(key)s", {"who": MOTORIST, "key": key_of(LOT)})
    assert said == "SELECT :motorist, ('00000000-0000-7000-8000-' || :lot)::uuid;"


def test_a_bay_that_was_found_is_named_by_the_answer_that_found_it() -> None:
    found = Sent("SELECT id FROM bay", None, {"id": BAY})
    assert written("UPDATE bay SET id = %(id)s", {"id": BAY}, found) == "UPDATE bay SET id = :q0_id;"


def test_the_reserved_hour_moves_and_the_clock_stands() -> None:
    begins_at, now = FIRST_EVENING, FIRST_EVENING + timedelta(microseconds=7)
    said = written("%(during)s %(now)s", {"during": Range(begins_at, begins_at + timedelta(hours=1)), "now": now})
    assert said.count(":hours * interval '1 hour'") == 2
    assert said.endswith(f"'[)') timestamptz '{now.isoformat()}';")


def test_a_new_key_is_new_in_each_transaction() -> None:
    assert written("SELECT %(key)s", {"key": key_of(BAY)}) == "SELECT gen_random_uuid();"


def test_a_recorded_posting_becomes_one_of_each_clients_payee_under_another_reference() -> None:
    sent = Sent("SELECT post_journal(%(ref)s, %(payee)s, %(fen)s)", {"ref": MARK, "payee": 7, "fen": 1250}, {})
    assert script_of([sent], [7, 8]).splitlines() == [
        "\\set payee 7 + :client_id", "\\set number random(1, 9000000000000000)", "BEGIN;",
        "SELECT post_journal(('order:' || :number), :payee, 1250);", "COMMIT;",
    ]  # fmt: skip


def test_sides_take_turns_after_a_round_to_warm_up() -> None:
    order: list[str] = []

    def measure(name: str) -> float:
        order.append(name)
        return 2.0

    rates = in_turns({name: partial(measure, name) for name in "AB"}, 2)
    assert "".join(order) == "ABABAB"
    assert rates == {"A": [2.0, 2.0], "B": [2.0, 2.0]}


def test_a_ratio_compares_the_sides_of_one_round() -> None:
    assert ratio([10, 1, 30], [20, 2, 60]) == pytest.approx(0.5)


def test_a_server_that_is_not_there_is_no_measurement() -> None:
    with pytest.raises((ConnectionError, UnexpectedAnswer)):
        requests_per_second(free_ports(1)[0], iter([b""]), 0.1)


def test_searches_of_a_city_are_hardly_ever_alike_and_lie_within_it() -> None:
    city, keys = Metropolis(500), {"test": b"k" * 32}
    asked = [
        parse_qs(request.split()[1].decode()) for request in islice(searches_in(city, keys, [MOTORIST], MOMENT), 200)
    ]
    assert len({str(each) for each in asked}) == 200
    assert all(abs(float(each["/mp/v1/lots?lat"][0]) - CENTRE.latitude) <= city.reach for each in asked)


def test_a_large_city_is_as_dense_as_a_small_one() -> None:
    small, large = Metropolis(500), Metropolis(50_000)
    assert small.lots / small.reach**2 == pytest.approx(large.lots / large.reach**2)


def test_the_yardsticks_page_has_the_bytes_of_the_platforms(monkeypatch: pytest.MonkeyPatch) -> None:
    found = orjson.dumps({"items": [{"name": "示例停车场", "fee_fen": 300, "is_open": True}], "next_cursor": None})
    monkeypatch.setattr("bench.bare.PAGE", orjson.loads(found))
    assert len(bare.test_client().get("/page").data.strip()) == len(found)
