"""A motorist's own account: it can be erased."""

from app.domain.erasure.actions import erase
from app.web.policy import admits
from miniprogram_api.door import asking, motorist, noun

blueprint = noun("me", "账号")


@blueprint.delete("/me")
@admits(motorist("6/minute"))
@blueprint.gives(204)
@blueprint.refuses(401, 409, 429)
def erase_me() -> None:
    """注销账号

    删除手机号、微信标识、号牌、邮箱地址与发票抬头，结束所有登录；法律要求保存的支付、票据与账务记录不再指向本人。
    有未结束的预约、在场车辆、未付费用、办理中的退款、申诉或票据时不能注销。注销后访问令牌即失效，重复请求返回 401。
    """
    erase(asking())
