"""What is there for a time ends: later than now, and never later than was said before."""

from datetime import datetime

from sqlalchemy.dialects.postgresql import Range

from app.kernel import clock
from app.kernel.refusals import Invalid


class EndUnfit(Invalid):
    """An end lies ahead, after the beginning, and before an end that was set already."""

    code = "end_unfit"
    message = "停用时间须晚于现在和启用时间，且不得晚于已设定的停用时间"


def shortened(valid: Range[datetime], at: datetime) -> Range[datetime]:
    """The same span, which ends at `at`. Refuses `EndUnfit`."""
    lower, upper = valid.lower, valid.upper
    if at < clock.now() or (lower is not None and at <= lower) or (upper is not None and at > upper):
        raise EndUnfit
    return Range(lower, at, bounds=valid.bounds)
