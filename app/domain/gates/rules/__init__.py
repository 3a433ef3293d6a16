"""What gate messages mean, as pure functions: clocks, reports, lists, decisions."""

from app.domain.gates.rules.decisions import Decision

__all__ = ["Decision"]
