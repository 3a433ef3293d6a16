"""The accounts and keys of one stand-in WeChat: `python -m simulators.wechat.keys DIR` writes them once.

DIR then holds `wechat.env` with what the platform needs to know, the merchant's key, WeChat's public key and
platform certificate, and - for the simulator alone - the private halves. Existing keys are kept.
"""

import argparse
import datetime as dt
import json
import os
import secrets
import string
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

ACCOUNT_FILE = "account.json"
ENV_FILE = "wechat.env"


@dataclass(frozen=True)
class Account:
    """The names and shared secrets of one mini-program and one service provider (服务商)."""

    app_id: str
    app_secret: str
    sp_mchid: str
    merchant_serial: str
    apiv3_key: str
    public_key_id: str
    certificate_serial: str

    @classmethod
    def new(cls) -> "Account":
        return cls(
            app_id="wx" + secrets.token_hex(8),
            app_secret=secrets.token_hex(16),
            sp_mchid="16" + _pick(string.digits, 8),
            merchant_serial=secrets.token_hex(20).upper(),
            apiv3_key=_pick(string.ascii_letters + string.digits, 32),
            public_key_id="PUB_KEY_ID_0" + _pick(string.digits, 27),
            # A serial number is positive and has 20 octets, so its first bit is 0.
            certificate_serial="5" + secrets.token_hex(20).upper()[1:],
        )


@dataclass(frozen=True)
class KeyMaterial:
    """Everything in DIR. `merchant_key` is ours here only to know its public half."""

    directory: Path
    account: Account
    merchant_key: RSAPrivateKey
    platform_key: RSAPrivateKey
    certificate_key: RSAPrivateKey

    @classmethod
    def at(cls, directory: Path) -> "KeyMaterial":
        """Reads what is there and writes what is missing, each file readable by its owner only."""
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        material = cls(
            directory,
            _account(directory / ACCOUNT_FILE),
            _key(directory / "merchant_key.pem"),
            _key(directory / "platform_key.pem"),
            _key(directory / "certificate_key.pem"),
        )
        material._publish()
        return material

    @property
    def public_key_file(self) -> Path:
        return self.directory / f"{self.account.public_key_id}.pem"

    @property
    def certificate_file(self) -> Path:
        return self.directory / f"{self.account.certificate_serial}.pem"

    @property
    def keys_by_serial(self) -> dict[str, RSAPrivateKey]:
        """The private halves of what merchants seal fields for."""
        return {
            self.account.public_key_id: self.platform_key, self.account.certificate_serial: self.certificate_key,
        }  # fmt: skip

    def environment(self) -> dict[str, str]:
        """What the platform needs to know, by the names of its settings."""
        account = self.account
        return {
            "WECHAT_APP_ID": account.app_id,
            "WECHAT_APP_SECRET": account.app_secret,
            "WECHAT_SP_MCHID": account.sp_mchid,
            "WECHAT_MERCHANT_SERIAL": account.merchant_serial,
            "WECHAT_MERCHANT_KEY_FILE": str((self.directory / "merchant_key.pem").resolve()),
            "WECHAT_APIV3_KEY": account.apiv3_key,
            "WECHAT_PUBLIC_KEYS": f"{account.public_key_id}={self.public_key_file.resolve()},"
            f"{account.certificate_serial}={self.certificate_file.resolve()}",
        }

    def _publish(self) -> None:
        public = self.platform_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        _write_once(self.public_key_file, public)
        if not self.certificate_file.exists():
            _write_once(self.certificate_file, _certificate(self.certificate_key, self.account.certificate_serial))
        lines = "".join(f"{name}={value}\n" for name, value in self.environment().items())
        _replace(self.directory / ENV_FILE, lines.encode())


def _account(path: Path) -> Account:
    if not path.exists():
        _write_once(path, json.dumps(asdict(Account.new()), indent=2).encode())
    return Account(**json.loads(path.read_text()))


def _key(path: Path) -> RSAPrivateKey:
    if not path.exists():
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        _write_once(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    loaded = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(loaded, RSAPrivateKey):
        raise TypeError(f"{path} is not an RSA key")
    return loaded


def _certificate(key: RSAPrivateKey, serial: str) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tenpay.com sign")])
    today = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), int(serial, 16))
        .not_valid_before(today - dt.timedelta(days=1))
        .not_valid_after(today + dt.timedelta(days=5 * 365))
        .sign(key, SHA256())
    )
    return certificate.public_bytes(Encoding.PEM)


def _pick(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))


def _write_once(path: Path, content: bytes) -> None:
    """Whole or not at all, and never over an existing file: another process may be making the same keys."""
    draft = _draft(path, content)
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()


def _replace(path: Path, content: bytes) -> None:
    _draft(path, content).replace(path)


def _draft(path: Path, content: bytes) -> Path:
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    return draft


def main() -> None:
    """Writes DIR and says where the environment file is."""
    parser = argparse.ArgumentParser(prog="python -m simulators.wechat.keys", description=__doc__)
    parser.add_argument("directory", type=Path)
    material = KeyMaterial.at(parser.parse_args().directory)
    print(material.directory / ENV_FILE)


if __name__ == "__main__":
    main()
