"""The virtual environment: exactly what the lock says, installed once. Runs on a bare Python."""

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

from launcher.failure import CannotStart

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements-dev.txt"
STAMP = ".lock-sha"
OLDEST = (3, 11)
PACKAGES = ("app", "payments", "miniprogram_api", "simulators", "launcher", "migrations")
"""Of ours, compiled at setup as pip compiles the others: the first start need not do it in five processes at once."""


def set_up(folder: Path) -> bool:
    """Make the environment agree with the lock; returns whether anything had to be installed."""
    if sys.version_info < OLDEST:
        raise CannotStart(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}. Try PYTHON=python3.11.")
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    stamp = folder / STAMP
    if stamp.is_file() and stamp.read_text() == wanted:
        return False
    _make(folder)
    _install(folder)
    stamp.write_text(wanted)
    return True


def lock() -> None:
    """Resolve both `.in` files anew, for every platform, with hashes."""
    for name in ("requirements", "requirements-dev"):
        command = ["uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11.0", "--generate-hashes"]
        command += ["--no-emit-index-url", "--no-emit-find-links", f"{name}.in", "-o", f"{name}.txt"]
        subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=True)


def _make(folder: Path) -> None:
    if (folder / "bin" / "python").exists():
        return
    try:
        venv.create(folder, with_pip=True)
    except (subprocess.CalledProcessError, OSError):
        raise CannotStart(
            "Python cannot make a virtual environment here: install its venv package (Debian: python3-venv)."
        ) from None


def _install(folder: Path) -> None:
    command = [str(folder / "bin" / "python"), "-m", "pip", "install", "-qq", "--no-input", "--require-hashes"]
    command += ["--disable-pip-version-check", "--requirement", str(LOCK)]
    environ = os.environ | {"PIP_ROOT_USER_ACTION": "ignore"}
    if subprocess.run(command, cwd=ROOT, env=environ, check=False).returncode:
        raise CannotStart("The requirements could not be installed; pip's own words stand above.")
    compiled = [str(folder / "bin" / "python"), "-m", "compileall", "-q", *PACKAGES]
    subprocess.run(compiled, cwd=ROOT, check=True)
