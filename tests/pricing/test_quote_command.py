"""`tariff quote` as a stranger's program meets it: JSON lines through a pipe, nothing set up."""

import copy
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.pricing import published
from app.jobs.commands.tariffs.json_lines import LONGEST
from app.jobs.commands.tariffs.quote import answer, answer_all
from app.jobs.commands.tariffs.stays import Stay
from tests.pricing.effort import trying

ROOT = Path(__file__).resolve().parents[2]
COLLECTED = json.loads((Path(__file__).parent / "tariffs.json").read_text(encoding="utf-8"))["tariffs"]
COMMAND = [sys.executable, "-m", "flask", "--app", "wsgi", "tariff", "quote"]
BARE: dict[str, str] = {"PATH": os.environ["PATH"]}

Line = dict[str, Any]


def asked(**changes: Any) -> Line:
    """An hour and a half by day in zone 1."""
    stay = {"entry": "2026-06-01T09:00:00+08:00", "exit": "2026-06-01T10:30:00+08:00"}
    return {"tariff": copy.deepcopy(published.read("HZ-ROAD-1").parameters), **stay, **changes}


def told(line: Any) -> Any:
    return json.loads(json.dumps(answer(json.dumps(line).encode())))


def code(line: Any) -> str:
    error = told(line)["error"]
    assert set(error) == {"code", "message"}
    return str(error["code"])


@pytest.mark.parametrize("collected", COLLECTED, ids=lambda each: each["id"])
def test_whole_examples_may_be_piped_and_cost_what_they_say(collected: Line) -> None:
    for example in collected["examples"]:
        answered = told({"tariff": collected["parameters"], **example})
        assert answered["fee_fen"] == example["expected_fen"]
        assert answered["payable_fen"] == example.get("expected_payable_fen", example["expected_fen"])
        assert sum(line["amount_fen"] for line in answered["lines"]) == example["expected_fen"]


def test_an_answer_explains_each_fen_and_names_the_boundary_policy() -> None:
    answered = told(asked())
    assert answered["lines"][0] == {
        "rule": "band", "begins_at": "2026-06-01T09:00:00+08:00", "ends_at": "2026-06-01T10:30:00+08:00",
        "band": "day", "units": 3, "amount_fen": 1000, "text": "8-20时 2个半小时×3元 + 1个半小时×4元",
    }  # fmt: skip
    assert answered["lines"][-1]["text"] == "跨时段停车，各时段分别计费、分别取整"
    assert set(answered) == {"fee_fen", "payable_fen", "lines"}


def test_what_is_null_is_as_if_it_were_absent() -> None:
    nothing = ("vehicle_class", "day_classes", "prior_stays", "booked_end", "waiver", "payment_channel")
    assert told(asked(**dict.fromkeys(nothing))) == told(asked())


def test_a_plates_cap_asks_when_the_earlier_stays_ended() -> None:
    tariff = {**asked()["tariff"], "plate_cap": {"kind": "calendar_day", "fen": 1200}}
    morning = {"entry": "2026-06-01T08:00:00+08:00"}
    assert told(asked(tariff=tariff, prior_stays=[{**morning, "exit": "2026-06-01T08:30:00+08:00"}]))["fee_fen"] == 900
    assert told(asked(tariff=tariff, prior_stays=[morning]))["error"]["message"].endswith(
        "prior_stays[0].exit 缺少此项"
    )
    assert told(asked(prior_stays=[morning]))["fee_fen"] == 1000


def test_holding_a_charger_is_a_fee_of_its_own() -> None:
    fee = {"grace_min": 30, "unit_min": 1, "fen": 100, "rounding": "up", "cap_fen": 5000}
    ended = {"charging_ended": "2026-06-01T09:20:00+08:00", "moved_away": "2026-06-01T10:02:01+08:00"}
    answered = told(asked(tariff={**asked()["tariff"], "occupancy": fee}, **ended))
    assert (answered["fee_fen"], answered["occupancy"]["fee_fen"]) == (1000, 1300)
    assert answered["occupancy"]["lines"][0]["begins_at"] == "2026-06-01T09:50:00+08:00"
    assert told(asked(**ended))["occupancy"] == {"fee_fen": 0, "lines": []}
    assert code(asked(charging_ended=ended["charging_ended"])) == "invalid_line"


WEST_LAKE = next(each["parameters"] for each in COLLECTED if each["id"] == "HZ-WESTLAKE")
"""Its rule is told in words."""
NIGHT = {"entry": "2026-06-01T21:00:00+08:00", "exit": "2026-06-02T07:00:00+08:00"}


def test_a_class_in_words_must_be_told_for_each_date_that_decides_and_for_no_other() -> None:
    assert code(asked(tariff=WEST_LAKE)) == "day_classes_missing"
    assert code(asked(tariff=WEST_LAKE, day_classes={"2026-06-02": "other"})) == "day_class_missing"
    assert code(asked(tariff=WEST_LAKE, day_classes={"2026-06-01": "monday"})) == "unknown_day_class"
    assert told(asked(tariff=WEST_LAKE, day_classes={"2026-06-01": "other"}))["fee_fen"] == 1500
    assert told(asked(tariff=WEST_LAKE, **NIGHT))["fee_fen"] == 500


def test_a_rule_that_a_machine_can_follow_needs_no_list_but_an_official_year() -> None:
    by_rule = published.read("HZ-WESTLAKE").parameters
    october = {"entry": "2026-10-01T09:00:00+08:00", "exit": "2026-10-01T10:30:00+08:00"}
    assert told(asked(tariff=by_rule))["fee_fen"] == 1500
    assert told(asked(tariff=by_rule, **october))["fee_fen"] == 4500
    assert told(asked(tariff=by_rule, **october, day_classes={"2026-10-01": "other"}))["fee_fen"] == 1500
    later = {"entry": "2027-06-01T09:00:00+08:00", "exit": "2027-06-01T10:30:00+08:00"}
    assert code(asked(tariff=by_rule, **later)) == "calendar_year_missing"
    weekdays = {"weekend": {"weekdays": [6, 7]}, "week": {"otherwise": True}}
    bands = [{**WEST_LAKE["bands"][0], "name": name, "days": [name]} for name in weekdays] + WEST_LAKE["bands"][-1:]
    assert told(asked(tariff={**WEST_LAKE, "bands": bands, "day_class_rule": weekdays}, **later))["fee_fen"] == 4500


def spoilt(spoil: Callable[[Line], object]) -> Line:
    tariff = asked()["tariff"]
    spoil(tariff)
    return asked(tariff=tariff)


BAD = [
    ("invalid_line", {}, "tariff"),
    ("invalid_line", asked(entry=None), "entry"),
    ("invalid_line", asked(vehicel_class="large"), "vehicel_class"),
    ("invalid_line", asked(prior_stays=[{}]), "prior_stays[0].entry"),
    ("invalid_line", asked(day_classes={"2026-6-1": "other"}), "day_classes.2026-6-1"),
    ("invalid_tariff", asked(tariff=[]), "tariff"),
    ("invalid_tariff", spoilt(lambda t: t.pop("bands")), "tariff.bands"),
    ("invalid_tariff", spoilt(lambda t: t["bands"][0]["steps"][0].update(fen=3.5)), "tariff.bands[0].steps[0].fen"),
    ("negative_rate", spoilt(lambda t: t["bands"][0]["steps"][0].update(fen=-1)), "tariff.bands[0].steps[0].fen"),
    ("negative_rate", spoilt(lambda t: t["vehicle_classes"]["large"].update(multiplier_permille=-5)), "multiplier"),
    ("bands_leave_gap", spoilt(lambda t: t["bands"][0].update(to="19:30")), "19:30"),
    ("bands_overlap", spoilt(lambda t: t["bands"][0].update(to="20:30")), "day与night"),
    ("cap_below_first_unit", spoilt(lambda t: t["period"].update(cap_fen=100)), "tariff.period.cap_fen"),
    ("cap_below_first_unit", spoilt(lambda t: t["bands"][1].update(band_cap={"fen": 499})), "bands[1].band_cap.fen"),
    ("naive_time", asked(entry="2026-06-01T09:00:00"), "entry"),
    ("invalid_time", asked(exit="2026-02-30T09:00:00+08:00"), "exit"),
    ("invalid_time", asked(exit=1780275600), "exit"),
    ("fraction_of_a_second", asked(exit="2026-06-01T10:30:00.25+08:00"), "exit"),
    ("stay_ends_before_it_begins", asked(exit="2026-06-01T08:59:59+08:00"), "早于"),
    ("stay_too_long", asked(exit="2027-07-06T09:00:01+08:00"), "400"),
    ("unknown_vehicle_class", asked(vehicle_class="tank"), "tank"),
    ("unknown_waiver", asked(waiver="friend"), "friend"),
    ("unknown_payment_channel", asked(payment_channel="gold"), "gold"),
    ("tariff_has_no_price", spoilt(lambda t: t.update(longest_stay_min=60)), "更短"),
]


@pytest.mark.parametrize(("wanted", "line", "named"), BAD, ids=[f"{wanted}-{named}" for wanted, _, named in BAD])
def test_a_refusal_has_a_stable_code_and_says_in_chinese_what_is_wrong_and_where(
    wanted: str, line: Line, named: str
) -> None:
    assert code(line) == wanted
    message = told(line)["error"]["message"]
    assert named in message
    assert any("\u4e00" <= character <= "\u9fff" for character in message)


GARBAGE = [
    (b"\n", "not_json"),
    (b"nonsense\n", "not_json"),
    (b"\xff\xfe\n", "not_json"),
    (b'{"entry": NaN}\n', "not_json"),
    (b'{"fen": ' + b"9" * 5_000 + b"}\n", "not_json"),
    (b'{"entry": 1, "entry": 2}\n', "duplicate_key"),
    (b"[]\n", "not_an_object"),
    (b"null\n", "not_an_object"),
    (b"[" * 100_000 + b"\n", "nested_too_deeply"),
    (b'{"note": "' + b"a" * 10_000_000 + b'"}\n', "invalid_line"),
    (b"a" * (2 * LONGEST + 5) + b"\n", "line_too_long"),
    (b'{"note": "\\ud800"}', "invalid_line"),
]


def test_garbage_is_answered_line_by_line_and_never_stops_the_next() -> None:
    out, good = io.BytesIO(), json.dumps(asked()).encode() + b"\r\n"
    answer_all(io.BytesIO(b"".join(good + line for line, _ in GARBAGE)), out)
    answers = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [each["error"]["code"] for each in answers[1::2]] == [wanted for _, wanted in GARBAGE]
    assert {each["fee_fen"] for each in answers[::2]} == {1000}


def test_a_rule_that_is_nested_beyond_reason_is_refused() -> None:
    rule: Line = {"otherwise": True}
    for _ in range(300):
        rule = {"any": [rule]}
    assert code(asked(tariff={**asked()["tariff"], "day_class_rule": {"other": rule}})) == "nested_too_deeply"


def test_half_a_pair_of_surrogates_comes_back_as_the_escape_it_was() -> None:
    out = io.BytesIO()
    answer_all(io.BytesIO(json.dumps(asked(vehicle_class="\ud800")).encode()), out)
    assert "\ud800" in json.loads(out.getvalue().decode())["error"]["message"]


KEYS = st.sampled_from([*asked(), *asked()["tariff"], "x"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner),
)


@trying()
@given(ANYTHING)
def test_whatever_json_comes_an_answer_goes(anything: Any) -> None:
    for line in (anything, asked(tariff=anything), asked(entry=anything), asked(prior_stays=anything)):
        answered = answer(json.dumps(line).encode())
        assert ("error" in answered) != ("fee_fen" in answered)
        assert answered.get("error", {}).get("code") != "internal_error"


def test_a_fault_of_ours_is_told_and_the_next_line_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Any) -> Any:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(Stay, "read", broken)
        assert code(asked()) == "internal_error"
    assert told(asked())["fee_fen"] == 1000


def test_a_peer_that_holds_the_pipe_open_is_answered_at_once_where_nothing_is_set_up() -> None:
    with subprocess.Popen(
        COMMAND, cwd=ROOT, env=BARE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as peer:
        assert peer.stdin
        assert peer.stdout
        for line, fee in ((b"nonsense", None), (json.dumps(asked()).encode(), 1000)):
            peer.stdin.write(line + b"\n")
            peer.stdin.flush()
            assert json.loads(peer.stdout.readline()).get("fee_fen") == fee
        rest, _ = peer.communicate()
    assert (peer.returncode, rest) == (0, b"")


@pytest.mark.parametrize("words", [["units", "list"], ["run"]])
def test_what_needs_settings_still_says_which_are_missing(words: list[str]) -> None:
    ended = subprocess.run([*COMMAND[:-2], *words], cwd=ROOT, env=BARE, capture_output=True, text=True, check=False)
    assert ended.returncode != 0
    assert "DATABASE_URL is missing" in ended.stderr
