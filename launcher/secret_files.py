"""Small secrets that are made once and read by nobody else."""

import os
import secrets
from pathlib import Path


def write_secret(path: Path, text: str) -> None:
    """Write a file of mode 0600; a reader sees the old text or the new one, never half of it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)


def remembered_secret(path: Path) -> str:
    """128 random bits as hexadecimal digits, made at the first call."""
    if not path.is_file():
        write_secret(path, secrets.token_hex(16))
    return path.read_text().strip()
