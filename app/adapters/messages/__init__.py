"""Telling a motorist something through WeChat: subscribe messages (小程序订阅消息)."""

from app.adapters.messages.client import SubscribeMessages
from app.adapters.messages.outcomes import NotNow, Outcome, Refused, Sent, Unknown
from app.adapters.messages.words import Notice, fitted, is_field

__all__ = [
    "NotNow",
    "Notice",
    "Outcome",
    "Refused",
    "Sent",
    "SubscribeMessages",
    "Unknown",
    "fitted",
    "is_field",
]
