"""What a value of the environment may be: each parser gives it in its type, or says in a ValueError what it must be."""

import ipaddress
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from app.adapters.mail import is_address
from app.adapters.outbound import Network

ENVIRONMENTS = ("development", "test", "production")


def environment(text: str) -> str:
    """Which of the three it is."""
    if text not in ENVIRONMENTS:
        raise ValueError(f"must be one of {', '.join(ENVIRONMENTS)}")
    return text


def plain(text: str) -> str:
    """Any words."""
    return text


def one_of(*words: str) -> Callable[[str], str]:
    """A parser that takes these words and no other."""

    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return text

    return parse


def database_url(text: str) -> str:
    """Any way of writing it, for the driver that we use."""
    scheme, separator, rest = text.partition("://")
    if not separator or scheme not in {"postgresql", "postgresql+psycopg"}:
        raise ValueError("must begin with postgresql+psycopg://")
    return f"postgresql+psycopg://{rest}"


def redis_url(text: str) -> str:
    """Redis or Valkey, by TCP, TLS or a socket."""
    if urlsplit(text).scheme not in {"redis", "rediss", "unix"}:
        raise ValueError("must begin with redis://, rediss:// or unix://")
    return text


def url(text: str) -> str:
    """An http(s) address without query, without a slash at its end."""
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be a list of http(s) addresses" if "," in text else "must be an http(s) address")
    if parts.query or parts.fragment:
        raise ValueError("must be an address without query or fragment")
    return text.rstrip("/")


def host(text: str) -> str:
    """A name or an IP address."""
    if not re.fullmatch(r"[A-Za-z0-9.:-]+", text) or (":" in text and not _is_ip_address(text)):
        raise ValueError("must be a host's name or address, without scheme and port")
    return text


def _is_ip_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def port(text: str) -> int:
    """1 to 65535."""
    number = int(text) if text.isascii() and text.isdigit() else 0
    if not 0 < number < 65536:  # noqa: PLR2004 - ports have 16 bits
        raise ValueError("must be a port")
    return number


def address(text: str) -> str:
    """An e-mail address."""
    if not is_address(text):
        raise ValueError("must be an e-mail address")
    return text


def urls(text: str) -> tuple[str, ...]:
    """Addresses, separated by commas."""
    return tuple(url(part.strip()) for part in text.split(",") if part.strip())


def digits(text: str) -> str:
    """Digits alone, as merchant numbers are."""
    if not (text.isascii() and text.isdigit()):
        raise ValueError("must consist of digits")
    return text


def key(text: str) -> bytes:
    """32 random bytes, in hexadecimal digits."""
    try:
        read = bytes.fromhex(text)
    except ValueError:
        read = b""
    if len(read) != 32:  # noqa: PLR2004 - AES-256 and HMAC-SHA256 keys
        raise ValueError("must be 64 hexadecimal digits (32 bytes)")
    if len(set(read)) == 1:
        raise ValueError("must be random, not one byte repeated")
    return read


def named_keys(text: str) -> Mapping[str, bytes]:
    """`id:key,id:key`: the first one seals, all of them open."""
    keys: dict[str, bytes] = {}
    for part in text.split(","):
        name, _, value = (word.strip() for word in part.partition(":"))
        if not name or not value or name in keys:
            raise ValueError("must be a list of id:key, each id once")
        keys[name] = key(value)
    return keys


def apiv3_key(text: str) -> str:
    """WeChat's APIv3 密钥."""
    if len(text.encode()) != 32:  # noqa: PLR2004 - WeChat Pay v3: APIv3 密钥
        raise ValueError("must be 32 characters")
    return text


def file(text: str) -> Path:
    """A file that is there."""
    path = Path(text)
    if not path.is_file():
        raise ValueError("names a file that is not there")
    return path


def folders(text: str) -> tuple[Path, ...]:
    """Folders by their whole path, separated by commas."""
    named = tuple(Path(part.strip()) for part in text.split(",") if part.strip())
    if not all(folder.is_absolute() for folder in named) or len(set(named)) != len(named):
        raise ValueError("must be a list of folders from the root on, each once")
    return named


def key_files(text: str) -> Mapping[str, Path]:
    """`serial=file,serial=file`."""
    files: dict[str, Path] = {}
    for part in text.split(","):
        serial, _, path = (word.strip() for word in part.partition("="))
        if not serial or not path or serial in files:
            raise ValueError("must be a list of serial=file, each serial once")
        files[serial] = file(path)
    return files


def poll_seconds(text: str) -> int:
    """How long a poll of a gate is held at most."""
    seconds = int(text) if text.isascii() and text.isdigit() else 0
    if not 1 <= seconds <= 25:  # noqa: PLR2004 - cameras give up after 30 s, gunicorn after 25 s of silence
        raise ValueError("must be between 1 and 25")
    return seconds


def networks(text: str) -> tuple[Network, ...]:
    """Networks in CIDR notation, separated by commas."""
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError:
        raise ValueError("must be a list of networks such as 10.1.0.0/16") from None


def proxies(text: str) -> int:
    """How many proxies of ours stand in front, each adding one X-Forwarded-For."""
    if text not in {"0", "1", "2"}:
        raise ValueError("must be 0, 1 or 2")
    return int(text)


def region(text: str) -> str:
    """行政区划代码: six digits."""
    if not re.fullmatch(r"[0-9]{6}", text):
        raise ValueError("a region's code has six digits")
    return text
