"""The account and certificates of one stand-in mail server: `python -m simulators.mail.keys DIR` writes them once.

DIR then holds `mail.env` with what the platform needs to know, the authority that it shall trust, and the server's
certificate and key. Existing ones are kept.
"""

import argparse
import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

ENV_FILE = "mail.env"
HOST = "127.0.0.1"
USER = "gongbo"
SENDER = "receipts@gongbo.example"
_FROM, _UNTIL = datetime(2020, 1, 1, tzinfo=UTC), datetime(2049, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class MailKeys:
    """Everything in DIR."""

    directory: Path
    password: str

    @classmethod
    def at(cls, directory: Path) -> "MailKeys":
        """Reads what is there, or writes it, each file readable by its owner only."""
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (directory / ENV_FILE).is_file():
            _make(directory)
        return cls(directory, (directory / "password").read_text())

    @property
    def certificate(self) -> Path:
        return self.directory / "server.pem"

    def environment(self) -> dict[str, str]:
        """What the platform needs to know, by the names of its settings, but for the port."""
        return {
            "SMTP_HOST": HOST,
            "SMTP_USER": USER,
            "SMTP_PASSWORD": self.password,
            "SMTP_FROM": SENDER,
            "SMTP_CA_FILE": str((self.directory / "authority.pem").resolve()),
        }


def _make(directory: Path) -> None:
    authority_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = _signed(_authority(authority_key), authority_key)
    server = _signed(_server(server_key, authority), authority_key)
    _write(directory / "authority.pem", authority.public_bytes(Encoding.PEM))
    key = server_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    _write(directory / "server.pem", key + server.public_bytes(Encoding.PEM))
    _write(directory / "password", f"development-{secrets.token_hex(16)}".encode())
    told = MailKeys(directory, (directory / "password").read_text()).environment()
    _write(directory / ENV_FILE, "".join(f"{name}={value}\n" for name, value in told.items()).encode())


def _authority(key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    name = _named("stand-in authority")
    return (
        _begun(name, name, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_may(signs_certificates=True), critical=True)
    )


def _server(key: ec.EllipticCurvePrivateKey, authority: x509.Certificate) -> x509.CertificateBuilder:
    of = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key())  # type: ignore[arg-type]
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))])
    return (
        _begun(_named("stand-in mail server"), authority.subject, key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_may(signs_certificates=False), critical=True)
        .add_extension(of, critical=False)
        .add_extension(names, critical=False)
    )


def _begun(name: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_FROM)
        .not_valid_after(_UNTIL)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _signed(begun: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    return begun.sign(key, hashes.SHA256())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _may(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=signs_certificates, crl_sign=False, encipher_only=False,
        decipher_only=False,
    )  # fmt: skip


def _write(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    draft.replace(path)


def main() -> None:
    """Writes DIR and says where the environment file is."""
    parser = argparse.ArgumentParser(prog="python -m simulators.mail.keys", description=__doc__)
    parser.add_argument("directory", type=Path)
    print(MailKeys.at(parser.parse_args().directory).directory / ENV_FILE)


if __name__ == "__main__":
    main()
