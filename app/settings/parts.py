"""What belongs together: all of it is said, or - where the platform can do without - nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast
from urllib.parse import urljoin

from app.adapters.mail import MailAccount
from app.adapters.mail.client import Security
from app.settings import values
from app.settings.reader import Reader


@dataclass(frozen=True)
class WeChatSettings:
    """How the mini-program (小程序) and the service provider's merchant account (服务商) are reached."""

    app_id: str
    app_secret: str = field(repr=False)
    api_url: str
    pay_urls: tuple[str, ...]
    sp_mchid: str
    merchant_serial: str
    merchant_key_file: Path
    apiv3_key: str = field(repr=False)
    public_keys: Mapping[str, Path]
    notify_url: str

    @property
    def refund_notify_url(self) -> str:
        """Where WeChat reports refunds: beside the door at which it reports payments."""
        return urljoin(self.notify_url, "refunds")


def wechat(read: Reader) -> WeChatSettings:
    """Without it the platform does not start."""
    return WeChatSettings(
        app_id=read.value("WECHAT_APP_ID", values.plain, ""),
        app_secret=read.value("WECHAT_APP_SECRET", values.plain, ""),
        api_url=read.value("WECHAT_API_URL", values.url, ""),
        pay_urls=read.value("WECHAT_PAY_URLS", values.urls, ()),
        sp_mchid=read.value("WECHAT_SP_MCHID", values.digits, ""),
        merchant_serial=read.value("WECHAT_MERCHANT_SERIAL", values.plain, ""),
        merchant_key_file=read.value("WECHAT_MERCHANT_KEY_FILE", values.file, Path()),
        apiv3_key=read.value("WECHAT_APIV3_KEY", values.apiv3_key, ""),
        public_keys=read.value("WECHAT_PUBLIC_KEYS", values.key_files, {}),
        notify_url=read.value("WECHAT_NOTIFY_URL", values.url, ""),
    )


@dataclass(frozen=True)
class CitySettings:
    """How the city's own parking system (全市停车信息统一系统) is reached; docs/city-feed.md."""

    url: str
    access_id: str = field(repr=False)
    public_key_file: Path
    private_key_file: Path
    sign_hash: str
    body: str


CITY_NAMES = (
    *("CITY_URL", "CITY_ACCESS_ID", "CITY_PUBLIC_KEY_FILE", "CITY_PRIVATE_KEY_FILE"),
    *("CITY_SIGN_HASH", "CITY_BODY"),
)


def city(read: Reader) -> CitySettings | None:
    """All of it or nothing: with none of the names the city's system is told nothing."""
    if not read.knows_any(*CITY_NAMES):
        return None
    return CitySettings(
        url=read.value("CITY_URL", values.url, ""),
        access_id=read.value("CITY_ACCESS_ID", values.plain, ""),
        public_key_file=read.value("CITY_PUBLIC_KEY_FILE", values.file, Path()),
        private_key_file=read.value("CITY_PRIVATE_KEY_FILE", values.file, Path()),
        sign_hash=read.optional("CITY_SIGN_HASH", values.one_of("sha256", "sha1", "md5")) or "sha256",
        body=read.optional("CITY_BODY", values.one_of("form", "json")) or "form",
    )


@dataclass(frozen=True)
class PlatformSettings:
    """How a platform of receipts is reached (docs/receipts.md); with `http` it is a stand-in's."""

    url: str
    app_id: str
    key: bytes = field(repr=False)


def platform(read: Reader, name: str) -> PlatformSettings | None:
    """All of it or nothing, as of the city's system."""
    names = (f"{name}_URL", f"{name}_APP_ID", f"{name}_KEY")
    if not read.knows_any(*names):
        return None
    return PlatformSettings(
        url=read.value(names[0], values.url, ""),
        app_id=read.value(names[1], values.plain, ""),
        key=read.value(names[2], values.key, b""),
    )


MAIL_NAMES = (
    *("SMTP_HOST", "SMTP_PORT", "SMTP_SECURITY", "SMTP_FROM"),
    *("SMTP_USER", "SMTP_PASSWORD", "SMTP_CA_FILE"),
)
MAIL_PORTS = {"starttls": 587, "tls": 465}
"""Where submission listens (RFC 6409, RFC 8314)."""


def mail(read: Reader) -> MailAccount | None:
    """Host and sender at least, or nothing: without them receipts are not sent by e-mail."""
    if not read.knows_any(*MAIL_NAMES):
        return None
    security = read.optional("SMTP_SECURITY", values.one_of(*MAIL_PORTS)) or "starttls"
    user, password = read.optional("SMTP_USER", values.plain) or "", read.optional("SMTP_PASSWORD", values.plain) or ""
    if bool(user) != bool(password):
        read.problems.append("SMTP_USER and SMTP_PASSWORD are set together or not at all")
    return MailAccount(
        host=read.value("SMTP_HOST", values.host, ""),
        port=read.optional("SMTP_PORT", values.port) or MAIL_PORTS[security],
        security=cast("Security", security),
        sender=read.value("SMTP_FROM", values.address, ""),
        user=user,
        password=password,
        ca_file=read.optional("SMTP_CA_FILE", values.file),
    )
