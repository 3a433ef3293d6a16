"""WeChat's side of signing: it signs answers and notices, and verifies what merchants sign."""

import base64
import binascii
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

SCHEME = "WECHATPAY2-SHA256-RSA2048"


@dataclass(frozen=True)
class PlatformSigner:
    """One of WeChat's keys under its serial: a public key's id or a certificate's serial number."""

    serial: str
    key: RSAPrivateKey

    def headers(self, body: bytes, at: float, nonce: str) -> dict[str, str]:
        """The five headers of every signed answer and notice."""
        signed = b"%d\n%s\n%s\n" % (int(at), nonce.encode(), body)
        signature = self.key.sign(signed, padding.PKCS1v15(), SHA256())
        return {
            "Wechatpay-Nonce": nonce,
            "Wechatpay-Serial": self.serial,
            "Wechatpay-Signature": base64.b64encode(signature).decode(),
            "Wechatpay-Signature-Type": SCHEME,
            "Wechatpay-Timestamp": str(int(at)),
        }


def opened(text: str, key: RSAPrivateKey | None) -> str:
    """A sensitive field that a merchant sealed for this key. Raises `ValueError`."""
    if key is None:
        raise ValueError("sealed for no key of ours")
    oaep = padding.OAEP(padding.MGF1(SHA1()), SHA1(), None)  # noqa: S303 - as WeChat's own libraries seal
    return key.decrypt(base64.b64decode(text, validate=True), oaep).decode()


def is_signed_by(key: RSAPublicKey, signature: str, *lines: str | bytes) -> bool:
    """Whether `signature` covers these lines, each ended by a line feed."""
    message = b"".join((line if isinstance(line, bytes) else line.encode()) + b"\n" for line in lines)
    try:
        key.verify(base64.b64decode(signature, validate=True), message, padding.PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def encrypted(plaintext: bytes, apiv3_key: str, nonce: str, associated: str) -> dict[str, str]:
    """AEAD_AES_256_GCM as in the `resource` of a notice."""
    ciphertext = AESGCM(apiv3_key.encode()).encrypt(nonce.encode(), plaintext, associated.encode())
    return {
        "algorithm": "AEAD_AES_256_GCM",
        "ciphertext": base64.b64encode(ciphertext).decode(),
        "associated_data": associated,
        "nonce": nonce,
    }
