"""Spans of time are half-open [begin, end) everywhere, so that what touches does not overlap."""

from datetime import datetime

from sqlalchemy.dialects.postgresql import Range


def span(begins_at: datetime, ends_at: datetime | None) -> Range[datetime]:
    """The half-open span [begins_at, ends_at); no end: for ever."""
    return Range(begins_at, ends_at, bounds="[)")


def span_or_nothing(begins_at: datetime, ends_at: datetime) -> Range[datetime]:
    """The span [begins_at, ends_at), or one without any moment where it would run backwards."""
    return span(begins_at, ends_at) if begins_at < ends_at else Range(empty=True)


def bounds(during: Range[datetime]) -> tuple[datetime, datetime]:
    """Both ends of a span that the table keeps finite."""
    assert during.lower is not None
    assert during.upper is not None
    return during.lower, during.upper
