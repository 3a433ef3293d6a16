"""What is refused of rounds and applications, and in which words."""

from app.kernel.refusals import Conflict, Invalid, NotFound


class RoundNotFound(NotFound):
    """There is no such round, or its lot is not shown to the public."""

    code = "regular_round_not_found"
    message = "未找到该轮固定泊位"


class ApplicationNotFound(NotFound):
    """There is no such application, or it is somebody else's."""

    code = "regular_application_not_found"
    message = "未找到该固定泊位申请"


class RoundTimesWrong(Invalid):
    """A round opens now or later, closes after that, is drawn then or later, and at the latest the day before."""

    code = "regular_round_times_wrong"
    message = "申请开始不得早于现在，截止须晚于开始，抽签不得早于截止且不得晚于首夜前一天"


class ApplicationsTooShort(Invalid):
    """Applications are taken for fewer days than the city wants."""

    code = "regular_applications_too_short"
    message = "受理申请的天数少于规定"


class TooManyNights(Invalid):
    """A round runs backwards, or over more days than the city allows."""

    code = "regular_round_too_long"
    message = "固定泊位的起止日期有误或超过规定天数"


class TooManyPlaces(Invalid):
    """A round offers between one place and its share of the bays."""

    code = "too_many_regular_places"
    message = "固定泊位数须至少为1，且不超过共享泊位的规定比例"


class NightsTaken(Conflict):
    """The lot has a round for some of these nights already."""

    code = "regular_nights_taken"
    message = "该停车场在所选日期内已有一轮固定泊位"


class ApplicationsClosed(Conflict):
    """The round takes no applications: not yet, or no more."""

    code = "regular_applications_closed"
    message = "当前不在申请受理时间内"


class AlreadyApplied(Conflict):
    """The motorist has applied to this round."""

    code = "regular_already_applied"
    message = "您已申请本轮固定泊位"


class PlateEntered(Conflict):
    """Somebody has applied to this round for this plate."""

    code = "regular_plate_entered"
    message = "该车牌已申请本轮固定泊位"


class TooManyApplications(Conflict):
    """The motorist may have only so many regular places for the same nights."""

    code = "too_many_regular_applications"
    message = "您在同一时期申请的固定泊位数已达上限"


class NotDueYet(Conflict):
    """Nobody draws before the time that was announced."""

    code = "regular_draw_not_due"
    message = "未到公布的抽签时间"


class ReasonMissing(Invalid):
    """Whoever cancels a round says why."""

    code = "regular_reason_missing"
    message = "请填写取消原因"


class NightBegun(Conflict):
    """The night has begun before it could be promised."""

    code = "regular_night_begun"
    message = "该夜已开始，无法再预约"


class NotDrawn(Conflict):
    """The round has not been drawn, so that there is nothing to make again."""

    code = "regular_not_drawn"
    message = "本轮固定泊位尚未抽签"


class DrawNotAsCommitted(Conflict):
    """Made again, the draw comes out otherwise than it is told."""

    code = "regular_draw_not_as_committed"
    message = "抽签结果与事先公布的承诺不一致"
