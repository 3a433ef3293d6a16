"""What a planted bug is."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


class CannotPlant(Exception):
    """The house has been rebuilt where the bug belongs: the list must be rewritten."""


@dataclass(frozen=True)
class Bug:
    """In `file`, `sound` becomes `spoilt`; one of `tests` (files, or names within them) must then fail."""

    name: str
    file: str
    sound: str
    spoilt: str
    tests: Sequence[str]

    def plant(self, root: Path) -> None:
        """Write the bug into the house at `root`. Raises `CannotPlant` unless the sound text stands there just once."""
        path = root / self.file
        text = path.read_text()
        if text.count(self.sound) != 1:
            raise CannotPlant(f"{self.name}: {self.file} holds its text {text.count(self.sound)} times")
        path.write_text(text.replace(self.sound, self.spoilt))

    def pull_out(self, root: Path, original: Path) -> None:
        """Put the sound file back."""
        (root / self.file).write_text((original / self.file).read_text())
