"""Reads one name of the environment after the other, and tells every problem at once."""

from collections.abc import Callable, Mapping
from typing import TypeVar

T = TypeVar("T")


class Reader:
    """Reads one name after the other and remembers what was wrong instead of stopping at the first."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.problems: list[str] = []

    def value(self, name: str, parse: Callable[[str], T], otherwise: T) -> T:
        """The parsed value; `otherwise` stands in until the problems are told."""
        text = self.environ.get(name, "").strip()
        if not text:
            self.problems.append(f"{name} is missing")
            return otherwise
        try:
            return parse(text)
        except ValueError as wrong:
            self.problems.append(f"{name} {wrong}")
            return otherwise

    def optional(self, name: str, parse: Callable[[str], T]) -> T | None:
        """The parsed value, or None when nothing is said."""
        return self.value(name, parse, None) if self.environ.get(name, "").strip() else None

    def knows_any(self, *names: str) -> bool:
        """Whether anything at all is said under these names."""
        return any(self.environ.get(name, "").strip() for name in names)
