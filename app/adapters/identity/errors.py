"""What WeChat's mini-program server API may come to. None carries a code, token, secret or person."""

INVALID_CODE = 40029
USED_CODE = 40163
BLOCKED_USER = 40226

CODE_REFUSED = frozenset({INVALID_CODE, USED_CODE, BLOCKED_USER})
BUSY = frozenset({-1, 45009, 45011})
TOKEN_REFUSED = frozenset({40001, 40014, 42001})


class LoginCodeRefused(Exception):
    """The login or phone code is invalid, expired, used (40029, 40163), or its user is blocked (40226).

    The motorist has to start again in the mini-program.
    """

    def __init__(self, errcode: int) -> None:
        super().__init__(f"errcode {errcode}")
        self.errcode = errcode


class WeChatBusy(Exception):
    """No useful answer: unreachable, silent, -1, or too many calls. Worth trying again later."""


class WeChatMisconfigured(Exception):
    """WeChat refuses us, not the motorist: wrong appid or secret, address not allowed. Only a person can help."""

    def __init__(self, errcode: int, meaning: str = "") -> None:
        super().__init__(meaning or f"errcode {errcode}")
        self.errcode = errcode


def refusal(errcode: int) -> Exception:
    """The exception that an `errcode` other than 0 stands for."""
    if errcode in CODE_REFUSED:
        return LoginCodeRefused(errcode)
    if errcode in BUSY:
        return WeChatBusy(f"errcode {errcode}")
    return WeChatMisconfigured(errcode)
