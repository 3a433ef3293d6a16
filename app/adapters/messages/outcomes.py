"""What may come of sending a subscribe message. None carries an openid, a token or what was said."""

from dataclasses import dataclass

NO_CONSENT = 43101
SAME_USER_AT_ONCE = 43108
QUOTA = frozenset({45009, 45011})
BUSY = -1


@dataclass(frozen=True)
class Sent:
    """WeChat took the message and will show it."""

    message_id: str


@dataclass(frozen=True)
class Refused:
    """WeChat will never take this message as it is; `errcode` says why."""

    errcode: int

    @property
    def has_no_consent(self) -> bool:
        """The person refused, or what they allowed is used up (43101): nothing else of this template will be taken."""
        return self.errcode == NO_CONSENT


@dataclass(frozen=True)
class NotNow:
    """Certainly not taken, and worth trying again later.

    `errcode` is absent when WeChat was not reached. `for_all`: what stands in the way stands in everybody's way.
    """

    errcode: int | None
    for_all: bool


@dataclass(frozen=True)
class Unknown:
    """It was sent and no useful answer came. Whether it was taken cannot be asked, so it is never sent again."""


Outcome = Sent | Refused | NotNow | Unknown
