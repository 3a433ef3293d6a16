"""How WeChat says no."""

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass
class ApiError(Exception):
    """An error envelope of APIv3. `business` ones come after the request gate and may be signed."""

    status: int
    code: str
    message: str
    detail: dict[str, Any] = field(default_factory=dict)
    business: bool = True

    def body(self) -> bytes:
        envelope: dict[str, Any] = {"code": self.code, "message": self.message}
        return compact(envelope | ({"detail": self.detail} if self.detail else {}))


def refused_request(status: int, code: str, message: str, **detail: Any) -> ApiError:
    """An error of the request gate, which is never signed."""
    return ApiError(status, code, message, detail, business=False)


def compact(value: object) -> bytes:
    """JSON without spaces, Chinese as it is."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
