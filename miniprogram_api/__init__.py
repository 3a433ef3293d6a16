"""The motorist's door (小程序接口): JSON over HTTPS under `/mp/v1`, one file per noun."""

from miniprogram_api import (
    agreement,
    announcements,
    arrears,
    conduct,
    lots,
    messages,
    offers,
    payments,
    prices,
    receipts,
    refunds,
    reservations,
    sessions,
    stays,
    subscriptions,
    turn_aways,
    vehicles,
    waitlist,
)

NOUNS = (
    sessions,
    agreement,
    vehicles,
    lots,
    prices,
    reservations,
    waitlist,
    stays,
    payments,
    arrears,
    receipts,
    refunds,
    messages,
    subscriptions,
    announcements,
    offers,
    turn_aways,
    conduct,
)
blueprints = tuple(noun.blueprint for noun in NOUNS)
