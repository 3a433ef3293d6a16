"""Who a motorist is, according to WeChat: the mini-program's server API."""

from app.adapters.identity.client import Identity, WeChatMiniProgram
from app.adapters.identity.errors import LoginCodeRefused, WeChatBusy, WeChatMisconfigured
from app.adapters.identity.tokens import AccessTokens, MemoryTokenStore, TokenStore

__all__ = [
    "AccessTokens",
    "Identity",
    "LoginCodeRefused",
    "MemoryTokenStore",
    "TokenStore",
    "WeChatBusy",
    "WeChatMiniProgram",
    "WeChatMisconfigured",
]
