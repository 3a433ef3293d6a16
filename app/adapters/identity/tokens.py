"""The access token (稳定版接口调用凭据), and where it rests between calls."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from app.adapters.identity.errors import WeChatBusy, refusal
from app.adapters.identity.wire import Wire, errcode_of, text_of

# For its last 5 minutes a token overlaps with the next one; that is when we change over.
OVERLAP = timedelta(minutes=5)


class TokenStore(Protocol):
    """Remembers one text under a name, and may forget it at any time. Best shared between processes.

    Stable tokens (稳定版 access_token) make a store per process harmless too: all are given the same token.
    What is put is a credential: a store must not log it.
    """

    def get(self, name: str) -> str | None: ...

    def put(self, name: str, text: str) -> None: ...


class MemoryTokenStore:
    """A store for one process."""

    def __init__(self) -> None:
        self._kept: dict[str, str] = {}

    def get(self, name: str) -> str | None:
        return self._kept.get(name)

    def put(self, name: str, text: str) -> None:
        self._kept[name] = text


@dataclass(frozen=True)
class KeptToken:
    """A token and the moment from which another is to be fetched, as one text for the store."""

    token: str = field(repr=False)
    until: datetime

    def text(self) -> str:
        return f"{self.until.isoformat()} {self.token}"

    @classmethod
    def read(cls, text: str | None) -> "KeptToken | None":
        """What `text()` wrote; None for nothing or for anything else that lay in the store."""
        until, _, token = (text or "").partition(" ")
        try:
            kept = cls(token, datetime.fromisoformat(until))
        except ValueError:
            return None
        return kept if token and kept.until.tzinfo else None


class AccessTokens:
    """The token of one mini-program (getStableAccessToken), kept while it is good. Safe to share between threads."""

    def __init__(
        self, app_id: str, app_secret: str, wire: Wire, now: Callable[[], datetime], store: TokenStore
    ) -> None:
        self._app_id = app_id
        self._app_secret = app_secret
        self._wire = wire
        self._now = now
        self._store = store

    def current(self) -> str:
        """The kept token, else a new one. Raises `WeChatBusy` and `WeChatMisconfigured`."""
        kept = KeptToken.read(self._store.get(self._name))
        return kept.token if kept and kept.until > self._now() else self.fetch()

    def fetch(self) -> str:
        """Asks in the normal mode, which gives every process the same token; never forces a new one."""
        wanted = {"grant_type": "client_credential", "appid": self._app_id, "secret": self._app_secret}
        answer = self._wire.post("/cgi-bin/stable_token", wanted | {"force_refresh": False})
        if errcode := errcode_of(answer):
            raise refusal(errcode)
        token, seconds = text_of(answer, "access_token"), answer.get("expires_in")
        if type(seconds) is not int:
            raise WeChatBusy("a token without expires_in")
        until = self._now() + timedelta(seconds=seconds) - OVERLAP
        self._store.put(self._name, KeptToken(token, until).text())
        return token

    @property
    def _name(self) -> str:
        return f"wechat:access_token:{self._app_id}"
