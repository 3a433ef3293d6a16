"""The line to the city: whether anybody answers, and when to try again. Within a transaction."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app.adapters.city import Barred, Unknown
from app.domain.city_feed.models import CityLine
from app.domain.city_feed.queries import LINE
from app.domain.city_feed.rules import pause
from app.domain.tasks.actions import open_task
from app.kernel import clock
from app.kernel.db import current


def locked_line() -> CityLine:
    """The line's row, locked; laid at the first asking, and what ended before that moment is not told."""
    session = current()
    session.execute(insert(CityLine).values(id=LINE, began_at=clock.now(), failures=0).on_conflict_do_nothing())
    return session.scalars(select(CityLine).where(CityLine.id == LINE).with_for_update()).one()


def may_try(line: CityLine) -> bool:
    """Whether the city may be asked now: it answers, or the pause after its last silence is over."""
    return line.next_try_at is None or line.next_try_at <= clock.now()


def note_heard(line: CityLine) -> None:
    """The city answered us; after an outage that is a reconnection."""
    if line.away_since is None:
        return
    line.away_since = line.next_try_at = line.last_failure = line.barred_code = None
    line.failures = 0
    line.reconnected_at = clock.now()


def note_unheard(line: CityLine, outcome: Unknown | Barred) -> None:
    """The city did not take what we said, whatever it was: pause, longer each time. Barred: a person is asked."""
    now = clock.now()
    line.failures += 1
    line.away_since = line.away_since or now
    line.next_try_at = now + pause(line.failures)
    if isinstance(outcome, Barred):
        line.barred_code = outcome.code
        line.last_failure = f"resultCode {outcome.code}"
        open_task("city_feed_barred", "city_line", LINE, {"code": outcome.code})
    else:
        line.last_failure = outcome.why
