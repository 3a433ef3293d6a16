"""These tests speak to the platform as a phone does."""

from tests.miniprogram.stand import app, motorist, phone, stranger

__all__ = ["app", "motorist", "phone", "stranger"]
