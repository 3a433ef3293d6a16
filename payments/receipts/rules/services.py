"""What a charge was for, as its receipt tells it."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Let:
    """What an invoice of lease (不动产经营租赁服务) says of the property that was let, beside what its terms say.

    Both days are included. The certificate's number is 无 where two persons said that there is none.
    """

    address: str
    certificate_number: str
    begins_on: date
    ends_on: date


@dataclass(frozen=True)
class Service:
    """One service: in words, plate and times included, and what was let; none where that is not known."""

    words: str
    let: Let | None = None
