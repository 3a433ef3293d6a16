"""Where the outside world is plugged in: adapters made from settings, kept away from open transactions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from flask import current_app
from redis import Redis

from app.adapters.anchors import AnchorPlace, FolderAnchors
from app.adapters.city import CityAccount, CitySystem, read_public_key
from app.adapters.city import read_private_key as read_city_private_key
from app.adapters.gates.isecure import Isecure
from app.adapters.gates.vzenith_web import VzenithWeb
from app.adapters.identity import MemoryTokenStore, TokenStore, WeChatMiniProgram
from app.adapters.mail import MailServer
from app.adapters.messages import SubscribeMessages
from app.adapters.outbound import Reach
from app.adapters.receipts import Account, FiscalBills, TaxInvoices
from app.adapters.trade import TradeOrders
from app.kernel import clock
from app.kernel.db import in_transaction
from app.settings import CitySettings, PlatformSettings, Settings, WeChatSettings
from payments.payees.queries import accept_samples
from payments.receipts.actions.issue import Platforms
from payments.receipts.rules import FISCAL_EBILL, TAX_INVOICE
from payments.receipts.rules.platform import Platform
from payments.wechat import KeyRing, MerchantAccount, WeChatPay, read_private_key

T = TypeVar("T")


class CalledInsideTransaction(RuntimeError):
    """Raised to a programmer: the outside world may think for long, and a transaction must not wait for it."""


class _OutsideTransactions:
    """Stands before an adapter and refuses every call while this task holds a transaction."""

    def __init__(self, adapter: Any) -> None:
        self._adapter = adapter

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._adapter, name)
        if not callable(member):
            return member

        def call(*args: Any, **words: Any) -> Any:
            if in_transaction():
                raise CalledInsideTransaction(f"{type(self._adapter).__name__}.{name}")
            return member(*args, **words)

        return call


def outside_transactions(adapter: T) -> T:
    """The same adapter, whose calls raise `CalledInsideTransaction` inside a transaction."""
    return cast("T", _OutsideTransactions(adapter))


@dataclass(frozen=True)
class Wiring:
    """What actions that speak with the outside world are handed."""

    settings: Settings
    pay: WeChatPay
    identity: WeChatMiniProgram
    messages: SubscribeMessages
    trade: TradeOrders
    redis: Redis
    camera_lists: VzenithWeb
    park_systems: Isecure
    anchors: Sequence[AnchorPlace]
    """Where the head of the audit log is kept outside of the database."""
    receipts: Platforms
    """Whoever issues each kind of receipt; a kind without a platform waits."""
    mail: MailServer | None
    """`None`: no setting names a mail server, and receipts are not sent by e-mail."""
    city: CitySystem | None
    """`None`: no setting names the city's system, and it is told nothing."""


def wire(settings: Settings) -> Wiring:
    """All adapters; reads key files, connects to nothing."""
    accept_samples(not settings.is_production)
    tokens = MemoryTokenStore()
    return Wiring(
        settings=settings,
        pay=outside_transactions(WeChatPay(merchant_account(settings.wechat), settings.wechat.pay_urls, clock.glance)),
        identity=outside_transactions(_mini_program(settings.wechat, tokens)),
        messages=outside_transactions(_messages(settings.wechat, tokens)),
        trade=outside_transactions(_trade(settings.wechat, tokens)),
        redis=Redis.from_url(settings.redis_url, socket_connect_timeout=0.5, socket_timeout=0.5),
        camera_lists=outside_transactions(VzenithWeb(reach_of(settings))),
        park_systems=outside_transactions(Isecure(reach_of(settings), clock.now)),
        anchors=[outside_transactions(FolderAnchors(folder)) for folder in settings.audit_anchors],
        receipts=_receipts(settings),
        mail=_mail(settings),
        city=_city(settings),
    )


def reach_of(settings: Settings) -> Reach:
    """Which addresses named by rows and settings may be called; this machine's own only in development."""
    return Reach(settings.outbound_networks, loopback=not settings.is_production)


def _city(settings: Settings) -> CitySystem | None:
    if settings.city is None:
        return None
    return outside_transactions(CitySystem(city_account(settings.city), clock.now, reach_of(settings)))


def _receipts(settings: Settings) -> Platforms:
    platforms: dict[str, Platform] = {}
    if settings.fiscal is not None:
        bills = FiscalBills(_account(settings.fiscal), clock.now, reach_of(settings), settings.fiscal_city_region)
        platforms[FISCAL_EBILL] = outside_transactions(bills)
    if settings.tax is not None:
        invoices = TaxInvoices(_account(settings.tax), clock.now, reach_of(settings))
        platforms[TAX_INVOICE] = outside_transactions(invoices)
    return platforms


def _mail(settings: Settings) -> MailServer | None:
    if settings.mail is None:
        return None
    return outside_transactions(MailServer(settings.mail, reach_of(settings)))


def _account(platform: PlatformSettings) -> Account:
    return Account(platform.url, platform.app_id, platform.key)


def merchant_account(wechat: WeChatSettings) -> MerchantAccount:
    """Who we are at WeChat Pay; raises `UnusableKey` when a file is not the key it should be."""
    return MerchantAccount(
        sp_mchid=wechat.sp_mchid,
        sp_appid=wechat.app_id,
        certificate_serial=wechat.merchant_serial,
        private_key=read_private_key(wechat.merchant_key_file),
        apiv3_keys=(wechat.apiv3_key.encode(),),
        platform_keys=KeyRing.read(wechat.public_keys),
    )


def city_account(city: CitySettings) -> CityAccount:
    """Who we are at the city's system; raises `UnusableCityKey` when a file is not the key it should be."""
    return CityAccount(
        url=city.url,
        access_id=city.access_id,
        city_key=read_public_key(city.public_key_file),
        own_key=read_city_private_key(city.private_key_file),
        sign_hash=city.sign_hash,
        body=city.body,
    )


def _mini_program(wechat: WeChatSettings, tokens: TokenStore) -> WeChatMiniProgram:
    """Stable access tokens make a store per process harmless, and keep a credential out of Redis."""
    return WeChatMiniProgram(wechat.app_id, wechat.app_secret, wechat.api_url, clock.now, tokens)


def _messages(wechat: WeChatSettings, tokens: TokenStore) -> SubscribeMessages:
    return SubscribeMessages(wechat.app_id, wechat.app_secret, wechat.api_url, clock.now, tokens)


def _trade(wechat: WeChatSettings, tokens: TokenStore) -> TradeOrders:
    return TradeOrders(wechat.app_id, wechat.app_secret, wechat.api_url, clock.now, tokens)


def wiring() -> Wiring:
    """The wiring of the running app."""
    wired = current_app.extensions["gongbo"]
    assert isinstance(wired, Wiring)
    return wired
