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

    立即生效，不可恢复；请在用户确认前逐项告知下列后果。

    删除：手机号、微信标识、号牌（他人账号也登记的号牌除外）、邮箱地址与发票抬头，所有登录随即失效。
    保留：停车、支付、退款、票据与账务记录依法保存，不再指向本人；其中密封的付款人标识与识别到的号牌在保存期满后清除。
    暂停预约的处理未到期的，以同一微信账号再次登录时继续有效。
    不能注销（409，先告知最先遇到的一项）：在场车辆 `account_has_car_inside`；未结束的预约、候补或固定泊位
    `account_has_reservation`；未付费用 `account_owes`；办理中的退款 `account_has_refund`；
    未办结的申诉 `account_has_appeal`；正在开具或发送的票据 `account_has_receipt`。注销后重复请求返回 401。
    """
    erase(asking())
