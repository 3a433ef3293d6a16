"""Reference client of /partner/v1 (docs/partner-api.md): Python 3.11, `requests`, nothing else.

As a program: `partner_client.py lots`, `… counts FILE`, `… visits FILE`, `… describe LOT FILE`; FILE holds JSON, and
GONGBO_URL, GONGBO_PARTNER, GONGBO_KEY and GONGBO_SECRET the address, the ids and the secret.
"""

import hashlib
import hmac
import json
import os
import secrets
import sys
import time
from http import HTTPStatus
from pathlib import Path
from typing import Any

import requests

BATCH = 500
PASSING = (409, 429, 502, 503, 504)


class NotBelieved(Exception):
    """The answer is not signed by the platform for this request: nothing in it may be used."""


class Refused(Exception):
    """The platform refused the whole message: HTTP status, and the body with `code` and `message`."""


class PartnerClient:
    """Signs what it sends, checks what it is answered, says it again when no answer came, follows the clock."""

    def __init__(self, url: str, partner_id: str, key_id: str, secret_hex: str, *, pause: float = 2.0) -> None:
        self.url, self.partner_id, self.key_id, self.pause = url.rstrip("/"), partner_id, key_id, pause
        self.secret, self.offset, self.session = bytes.fromhex(secret_hex), 0.0, requests.Session()

    def lots(self, after: str = "") -> list[dict[str, Any]]:
        page = self.call("GET", "/partner/v1/lots" + after)
        return list(page["lots"]) + (self.lots(f"?after={page['next']}") if page["next"] else [])

    def describe(self, lot: str, facts: dict[str, Any]) -> Any:
        return self.call("PUT", f"/partner/v1/lots/{lot}", facts)

    def push(self, noun: str, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """`counts` or `visits`, any number of them; a verdict for each record, in order."""
        verdicts: list[dict[str, Any]] = []
        for start in range(0, len(records), BATCH):
            answer = self.call("POST", f"/partner/v1/{noun}", {noun: records[start : start + BATCH]})
            verdicts += [{**verdict, "index": start + verdict["index"]} for verdict in answer["verdicts"]]
        return verdicts

    def call(self, method: str, target: str, content: Any = None, tries: int = 4) -> Any:
        """One message until it is answered: each time the same body and Idempotency-Key, a new nonce and timestamp."""
        body = b"" if content is None else json.dumps(content, ensure_ascii=False).encode()
        once = {"Idempotency-Key": secrets.token_hex(16)} if method == "POST" else {}
        status, answer = self._send(method, target, body, once)
        while status >= HTTPStatus.BAD_REQUEST:
            tries -= 1
            if tries and answer["code"] == "clock_skew":
                self.offset = answer["details"]["server_time"] - time.time()
            elif tries and status in PASSING:
                time.sleep(self.pause)
            else:
                raise Refused(status, answer)
            status, answer = self._send(method, target, body, once)
        return answer

    def _send(self, method: str, target: str, body: bytes, once: dict[str, str]) -> tuple[int, Any]:
        stamp, nonce, digest = str(int(time.time() + self.offset)), secrets.token_hex(16), _sha256(body)
        signed = {"X-Timestamp": stamp, "X-Nonce": nonce, "X-Content-SHA256": digest}
        who = {"X-Partner-Id": self.partner_id, "X-Key-Id": self.key_id, "Content-Type": "application/json"}
        headers = {**who, **signed, "X-Signature": self._sign(method, target, stamp, nonce, digest), **once}
        try:
            got = self.session.request(method, self.url + target, data=body, headers=headers, timeout=15)
        except requests.RequestException:
            return 503, {"code": "no_answer"}
        ours = self._sign(str(got.status_code), nonce, got.headers.get("X-Timestamp", ""), _sha256(got.content))
        if hmac.compare_digest(got.headers.get("X-Signature", ""), ours):
            return got.status_code, got.json()
        if got.status_code in PASSING:  # from something in between
            return got.status_code, {"code": "no_answer"}
        raise NotBelieved(got.status_code, got.text[:200])

    def _sign(self, *parts: str) -> str:
        return hmac.new(self.secret, "\n".join(parts).encode(), hashlib.sha256).hexdigest()


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


if __name__ == "__main__":
    verb, *words = sys.argv[1:]
    client = PartnerClient(*(os.environ[f"GONGBO_{name}"] for name in ("URL", "PARTNER", "KEY", "SECRET")))
    told: Any = json.loads(Path(words[-1]).read_text()) if words else None
    done = client.lots() if not words else client.push(verb, told) if not words[1:] else client.describe(words[0], told)
    sys.stdout.write(json.dumps(done, ensure_ascii=False, indent=2) + "\n")
