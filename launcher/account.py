"""Under which account the servers run: PostgreSQL refuses root, so root lends it an account that exists already."""

import os
import pwd
import stat
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

LENT_BY_ROOT = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """A user of this machine; accounts are never created and folders above ours never changed for it."""

    name: str
    uid: int
    gid: int

    @property
    def is_lent(self) -> bool:
        """Whether this is not who runs the launcher."""
        return self.uid != os.geteuid()

    def run(self, command: Sequence[str | Path], timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a server's tool as this account, from `/`, with nothing of ours in its environment."""
        return subprocess.run(
            [str(word) for word in command],
            user=self.uid if self.is_lent else None,
            group=self.gid if self.is_lent else None,
            extra_groups=[] if self.is_lent else None,
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )

    def own(self, path: Path, mode: int) -> None:
        """Give a file or folder of ours to this account."""
        if self.is_lent:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)
        path.chmod(mode)

    def owns(self, path: Path) -> bool:
        return path.lstat().st_uid == self.uid

    def reaches(self, path: Path) -> bool:
        """Whether every existing folder on the way to `path` lets this account pass."""
        if not self.is_lent:
            return True
        return all(self._passes(folder.stat()) for folder in _on_the_way(path))

    def _passes(self, folder: os.stat_result) -> bool:
        if folder.st_uid == self.uid:
            return bool(folder.st_mode & stat.S_IXUSR)
        if folder.st_gid == self.gid:
            return bool(folder.st_mode & stat.S_IXGRP)
        return bool(folder.st_mode & stat.S_IXOTH)


def serving_account() -> Account:
    """Oneself, or for root the first of `postgres` and `nobody` that exists."""
    if os.geteuid() != 0:
        return Account(str(os.geteuid()), os.geteuid(), os.getegid())
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = next(known[name] for name in LENT_BY_ROOT if name in known)
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _on_the_way(path: Path) -> Iterator[Path]:
    return (folder for folder in path.resolve().parents if folder.is_dir())
