"""How long a proof of the cap takes: published tariffs against each other, in this process, all official calendars."""

import json
from pathlib import Path
from statistics import median
from time import perf_counter

from app.domain.pricing.rules import Tariff
from app.domain.pricing.rules.proofs import Readings, prove
from app.jobs.commands.tariffs.prove import official_dates
from bench.results import tell

COLLECTION = Path(__file__).resolve().parent.parent / "tests" / "pricing" / "tariffs.json"
TYPICAL = ("HZ-ROAD-2", "HZ-ROAD-1")
HARDEST = ("HZ-WESTLAKE", "HZ-FUYI")
"""The slowest of all pairs of published tariffs."""
ROUNDS = 3


def measure(hardest_rounds: int) -> None:
    """The line of a usual pair, which holds, and that of the hardest, with its counterexample and remedy."""
    told = json.loads(COLLECTION.read_text(encoding="utf-8"))["tariffs"]
    tariffs = {each["id"]: Tariff.load(each["parameters"]) for each in told}
    dates = official_dates()
    for bench, (own, reference), rounds in (
        ("cap_proof", TYPICAL, ROUNDS), ("cap_proof_hardest", HARDEST, hardest_rounds),
    ):  # fmt: skip
        seconds = _seconds(tariffs[own], tariffs[reference], dates, rounds)
        tell(bench, {"seconds": seconds}, f"a proof of {own} under {reference}, median of {rounds}")


def _seconds(own: Tariff, reference: Tariff, dates: Readings, rounds: int) -> float:
    taken = []
    for _ in range(rounds):
        begun = perf_counter()
        prove(own, [reference], dates)
        taken.append(perf_counter() - begun)
    return median(taken)
