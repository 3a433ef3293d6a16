"""A process that sends one mail until it dies."""

from app.domain.receipts.actions import bring_mail
from app.wiring import wiring
from wsgi import create_app


def send_mail(mail_id: int, tried: int) -> None:
    """Hand one mail to the mail server."""
    with create_app().app_context():
        server = wiring().mail
        assert server is not None
        bring_mail(mail_id, tried, server)
