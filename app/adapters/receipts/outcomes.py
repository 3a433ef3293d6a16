"""What may come of asking a platform for a receipt."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True)
class Told:
    """`issued`: it has this number; `pending`: taken, not done yet; `refused`: it will not, `code` says why.

    `absent`: the platform never heard of the request; `silent`: not reached, or nothing proven: ask later.
    """

    kind: Literal["issued", "pending", "refused", "absent", "silent"]
    code: str = ""
    number: str = ""
    check_code: str = ""
    issued_at: datetime | None = None
