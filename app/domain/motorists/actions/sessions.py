"""Signing in with WeChat, staying signed in, and leaving everywhere at once."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from app.adapters.identity import Identity, LoginCodeRefused, WeChatBusy, WeChatMiniProgram
from app.domain.motorists.models import Motorist, RefreshToken, SignIn
from app.kernel import audit, clock, crypto, ids
from app.kernel.db import affected, current, transaction
from app.kernel.refusals import Unauthenticated, Unavailable

IDLE = timedelta(days=14)
ABSOLUTE = timedelta(days=30)
GRACE = timedelta(seconds=10)
"""How long a spent refresh token still brings its successor: a phone may lose the answer that carried it."""


class LoginRefused(Unauthenticated):
    """WeChat does not accept the login code: wrong, older than 5 minutes, or used before."""

    code = "login_code_refused"
    message = "微信登录已失效，请重新登录"


class SignedOut(Unauthenticated):
    """The refresh token is unknown, expired, or its sign-in has ended."""

    code = "signed_out"
    message = "登录已过期，请重新登录"


class WeChatAway(Unavailable):
    """WeChat gave no useful answer; the same thing may work in a moment."""

    code = "wechat_unavailable"
    message = "微信服务繁忙，请稍后再试"


@dataclass(frozen=True)
class Grant:
    """What a sign-in or a refresh gives: who it is, and the secret that buys the next one."""

    motorist_key: uuid.UUID
    session_version: int
    refresh_token: str = field(repr=False)
    refresh_expires_at: datetime


def identify(code: str, identity: WeChatMiniProgram) -> Identity:
    """Whose `wx.login` code this is. Asks WeChat; refuses `LoginRefused` and `WeChatAway`."""
    try:
        return identity.session_of(code)
    except LoginCodeRefused as refused:
        raise LoginRefused from refused
    except WeChatBusy as busy:
        raise WeChatAway from busy


def sign_in(app_id: str, person: Identity) -> Grant:
    """Begin a sign-in of a person whom WeChat has identified; the first one makes the motorist."""
    with transaction() as session:
        motorist = _motorist(app_id, person.openid)
        now = clock.now()
        family = SignIn(motorist_id=motorist.id, began_at=now, ends_at=now + ABSOLUTE)
        session.add(family)
        session.flush()
        return _granted(motorist, *_issue(family, ids.random_token(), now))


def refresh(token: str) -> Grant:
    """Spend a refresh token and get its successor; within `GRACE` a spent one brings the same successor again.

    A spent token that comes later was stolen from one side or the other: its whole sign-in ends, and every access token
    of this motorist at once. Their other phones refresh and go on. Refuses `SignedOut`.
    """
    with transaction():
        grant = _renewed(token, clock.now())
    if grant is None:
        raise SignedOut
    return grant


def log_out_everywhere(motorist_id: int) -> None:
    """End every sign-in of a motorist; access tokens already handed out stop with the next request."""
    with transaction():
        ended = affected(
            update(SignIn)
            .where(SignIn.motorist_id == motorist_id, SignIn.revoked_at.is_(None))
            .values(revoked_at=clock.now(), revoked_because="logged_out")
        )
        _end_access(motorist_id)
        audit.record("motorists.log_out", "motorist", motorist_id, f"motorist:{motorist_id}", {"sign_ins": ended})


def _end_access(motorist_id: int) -> None:
    """No access token handed out so far is good any more. Sign-ins are locked before their motorist, everywhere."""
    motorist = update(Motorist).where(Motorist.id == motorist_id)
    current().execute(motorist.values(session_version=Motorist.session_version + 1))


def _motorist(app_id: str, openid: str) -> Motorist:
    """The motorist behind an openid, made when there is none; two phones at once make one."""
    index, key = crypto.blind_index("motorist.openid", openid), ids.new_key()
    current().execute(
        insert(Motorist)
        .values(
            key=key,
            app_id=app_id,
            openid_bidx=index,
            openid_enc=crypto.seal(openid, f"motorist.openid:{key}"),
            session_version=1,
            created_at=clock.now(),
        )
        .on_conflict_do_nothing(constraint="an_openid_is_one_motorist_per_app")
    )
    return current().scalars(select(Motorist).filter_by(app_id=app_id, openid_bidx=index)).one()


def _issue(family: SignIn, token: str, now: datetime) -> tuple[str, datetime]:
    """Keep the digest of a sign-in's next token; gives the token and until when it may be spent."""
    expires_at = min(now + IDLE, family.ends_at)
    digest = ids.digest(token)
    current().add(RefreshToken(sign_in_id=family.id, digest=digest, issued_at=now, expires_at=expires_at))
    return token, expires_at


def _granted(motorist: Motorist, token: str, expires_at: datetime) -> Grant:
    return Grant(motorist.key, motorist.session_version, token, expires_at)


def _renewed(token: str, now: datetime) -> Grant | None:
    """The next grant, or None. Ending a stolen sign-in must be committed, so nothing is raised here."""
    family = _locked_family(token)
    if family is None or family.revoked_at is not None:
        return None
    row = current().scalars(select(RefreshToken).filter_by(digest=ids.digest(token))).one()
    if row.spent_at is not None and row.spent_at + GRACE < now:
        _end_stolen(family, now)
        return None
    if row.expires_at <= now:
        return None
    motorist = current().get_one(Motorist, family.motorist_id)
    return _granted(motorist, *(_successor(row) if row.spent_at is not None else _spend(row, family, now)))


def _locked_family(token: str) -> SignIn | None:
    """The sign-in a token grew from, locked: two refreshes at once are taken one after the other."""
    return current().scalars(
        select(SignIn)
        .join(RefreshToken, RefreshToken.sign_in_id == SignIn.id)
        .where(RefreshToken.digest == ids.digest(token))
        .with_for_update(of=SignIn)
    ).one_or_none()  # fmt: skip


def _spend(row: RefreshToken, family: SignIn, now: datetime) -> tuple[str, datetime]:
    """Mark the token spent before its successor exists: a sign-in never has two unspent ones."""
    successor = ids.random_token()
    row.spent_at, row.successor_enc = now, crypto.seal(successor, _where(row))
    current().flush()
    return _issue(family, successor, now)


def _successor(row: RefreshToken) -> tuple[str, datetime]:
    assert row.successor_enc is not None
    token = crypto.unseal(row.successor_enc, _where(row))
    after = current().scalars(select(RefreshToken).filter_by(digest=ids.digest(token))).one()
    return token, after.expires_at


def _where(row: RefreshToken) -> str:
    return f"refresh_token.successor:{row.digest.hex()}"


def _end_stolen(family: SignIn, now: datetime) -> None:
    family.revoked_at, family.revoked_because = now, "token_reused"
    _end_access(family.motorist_id)
    audit.record("motorists.end_stolen_sign_in", "sign_in", family.id, "platform")
