"""The two RSA keys of the line: the city's public one, which seals, and our private one, which signs."""

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

SHORTEST_BITS = 1024
"""The city's own documents show keys of this length."""


class UnusableCityKey(Exception):
    """A file is not the RSA key in PEM that it should be; names the file, never what is in it."""


def read_public_key(path: Path) -> RSAPublicKey:
    """The city's public key (PEM). Raises `UnusableCityKey`."""
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError, UnsupportedAlgorithm):
        raise UnusableCityKey(f"{path} holds no public key") from None
    if not isinstance(key, RSAPublicKey) or key.key_size < SHORTEST_BITS:
        raise UnusableCityKey(f"{path} is no RSA key of {SHORTEST_BITS} bits or more")
    return key


def read_private_key(path: Path) -> RSAPrivateKey:
    """Our private key (PEM, without a password). Raises `UnusableCityKey`."""
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm):
        raise UnusableCityKey(f"{path} holds no private key") from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < SHORTEST_BITS:
        raise UnusableCityKey(f"{path} is no RSA key of {SHORTEST_BITS} bits or more")
    return key
