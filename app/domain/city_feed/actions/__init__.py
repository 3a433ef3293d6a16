"""Finding what the city has to be told, telling it, and minding the line."""

from app.domain.city_feed.actions.find import find_lots
from app.domain.city_feed.actions.mind import alarm, retry
from app.domain.city_feed.actions.pulse import pulse
from app.domain.city_feed.actions.send import send_due
from app.domain.city_feed.actions.visits import find_visits

__all__ = ["alarm", "find_lots", "find_visits", "pulse", "retry", "send_due"]
