"""Cheaper tariffs derived from published ones."""

from app.jobs.sample_city.tariffs import scaled


def test_a_derived_tariff_has_smaller_sums_and_is_otherwise_the_same() -> None:
    told = {"fen": 500, "cap_fen": None, "steps": [{"minutes": 60, "fen": 333}]}
    assert scaled(told, 600) == {"fen": 300, "cap_fen": None, "steps": [{"minutes": 60, "fen": 199}]}
