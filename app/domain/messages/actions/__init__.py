"""What is told to motorists, by inbox and through WeChat; one file a verb."""

from app.domain.messages.actions.accept import UnknownTemplate, accept
from app.domain.messages.actions.deliver import deliver, deliver_due
from app.domain.messages.actions.read import read, read_all
from app.domain.messages.actions.silence import silence
from app.domain.messages.actions.tell import tell
from app.domain.messages.actions.templates import set_template

__all__ = [
    "UnknownTemplate",
    "accept",
    "deliver",
    "deliver_due",
    "read",
    "read_all",
    "set_template",
    "silence",
    "tell",
]
