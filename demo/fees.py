"""What each visit must cost, in fen: counted here from the published tariffs' own words, not by the platform.

一级道路 (HZ-ROAD-1): 8-20时首小时内3元/半小时，之后4元/半小时；夜间5元/次；15分钟免费；尾数≤15分钟不计。
核心道路 (HZ-ROAD-CORE): 8-20时首小时内5元/半小时，首小时后6元/半小时；20-次日8时5元/次；其余同上。
市民中心 (HZ-CIVIC-CENTER): 4元/小时；不足1小时按1小时；尾数≤15分钟不计。
A lot may follow one of them at a share of its sums; what is asked is never above the cheapest one near by (N3.3).
"""

from dataclasses import dataclass

TAIL_MINUTES = 15
"""A last, incomplete unit counts only when more than this of it was used."""


@dataclass(frozen=True)
class Fee:
    """A lot's own fee and the cap of the government-priced lots around it, in fen, and how they come about."""

    own_fen: int
    cap_fen: int
    because: str

    @property
    def fee_fen(self) -> int:
        """What the motorist is asked for."""
        return min(self.own_fen, self.cap_fen)


def road_berth(day_minutes: int, first_fen: int, later_fen: int, night_fen: int) -> int:
    """Minutes before 20:00 in half hours - the first two dearer or cheaper than the others -, then a flat night."""
    units = _units(day_minutes, 30)
    return min(units, 2) * first_fen + max(units - 2, 0) * later_fen + night_fen


def civic_garage(minutes: int) -> int:
    """Hours of 4 yuan; the first counts however short it is."""
    return max(_units(minutes, 60), 1) * 400


def yuan(fen: int) -> str:
    """`8.80 yuan`."""
    return f"{fen // 100}.{fen % 100:02d} yuan"


def _units(minutes: int, unit: int) -> int:
    whole, tail = divmod(minutes, unit)
    return whole + (tail > TAIL_MINUTES)


ORGAN_SO_FAR = Fee(
    own_fen=road_berth(50, 300, 400, 0),
    cap_fen=civic_garage(50),
    because="own 2x3 yuan; but no more than 1 hour of 4 yuan in the garage near by (N3.3)",
)
ORGAN = Fee(
    own_fen=road_berth(80, 300, 400, 500),
    cap_fen=civic_garage(115),
    because="own 2x3 + 1x4 yuan until 20:00, then 5; but no more than 2 hours of 4 yuan in the garage near by (N3.3)",
)
INSTITUTION = Fee(
    own_fen=road_berth(70, 240, 320, 400),
    cap_fen=road_berth(70, 300, 400, 500),
    because="80% of the road's: 2x2.40 until 20:00, no tail of 10 min, then 4 yuan",
)
ENTERPRISE = Fee(
    own_fen=road_berth(65, 500, 600, 500),
    cap_fen=road_berth(65, 500, 600, 500),
    because="2x5 yuan until 20:00, no tail of 5 min, then 5 yuan",
)
UNHEARD = Fee(
    own_fen=road_berth(65, 300, 400, 500),
    cap_fen=road_berth(65, 300, 400, 500),
    because="2x3 yuan until 20:00, no tail of 5 min, then 5 yuan",
)
OFFLINE = Fee(
    own_fen=road_berth(70, 300, 400, 500),
    cap_fen=road_berth(70, 300, 400, 500),
    because="2x3 yuan until 20:00, no tail of 10 min, then 5 yuan",
)
SHORT = Fee(own_fen=0, cap_fen=0, because="10 of 15 free minutes")
