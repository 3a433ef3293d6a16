"""What this room asks of whoever speaks with a platform of receipts."""

from datetime import date, datetime
from typing import Literal, Protocol, TypedDict


class FaceLine(TypedDict):
    """One service: gross, and for an enterprise the tax within, in fen."""

    name: str
    code: str
    about: str
    amount_fen: int
    tax_fen: int


class FaceLease(TypedDict):
    """What an invoice of lease says beside its one line; the lease ends with the day `ends_on`."""

    address: str
    begins_on: date
    ends_on: date
    cross_city: bool
    area_unit: str
    certificate_number: str


class Face(TypedDict):
    """What stands on a receipt, free of any platform's words. `original` is what a red one takes back.

    `payer_name` is empty for a person who left none; VAT method and rate are none on a fiscal bill. An invoice with
    a `lease` is of 特定业务 06 不动产经营租赁服务, and has one line.
    """

    request_no: str
    colour: str
    payee_name: str
    payee_code: str
    district_code: str
    payer_name: str
    payer_tax_number: str
    lines: list[FaceLine]
    amount_fen: int
    tax_fen: int
    vat_method: str | None
    vat_basis_points: int | None
    lease: FaceLease | None
    remark: str
    original_code: str
    original_number: str


class Told(Protocol):
    """What came of asking.

    `pending`: taken, not done yet; `absent`: never heard of this request; `silent`: nothing can be concluded.
    """

    @property
    def kind(self) -> Literal["issued", "pending", "refused", "absent", "silent"]: ...

    @property
    def code(self) -> str:
        """The bill's own code, empty where there is none; of a refusal its reason."""

    @property
    def number(self) -> str: ...

    @property
    def check_code(self) -> str: ...

    @property
    def issued_at(self) -> datetime | None: ...


class Platform(Protocol):
    """A platform that issues receipts: asked twice under one `request_no` it issues once."""

    def issue(self, face: Face) -> Told: ...

    def find(self, request_no: str) -> Told: ...
