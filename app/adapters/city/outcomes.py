"""What an upload may come to. None carries a plate."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Accepted:
    """The city has it, now or since an earlier try."""


@dataclass(frozen=True)
class Refused:
    """The city does not take this record; the same again would be refused again. Only a person can help."""

    code: str


@dataclass(frozen=True)
class Barred:
    """The city does not take anything from us: wrong account, signature or key. The record itself may be right."""

    code: str


@dataclass(frozen=True)
class Unknown:
    """No answer that tells whether the city has it: unreachable, silent, busy or not understood. To be tried again."""

    why: str


Outcome = Accepted | Refused | Barred | Unknown
