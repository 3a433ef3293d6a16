"""What finance people do with service fees: write down what was agreed, draw statements, decide, take them out."""

from app.domain.service_fees.actions.statements import draft, issue, reject
from app.domain.service_fees.actions.terms import confirm_terms, end_terms, record_terms, take_paper

__all__ = ["confirm_terms", "draft", "end_terms", "issue", "record_terms", "reject", "take_paper"]
