"""What may come of handing a letter to the mail server. None carries an address, or the server's words about it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Taken:
    """The server has taken the letter and answers for it from now on (RFC 5321 §6.1)."""


@dataclass(frozen=True)
class Refused:
    """The server will never take this letter for this address; `code` is its reply, 500 to 599."""

    code: int


@dataclass(frozen=True)
class NotNow:
    """Not taken, or not known to be taken: worth sending again later, under the same Message-ID.

    `code` is absent when there was no reply. `for_all`: what stands in the way stands in the way of every letter.
    `misconfigured`: it will stand there until a person mends our settings or our account with the server.
    """

    code: int | None
    for_all: bool
    misconfigured: bool = False


Outcome = Taken | Refused | NotNow
