"""The server's own log holds no camera's secret."""

import logging

from launcher.gunicorn_conf import WithoutSecrets


def test_the_address_of_a_failed_request_is_written_without_its_secret() -> None:
    told = "/camera/v1/0197b5c8-0000-7000-8000-000000000000/5ec2e7/events?x=1"
    record = logging.LogRecord("gunicorn.error", logging.ERROR, "", 0, "Error handling request %s", (told,), None)
    assert WithoutSecrets().filter(record)
    assert record.getMessage() == (
        "Error handling request /camera/v1/0197b5c8-0000-7000-8000-000000000000/***/events?x=1"
    )
