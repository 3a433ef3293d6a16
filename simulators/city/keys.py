"""The account and keys of one stand-in city: `python -m simulators.city.keys DIR` writes them once.

DIR then holds `city.env` with what the platform needs to know, the platform's private key, the city's public key and,
for the simulator alone, its private half. Existing keys are kept.
"""

import argparse
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

ENV_FILE = "city.env"
KEY_BITS = 2048


@dataclass(frozen=True)
class KeyMaterial:
    """Everything in DIR. `platform_key` is ours here only to know its public half."""

    directory: Path
    access_id: str
    city_key: RSAPrivateKey
    platform_key: RSAPrivateKey

    @classmethod
    def at(cls, directory: Path) -> "KeyMaterial":
        """Reads what is there and writes what is missing, each file readable by its owner only."""
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        access = directory / "access_id"
        _write_once(access, f"GB{secrets.token_hex(8)}".encode())
        keys = [_key(directory / name) for name in ("city_key.pem", "platform_key.pem")]
        material = cls(directory, access.read_text(), *keys)
        material._publish()
        return material

    def environment(self) -> dict[str, str]:
        """What the platform needs to know, by the names of its settings, but for the address."""
        return {
            "CITY_ACCESS_ID": self.access_id,
            "CITY_PUBLIC_KEY_FILE": str((self.directory / "city_public.pem").resolve()),
            "CITY_PRIVATE_KEY_FILE": str((self.directory / "platform_key.pem").resolve()),
        }

    def _publish(self) -> None:
        public = self.city_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        _write_once(self.directory / "city_public.pem", public)
        lines = "".join(f"{name}={value}\n" for name, value in self.environment().items())
        _draft(self.directory / ENV_FILE, lines.encode()).replace(self.directory / ENV_FILE)


def _key(path: Path) -> RSAPrivateKey:
    if not path.exists():
        key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
        _write_once(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    loaded = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(loaded, RSAPrivateKey):
        raise TypeError(f"{path} is not an RSA key")
    return loaded


def _write_once(path: Path, content: bytes) -> None:
    """Whole or not at all, and never over an existing file: another process may be making the same keys."""
    if path.exists():
        return
    draft = _draft(path, content)
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()


def _draft(path: Path, content: bytes) -> Path:
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    return draft


def main() -> None:
    """Writes DIR and says where the environment file is."""
    parser = argparse.ArgumentParser(prog="python -m simulators.city.keys", description=__doc__)
    parser.add_argument("directory", type=Path)
    material = KeyMaterial.at(parser.parse_args().directory)
    print(material.directory / ENV_FILE)


if __name__ == "__main__":
    main()
