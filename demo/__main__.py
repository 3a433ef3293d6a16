"""`make demo`: 0 and `demo: ok` when every promise held, 1 and the reason when one did not; nothing stays."""

import signal
import sys
import time
from types import FrameType

from demo.accounts import check_ledger, check_wechat, paid_by_payee, read_ledger
from demo.clock import EVENING, PlatformClock, at
from demo.fees import yuan
from demo.patience import DemoFailed
from demo.play import play
from demo.stage import stage
from demo.teller import Teller
from demo.town import Town, read_lots
from demo.visits import LOTS, VISITS
from launcher.failure import CannotStart

INTERRUPTED = 130


def main() -> int:
    """Play the evening and say how it went, last of all."""
    for name in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, _stop)
    try:
        _demonstrate()
    except KeyboardInterrupt:
        print("demo: failed: interrupted", flush=True)
        return INTERRUPTED
    except Exception as failure:  # noqa: BLE001 - whatever it was, it is told in the last line
        print(f"demo: failed: {_reason(failure)}", flush=True)
        return 1
    print("demo: ok", flush=True)
    return 0


def _stop(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


def _reason(failure: Exception) -> str:
    plain = isinstance(failure, DemoFailed | CannotStart)
    return str(failure) if plain else f"{type(failure).__name__}: {failure}"


def _demonstrate() -> None:
    begun, teller = time.monotonic(), Teller()
    print(f"An evening in Hangzhou, {EVENING}: the platform's moment, the time a step took, who, what", flush=True)
    with stage(at(18, 35)) as built:
        town = Town(built, PlatformClock(built.platform), teller, read_lots(built.gates_file))
        teller.follow(town.clock.now)
        town.await_gates(*LOTS)
        town.voice("stage")("databases, schema, city, platform, WeChat and gates stand")
        play({visit.__name__: visit(town) for visit in VISITS}, at(18, 40), town.move_clock)
        _account(town)
    teller.say("stage", f"all processes ended, nothing left on disk; {time.monotonic() - begun:.0f} s in all")


def _account(town: Town) -> None:
    table, figures = town.stage.say(["ledger", "books"], ["ledger", "books", "--format", "json"])
    print(f"\n{table}", flush=True)
    books = read_ledger(figures)
    check_ledger(books, town.paid)
    check_wechat(town.stage.wechat.get("/control/book"), books, town.paid)
    tell = town.voice("accounts")
    for payee, fen in paid_by_payee(town.paid).items():
        tell(f"{payee}: {yuan(fen)} by the tariffs, in the ledger and in WeChat's own book")


if __name__ == "__main__":
    sys.exit(main())
