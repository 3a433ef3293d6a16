"""The keys we hold: our merchant key and the ring of WeChat's public keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate

PUBLIC_KEY_PREFIX = "PUB_KEY_ID_"


class UnusableKey(ValueError):
    """A key file is not what it should be; names the file or serial, never its content."""


@dataclass(frozen=True)
class KeyRing:
    """WeChat's keys by serial: public keys (微信支付公钥, `PUB_KEY_ID_...`) and platform certificates (平台证书).

    Both kinds verify side by side, because during a switch answers and notices arrive under either
    (WeChat Pay v3: partner/4012154180). A serial that is not on the ring is unknown: nothing is fetched.
    """

    keys: Mapping[str, RSAPublicKey]

    def __post_init__(self) -> None:
        if not self.keys:
            raise UnusableKey("a key ring without keys verifies nothing")

    @classmethod
    def read(cls, files: Mapping[str, Path]) -> "KeyRing":
        """Reads PEM files, each a public key or a certificate. Raises `UnusableKey`."""
        return cls({serial: _read_public_key(serial, path) for serial, path in files.items()})

    def key(self, serial: str) -> RSAPublicKey | None:
        return self.keys.get(serial)

    @property
    def preferred(self) -> str:
        """The serial we ask WeChat to sign its answers with: a public key where we have one."""
        public = [serial for serial in self.keys if serial.startswith(PUBLIC_KEY_PREFIX)]
        return (public or list(self.keys))[0]


def read_private_key(path: Path) -> RSAPrivateKey:
    """Reads our API key (`apiclient_key.pem`). Raises `UnusableKey`."""
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError):
        raise UnusableKey(f"{path} holds no unencrypted PEM private key") from None
    if not isinstance(key, RSAPrivateKey):
        raise UnusableKey(f"{path} is not an RSA key")
    return key


def _read_public_key(serial: str, path: Path) -> RSAPublicKey:
    pem = path.read_bytes()
    try:
        key = _certified_key(serial, pem) if b"BEGIN CERTIFICATE" in pem else load_pem_public_key(pem)
    except ValueError as error:
        raise UnusableKey(f"{path}: {error}") from None
    if not isinstance(key, RSAPublicKey):
        raise UnusableKey(f"{path} is not an RSA key")
    return key


def _certified_key(serial: str, pem: bytes) -> object:
    certificate = load_pem_x509_certificate(pem)
    if f"{certificate.serial_number:040X}" != serial.upper():
        raise ValueError("the certificate has another serial number")
    return certificate.public_key()
