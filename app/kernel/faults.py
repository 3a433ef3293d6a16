"""Named points at which a test may kill this very process; no-ops unless FAULT_PLAN is set.

FAULT_PLAN is `name[:n]`: die at the n-th passage (default 1) of the point called `name`.
"""

import os
import signal
from collections import Counter

_passages: Counter[str] = Counter()


def fault_point(name: str) -> None:
    """Die here, as by power loss, when the plan says so (reliability tests only)."""
    plan = os.environ.get("FAULT_PLAN")
    if not plan:
        return
    wanted, _, nth = plan.partition(":")
    if wanted != name:
        return
    _passages[name] += 1
    if _passages[name] == int(nth or 1):
        os.kill(os.getpid(), signal.SIGKILL)
