"""The motorists room on the whole platform."""

from tests.miniprogram.stand import app, motorist, phone, stranger

__all__ = ["app", "motorist", "phone", "stranger"]
