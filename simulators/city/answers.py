"""How the city answers: always HTTP 200 and a `resultCode`."""

import json

from simulators.wire import Reply

DONE = 200


class Rejection(Exception):
    """What was sent is not taken, and why."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def answer(code: int = DONE, message: str = "操作成功") -> Reply:
    """The answer's envelope."""
    return json_reply(200, {"resultCode": code, "msg": message})


def json_reply(status: int, body: object) -> Reply:
    """A JSON document."""
    text = json.dumps(body, ensure_ascii=False).encode()
    return Reply(status, text, {"Content-Type": "application/json; charset=utf-8"})
