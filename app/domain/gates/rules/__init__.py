"""What gate messages mean, as pure functions: clocks, reports, lists, decisions."""

from app.domain.gates.rules.decisions import BUSY, LONG_AGO, Decision

__all__ = ["BUSY", "LONG_AGO", "Decision"]
