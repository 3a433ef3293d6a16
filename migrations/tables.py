"""All tables of the code, to compare with those that the migrations make."""

import importlib
import pkgutil
from functools import cache
from typing import Any

from sqlalchemy import MetaData

from app.kernel.base import Base

ROOTS = ("app.kernel", "app.domain", "payments")


@cache
def metadata() -> MetaData:
    """Every model's table: imports each module named `models` and the kernel's own tables."""
    for root in ROOTS:
        package = importlib.import_module(root)
        for module in pkgutil.walk_packages(package.__path__, f"{root}."):
            if root == "app.kernel" or module.name.endswith(".models"):
                importlib.import_module(module.name)
    return Base.metadata


def ours(_object: Any, name: str | None, kind: str, _reflected: bool, _compare_to: Any) -> bool:
    """Leave the job queue's tables to their library."""
    return not (kind == "table" and (name or "").startswith("procrastinate_"))
