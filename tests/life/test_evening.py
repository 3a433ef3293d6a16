"""Whatever people do in whatever order, no evening ends with a bay promised twice, a phantom stay or a wrong bill."""

from datetime import datetime

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.conftest import MovableClock
from tests.life.evening import Evening
from tests.pricing.effort import EFFORT, USUAL


@pytest.mark.timeout(240)
def test_an_evening_of_any_deeds_in_any_order_keeps_every_promise(evening: datetime, clock: MovableClock) -> None:
    class ThisEvening(Evening):
        began, time = evening, clock

    effort = settings(
        max_examples=max(1, 6 * EFFORT // USUAL), stateful_step_count=20, deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    run_state_machine_as_test(ThisEvening, settings=effort)
