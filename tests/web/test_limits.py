import pytest
from redis import Redis
from werkzeug.exceptions import TooManyRequests

from app.web.limits import Limits
from tests.ground import Addresses

AWAY = "redis://127.0.0.1:1/0"


def taken(limits: Limits, times: int, who: str = "motorist:1") -> int:
    """How many of so many acts were let through."""
    passed = 0
    for _ in range(times):
        try:
            limits.take("3/minute", who)
        except TooManyRequests:
            continue
        passed += 1
    return passed


def test_who_spent_the_limit_waits_and_others_do_not(servers: Addresses) -> None:
    limits = Limits(servers.redis)
    assert taken(limits, 5) == 3
    assert taken(limits, 1, "motorist:2") == 1


def test_a_refusal_says_when_to_come_back(servers: Addresses) -> None:
    limits = Limits(servers.redis)
    taken(limits, 3)
    with pytest.raises(TooManyRequests) as refused:
        limits.take("3/minute", "motorist:1")
    assert dict(refused.value.get_headers())["Retry-After"] == "60"


def test_processes_share_one_count(servers: Addresses) -> None:
    assert taken(Limits(servers.redis), 2) + taken(Limits(servers.redis), 2) == 3


def test_without_redis_each_process_counts_alone() -> None:
    assert taken(Limits(AWAY), 5) == 3


def test_a_count_that_redis_forgot_begins_anew(servers: Addresses, redis: "Redis") -> None:
    limits = Limits(servers.redis)
    taken(limits, 3)
    redis.flushdb()
    assert taken(limits, 5) == 3
