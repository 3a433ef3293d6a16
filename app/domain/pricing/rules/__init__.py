"""Prices as pure rules: read a tariff, quote a stay, cap it, tell it in words."""

from app.domain.pricing.rules.caps import BilledFee, FreeTime, capped, charged_parts
from app.domain.pricing.rules.form import InvalidTariff
from app.domain.pricing.rules.hourly import hourly_text
from app.domain.pricing.rules.quotes import (
    EndsBeforeItBegins,
    Line,
    Quote,
    UnknownPaymentChannel,
    UnknownWaiver,
    quote,
)
from app.domain.pricing.rules.spans import Calendar, NoPrice, classes_of, no_day_classes
from app.domain.pricing.rules.tariff import Tariff, UnknownVehicleClass

__all__ = [
    "BilledFee",
    "Calendar",
    "EndsBeforeItBegins",
    "FreeTime",
    "InvalidTariff",
    "Line",
    "NoPrice",
    "Quote",
    "Tariff",
    "UnknownPaymentChannel",
    "UnknownVehicleClass",
    "UnknownWaiver",
    "capped",
    "charged_parts",
    "classes_of",
    "hourly_text",
    "no_day_classes",
    "quote",
]
