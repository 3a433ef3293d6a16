"""Everything one stand-in WeChat consists of."""

from dataclasses import dataclass, field
from threading import Lock

from simulators.clock import Clock
from simulators.wechat.bills import Bills
from simulators.wechat.cashier import Cashier
from simulators.wechat.combined import CombinedOrders
from simulators.wechat.courier import Courier
from simulators.wechat.faults import Faults
from simulators.wechat.gate import Gate
from simulators.wechat.ids import Ids
from simulators.wechat.keys import KeyMaterial
from simulators.wechat.limits import Limits
from simulators.wechat.notices import Notice, Notices
from simulators.wechat.orders import Orders
from simulators.wechat.people import INVALID_CODE, USED_CODE, Codes, People
from simulators.wechat.refunds import Refund, Refunds
from simulators.wechat.settings import Belongs, Switches
from simulators.wechat.signatures import PlatformSigner
from simulators.wechat.subscriptions import Subscriptions
from simulators.wechat.tokens import Tokens
from simulators.wechat.trade import Trade

STRANGERS = "1899999999"


@dataclass
class Registry:
    """Which sub-merchants (特约商户) belong to our service provider: those of the range, and those added since."""

    in_range: Belongs
    added: set[str] = field(default_factory=set)
    lock: Lock = field(default_factory=Lock)

    def add(self, mchid: str) -> None:
        with self.lock:
            self.added.add(mchid)

    def has(self, mchid: str) -> bool:
        with self.lock:
            return mchid in self.added or self.in_range(mchid)


class World:
    def __init__(
        self, material: KeyMaterial, clock: Clock, bound: Belongs, retry_factor: float = 1.0, seed: int | None = None
    ) -> None:
        self.material = material
        self.clock = clock
        self.ids = Ids(seed)
        self.switches = Switches()
        self.registry = Registry(bound)
        self.gate = Gate(material, clock.now)
        self.faults = Faults(self.ids)
        self.limits = Limits()
        self.orders = Orders(self.ids, clock.now)
        self.combined = CombinedOrders(self.ids, clock.now, self.orders)
        self.refunds = Refunds(self.ids, clock.now, self.orders)
        self.bills = Bills(self.ids, clock.now, self.orders, self.refunds)
        self.trade = Trade(self.orders, self.refunds.refunded_fen)
        self.people = People(self.ids)
        self.login_codes = Codes(self.ids, clock.now, USED_CODE)
        self.phone_codes = Codes(self.ids, clock.now, INVALID_CODE)
        self.tokens = Tokens(self.ids, clock.now)
        self.subscriptions = Subscriptions(self.ids, clock.now)
        self.notices = Notices(self.ids, clock, material.account.apiv3_key, self.notice_signer, STRANGERS)
        self.courier = Courier(self.notices, self.ids, clock, retry_factor)
        self.cashier = Cashier(self.orders, self.combined, self.courier, material)

    def is_bound(self, sub_mchid: str) -> bool:
        return self.registry.has(sub_mchid)

    def answer_signer(self, asked_for: str) -> PlatformSigner:
        """The key the request named; who names none gets the certificate while there is one."""
        certificate = self.material.account.certificate_serial
        by_certificate = self.switches.platform_certificate and asked_for in ("", certificate)
        return self._certificate() if by_certificate else self._public_key()

    def notice_signer(self) -> PlatformSigner:
        return self._certificate() if self.switches.certify_notices else self._public_key()

    def report(self, refund: Refund, status: str, due: float) -> Notice:
        """Tells the merchant, from `due` on, what became of a refund; returns the notice."""
        notice = self.notices.refunded(refund, self.material.account.sp_mchid, status)
        return self.courier.report(notice, due)

    def _certificate(self) -> PlatformSigner:
        return PlatformSigner(self.material.account.certificate_serial, self.material.certificate_key)

    def _public_key(self) -> PlatformSigner:
        return PlatformSigner(self.material.account.public_key_id, self.material.platform_key)
