"""Prices as pure rules: read a tariff, quote a stay, cap it, tell it in words."""

from app.domain.pricing.rules.caps import BilledFee, FreeTime, Priced, Source, charged_parts
from app.domain.pricing.rules.day_classes import (
    Calendar,
    DayClassesMissing,
    DayClassMissing,
    DayOf,
    asks_for_official_days,
)
from app.domain.pricing.rules.form import InvalidTariff
from app.domain.pricing.rules.hourly import hourly_text
from app.domain.pricing.rules.quotes import (
    NO_HISTORY,
    EndsBeforeItBegins,
    History,
    Line,
    OccupancyQuote,
    Quote,
    StayTooLong,
    UnknownPaymentChannel,
    UnknownWaiver,
    quote,
    quote_occupancy,
)
from app.domain.pricing.rules.spans import NoPrice, classes_of, no_day_classes
from app.domain.pricing.rules.tariff import Tariff, UnknownVehicleClass

__all__ = [
    "NO_HISTORY",
    "BilledFee",
    "Calendar",
    "DayClassMissing",
    "DayClassesMissing",
    "DayOf",
    "EndsBeforeItBegins",
    "FreeTime",
    "History",
    "InvalidTariff",
    "Line",
    "NoPrice",
    "OccupancyQuote",
    "Priced",
    "Quote",
    "Source",
    "StayTooLong",
    "Tariff",
    "UnknownPaymentChannel",
    "UnknownVehicleClass",
    "UnknownWaiver",
    "asks_for_official_days",
    "charged_parts",
    "classes_of",
    "hourly_text",
    "no_day_classes",
    "quote",
    "quote_occupancy",
]
