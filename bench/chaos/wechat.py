"""The side door of the stand-in for WeChat: motorists pay, notices are told again or forged, the book is read."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection
from typing import Any, Final

from launcher.ports import HOST

PATIENCE_SECONDS: Final = 120.0
THANKS: Final = (200, 204)


class Misuse(Exception):
    """The stand-in does not do what it was asked for: the run itself is wrong."""


class TurnedAway(Exception):
    """The cashier takes no money for this order, as it tells the motorist."""


@dataclass(frozen=True)
class WeChat:
    """The stand-in at a port."""

    port: int

    def meet(self, openid: str) -> None:
        """Somebody with this openid uses WeChat."""
        self._ask("POST", "/login-codes", {"openid": openid})

    def habit(self, out_trade_no: str, mode: str, **how: float) -> None:
        """How the notices of one order travel."""
        self._ask("POST", "/notices", {"out_trade_no": out_trade_no, "mode": mode, **how})

    def usual_habit(self, mode: str, **how: float) -> None:
        """How all others travel."""
        self._ask("POST", "/notices", {"mode": mode, **how})

    def pay(self, parameters: Mapping[str, str], out_trade_no: str, *, forced: bool) -> str:
        """The motorist pays with what the phone was given, or `forced` after the end; returns the notice's id.

        Raises `TurnedAway`.
        """
        named = {"out_trade_no": out_trade_no} if forced else {"parameters": parameters}
        return str(self._ask("POST", "/pay", {**named, "force": forced})["notice_id"])

    def state_of(self, out_trade_no: str) -> str:
        """Of an order in WeChat's book."""
        return str(self._ask("GET", f"/book?out_trade_no={out_trade_no}")["orders"][0]["trade_state"])

    def tell_again(self, out_trade_no: str, *, new_id: bool) -> tuple[str, bool]:
        """The payment is told once more; the notice's id, and whether it was thanked for."""
        return _told(self._ask("POST", "/redeliver", {"out_trade_no": out_trade_no, "new_id": new_id}))

    def bring(self, notice_id: str) -> bool:
        """One notice once more; whether it was thanked for."""
        return _told(self._ask("POST", "/redeliver", {"notice_id": notice_id}))[1]

    def forge(self, out_trade_no: str, kind: str) -> tuple[str, bool]:
        """Something false about an order, signed or not; the notice's id, and whether it was thanked for."""
        return _told(self._ask("POST", "/forge", {"out_trade_no": out_trade_no, "kind": kind}))

    def book(self) -> Mapping[str, Any]:
        """Everything that WeChat knows."""
        return self._ask("GET", "/book")

    def _ask(self, method: str, path: str, wish: Mapping[str, Any] | None = None) -> dict[str, Any]:
        connection = HTTPConnection(HOST, self.port, timeout=PATIENCE_SECONDS)
        try:
            connection.request(method, f"/control{path}", None if wish is None else json.dumps(wish))
            response = connection.getresponse()
            answer: dict[str, Any] = json.loads(response.read())
        finally:
            connection.close()
        if response.status == HTTPStatus.CONFLICT:
            raise TurnedAway(answer)
        if response.status != HTTPStatus.OK:
            raise Misuse(f"{method} {path.partition('?')[0]}: {answer}")
        return answer


def _told(answer: Mapping[str, Any]) -> tuple[str, bool]:
    return str(answer["notice_id"]), all(status in THANKS for status in answer["statuses"])
