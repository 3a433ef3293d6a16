"""Who is in the register, who is excepted, and who runs a lot."""

from app.domain.units.queries.agreed import (
    AGREEMENT,
    AgreementView,
    agreement_paper,
    agreement_seen,
    agreements,
    answered,
    end_of,
    unreminded,
)
from app.domain.units.queries.exceptions import excluded, is_excluded, is_secret, secret
from app.domain.units.queries.register import changes, findings, operator_by_key, operators, unit_seen, units, within
from app.domain.units.queries.running import is_run, operating, operator_at, operators_of, runs

__all__ = [
    "AGREEMENT",
    "AgreementView",
    "agreement_paper",
    "agreement_seen",
    "agreements",
    "answered",
    "changes",
    "end_of",
    "excluded",
    "findings",
    "is_excluded",
    "is_run",
    "is_secret",
    "operating",
    "operator_at",
    "operator_by_key",
    "operators",
    "operators_of",
    "runs",
    "secret",
    "unit_seen",
    "units",
    "unreminded",
    "within",
]
