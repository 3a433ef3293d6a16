"""What may come of telling WeChat. None carries an openid or a token."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Told:
    """`done`: WeChat knows it; `refused`: it will not, `errcode` says why; `later`: not reached or busy, try again."""

    kind: Literal["done", "refused", "later"]
    errcode: int | None = None
