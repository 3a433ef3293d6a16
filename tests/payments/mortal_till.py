"""`python -m tests.payments.mortal_till CHARGE OPENID`: prepares one payment, unless the process dies before."""

import sys
import uuid

from app.wiring import wiring
from payments.charges.actions import prepare
from wsgi import create_app

if __name__ == "__main__":
    with create_app().app_context():
        wired = wiring()
        told = wired.settings.wechat
        prepare(uuid.UUID(sys.argv[1]), sys.argv[2], wired.pay, sp_appid=told.app_id, notify_url=told.notify_url)
