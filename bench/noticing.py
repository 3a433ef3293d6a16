"""WeChat's notices of payments: how many a second are verified, entered and thanked for, and how long each waits."""

import uuid
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any, Final
from urllib.parse import urlsplit

import psycopg

import wsgi
from app.kernel.crypto import seal
from app.settings import Settings
from bench.city import FIRST, key_of
from bench.ground import MOMENT, Ground, ground
from bench.load import requests_per_second
from bench.pace import waits
from bench.results import tell
from bench.serving import GEVENT, PLATFORM, serving
from launcher.backing import DATABASE
from payments.payees.actions import confirm, confirm_channel, open_channel, open_payee
from payments.payees.rules import EnterpriseParticulars
from simulators.clock import Clock
from simulators.wechat.ids import Ids
from simulators.wechat.keys import KeyMaterial
from simulators.wechat.notices import Notices
from simulators.wechat.orders import Order
from simulators.wechat.signatures import PlatformSigner

PAYEES: Final = 8
WORKERS: Final = "2"
ROUNDS: Final = 3
OF_A_ROUND: Final = 800
WARM_UP: Final = 1_000
PACE: Final = 300.0
PACED_SECONDS: Final = 6.0
MOST: Final = WARM_UP + ROUNDS * OF_A_ROUND + round(PACE * PACED_SECONDS)
"""Each order is told of once: a copy would be answered for next to nothing."""
ENDURED: Final = 0.99


def measure() -> None:
    """One line: with all connections busy, and then at the pace that is promised."""
    with ground() as stand:
        notices = iter(_requests(stand, _orders(stand)))
        environment = {**stand.environment, "WEB_WORKERS": WORKERS}
        with serving(PLATFORM, GEVENT, environment) as server:
            _told(server.port, notices, WARM_UP)
            stand.vacuum()
            rates = [_told(server.port, notices, OF_A_ROUND) for _ in range(ROUNDS)]
            took = sorted(waits(server.port, notices, PACE, PACED_SECONDS))
        _expect_entered(stand, len(took))
    tell(
        "notices", {"per_s": median(rates), "p99_ms": 1000 * took[int(ENDURED * len(took))]},
        "signed notices of payments that are verified, entered in the books and thanked for, each of another order;"
        " how long one waits at a fixed pace, from when it was due",
        median_ms=1000 * median(took), paced_per_s=PACE, workers=int(WORKERS),
    )  # fmt: skip


def _told(port: int, notices: Iterator[bytes], count: int) -> float:
    """So many notices, however long it takes; the rate."""
    return requests_per_second(port, islice(notices, count), seconds=60)


def _orders(stand: Ground) -> Sequence[Order]:
    """As many debts as are paid, each ordered at WeChat; as WeChat knows them."""
    settings = Settings.from_environment(stand.environment)
    app = wsgi.create_app(settings)
    with app.app_context():
        channels = [_channel(number, settings) for number in range(PAYEES)]
        made = [_Debt(number, settings, channels[number % PAYEES]) for number in range(MOST)]
        with psycopg.connect(stand.servers.postgres.admin_url, dbname=DATABASE, autocommit=True) as superuser:
            superuser.execute("SET session_replication_role = replica")  # an order is born payable only here
            for table, rows in _TABLES.items():
                with superuser.cursor().copy(f"COPY {table} FROM STDIN") as copy:
                    for each in made:
                        copy.write_row(getattr(each, rows)())
            superuser.execute("VACUUM ANALYZE")
        app.extensions["sqlalchemy"].engine.dispose()
    return [each.at_wechat() for each in made]


def _channel(number: int, settings: Settings) -> tuple[int, int, str]:
    particulars = EnterpriseParticulars(f"91330100MA{number:08d}", "示例银行", f"{number:015d}")
    payee = open_payee(f"示例城投停车公司{number}", particulars, MOMENT, actor="bench")
    confirm(payee.id, confirmed_by="checker", note="示例主体，不得用于真实收费", sample=True)
    sub_mchid = str(1_900_000_200 + number)
    channel = open_channel(payee.id, sp_mchid=settings.wechat.sp_mchid, sub_mchid=sub_mchid, actor="bench")
    confirm_channel(channel.key, "checker")
    return payee.id, channel.id, sub_mchid


class _Debt:
    """A charge with its one order."""

    def __init__(self, number: int, settings: Settings, channel: tuple[int, int, str]) -> None:
        self.id, self.settings = FIRST["lot"] + number, settings
        self.payee_id, self.channel_id, self.sub_mchid = channel
        self.key = key_of(self.id)
        self.out_trade_no = self.key.hex
        self.openid = f"oBench{number:022d}"
        self.fen = 100 + number % 4_000

    def charge(self) -> tuple[Any, ...]:
        return (
            self.id, self.key, "bench", uuid.uuid4(), self.payee_id, 1, self.fen, "停车费", "stays.settle", "created",
            MOMENT,
        )  # fmt: skip

    def order(self) -> tuple[Any, ...]:
        sealed = seal(self.openid, f"payment_order.payer:{self.key}")
        return (
            self.id, self.key, self.channel_id, self.payee_id, self.fen, self.out_trade_no,
            self.settings.wechat.app_id, sealed, b"", "payable", f"wx{self.id}", MOMENT, "2026-06-10 15:00+00",
            "2026-06-10 15:00+00", 0,
        )  # fmt: skip

    def line(self) -> tuple[Any, ...]:
        return self.id, self.id, self.payee_id, self.fen, "payable"

    def at_wechat(self) -> Order:
        wechat = self.settings.wechat
        asked = {
            "sp_appid": wechat.app_id, "sp_mchid": wechat.sp_mchid, "sub_mchid": self.sub_mchid,
            "out_trade_no": self.out_trade_no, "amount": {"total": self.fen, "currency": "CNY"},
            "payer": {"sp_openid": self.openid}, "notify_url": wechat.notify_url, "description": "停车费",
        }  # fmt: skip
        paid = Order(asked, MOMENT.timestamp(), MOMENT.timestamp() + 900, "SUCCESS")
        paid.transaction_id, paid.payer_total_fen = f"42{self.id:026d}", self.fen
        paid.paid_at = MOMENT.timestamp()
        return paid


_TABLES: Final = {
    "charge (id, key, source_kind, source_key, payee_id, motorist_id, amount_fen, description, on_paid, state,"
    " created_at)": "charge",
    "payment_order (id, key, channel_id, payee_id, amount_fen, out_trade_no, sp_appid, payer, body, state, prepay_id,"
    " created_at, expires_at, next_check_at, checks)": "order",
    "order_line (order_id, charge_id, payee_id, amount_fen, order_state)": "line",
}


def _requests(stand: Ground, orders: Sequence[Order]) -> Sequence[bytes]:
    """Every notice as WeChat sends it, signed within the last minutes."""
    material = KeyMaterial.at(Path(stand.environment["WECHAT_KEYS"]))
    signer = PlatformSigner(material.account.public_key_id, material.platform_key)
    clock = Clock(Path(stand.environment["CLOCK_FILE"]))
    writer = Notices(Ids(1), clock, material.account.apiv3_key, lambda: signer, strangers="")
    return [_request(writer, each) for each in orders]


def _request(writer: Notices, order: Order) -> bytes:
    notice = writer.paid(order)
    body = notice.body.encode()
    told = writer.headers(notice) | {"Host": "bench", "Content-Length": str(len(body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    return f"POST {urlsplit(notice.url).path} HTTP/1.1\r\n{head}\r\n".encode() + body


class NotEntered(Exception):
    """What was thanked for does not stand in the books: what was measured is worth nothing."""


def _expect_entered(stand: Ground, at_least: int) -> None:
    with psycopg.connect(stand.servers.postgres.admin_url, dbname=DATABASE) as superuser:
        row = superuser.execute(
            "SELECT count(*), (SELECT count(*) FROM journal WHERE kind = 'payment'),"
            " (SELECT count(*) FROM exception_case) FROM payment"
        ).fetchone()
    if row is None or row[0] != row[1] or row[2] or row[0] < at_least:
        raise NotEntered(row)
