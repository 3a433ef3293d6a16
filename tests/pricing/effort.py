"""How hard random tests try: `TEST_EFFORT` is a percentage, 100 where nobody says otherwise.

`make nightly` asks for 2,000 (10,000 cases against the second program), `make mutants` for a few, always the same.
"""

import os

from hypothesis import HealthCheck, Phase, settings

EFFORT = int(os.environ.get("TEST_EFFORT", "100"))
USUAL = 100


def trying(cases: int = USUAL) -> settings:
    """So many cases at the usual effort; at a small one nobody waits for the plainest failing case.

    Random tariffs are slow to draw, and a busy machine is no failure.
    """
    return settings(
        max_examples=max(1, cases * EFFORT // 100),
        derandomize=EFFORT < USUAL,
        phases=(Phase.explicit, Phase.generate) if EFFORT < USUAL else tuple(Phase),
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
