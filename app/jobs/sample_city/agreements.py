"""The driver agreement (车主服务协议, N4.8) that sample motorists sign."""

from datetime import datetime

from app.domain.motorists.actions import publish_agreement
from app.domain.motorists.published import SAMPLE_TITLE, SAMPLE_VERSION, sample_agreement
from app.kernel import clock
from app.kernel.clock import SHANGHAI

NOTICE_IN_FORCE = datetime(2026, 3, 31, tzinfo=SHANGHAI)


def publish_sample_agreement() -> None:
    """In force since the notice is, or since the city's first moment when that lies earlier."""
    publish_agreement(SAMPLE_VERSION, SAMPLE_TITLE, sample_agreement(), min(NOTICE_IN_FORCE, clock.now()))
