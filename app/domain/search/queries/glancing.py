"""Who looks, and whether the board still holds: one question, for all who come together."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Final

from app.domain.motorists.queries import SIGNED_IN
from app.domain.search.queries.keeping import KEEPER, PRESSING
from app.kernel import clock
from app.kernel.lookout import glimpse
from app.kernel.together import Together

SignIn = tuple[uuid.UUID, int]
"""A motorist's public key and the session version of their token."""


def who_looks(sign_in: SignIn) -> int | None:
    """The id of a motorist whose sign-ins have not been ended since this version.

    Asked after the call began, and with it whether anything presses: the search that follows need not ask again.
    """
    return _GLANCES.ask(sign_in)


def _asked(sign_ins: Sequence[SignIn]) -> Mapping[SignIn, int]:
    asked, seen = clock.steady(), KEEPER.seen
    rows = glimpse(_QUESTION, {"keys": [key for key, _ in sign_ins], "since": seen})
    if rows:
        KEEPER.note(asked, seen, rows[0].pressing)
    return {(row.key, row.session_version): row.id for row in rows}


_QUESTION: Final = SIGNED_IN.add_columns(PRESSING.label("pressing"))
_GLANCES: Final = Together(_asked)
