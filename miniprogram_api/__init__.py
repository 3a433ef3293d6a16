"""The motorist's door (小程序接口): JSON over HTTPS under `/mp/v1`, one file per noun."""

from miniprogram_api import agreement, lots, messages, payments, receipts, reservations, sessions, stays, vehicles

NOUNS = (sessions, agreement, vehicles, lots, reservations, stays, payments, receipts, messages)
blueprints = tuple(noun.blueprint for noun in NOUNS)
