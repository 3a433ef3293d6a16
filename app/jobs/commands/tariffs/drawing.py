"""A fee over the length of the stay as SVG: a panel for each entry, own fee against the cap, in steps."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

from app.domain.pricing.rules.wording import yuan
from app.jobs.commands.tariffs.fee_curves import Step, excesses

HOUR: Final = 3600
WIDTH, PANEL, HEAD = 900, 300, 56
LEFT, RIGHT, TOP, BOTTOM = 76, 24, 40, 52
"""Room around the axes of a panel."""
OWN_COLOUR, CAP_COLOUR, INK, GRID = "#1f5fa8", "#b3541e", "#222222", "#dddddd"
ABOVE: Final = 'fill="#d62728" fill-opacity="0.18"'
MOST_LINES: Final = 6
FONT: Final = "'Noto Sans CJK SC','Source Han Sans SC','PingFang SC','Microsoft YaHei',sans-serif"


@dataclass(frozen=True)
class Panel:
    """One entry: what is written above it, the own fee, and the cap if there is one."""

    title: str
    own: Sequence[Step]
    cap: Sequence[Step] | None


def draw(title: str, panels: Sequence[Panel], seconds: int) -> str:
    """The whole picture as a document of its own."""
    height = HEAD + PANEL * len(panels)
    body = [part for place, panel in enumerate(panels) for part in _panel(panel, HEAD + place * PANEL, seconds)]
    size = f'role="img" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"'
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} lang="zh-CN" font-family="{FONT}" fill="{INK}">',
            f"<title>{escape(title)}</title>",
            f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
            _text(LEFT, 28, title, size=17),
            *_legend(with_cap=any(panel.cap is not None for panel in panels)),
            *body,
            "</svg>",
            "",
        ]
    )


def _legend(*, with_cap: bool) -> Iterator[str]:
    yield _line(LEFT, 44, LEFT + 28, 44, OWN_COLOUR, width=2.5)
    yield _text(LEFT + 34, 48, "本停车场")
    if with_cap:
        yield _line(LEFT + 120, 44, LEFT + 148, 44, CAP_COLOUR, width=2.5, dashes="6 4")
        yield _text(LEFT + 154, 48, "上限（周围政府定价停车场）")
        yield f'<rect x="{LEFT + 370}" y="37" width="28" height="14" {ABOVE}/>'
        yield _text(LEFT + 404, 48, "高于上限")


def _panel(panel: Panel, top: int, seconds: int) -> Iterator[str]:
    axes = Axes(top + TOP, seconds, _highest(panel))
    yield _text(LEFT, top + 26, panel.title, size=14)
    yield from axes.draw()
    if panel.cap is not None:
        for begin, end in excesses(panel.own, panel.cap, seconds):
            yield (
                f'<rect x="{axes.x(begin):.2f}" y="{axes.top}" width="{axes.x(end) - axes.x(begin):.2f}"'
                f' height="{axes.height}" {ABOVE}/>'
            )
        yield _steps(panel.cap, axes, CAP_COLOUR, "6 4")
    yield _steps(panel.own, axes, OWN_COLOUR, "")


def _highest(panel: Panel) -> int:
    fees = [step.fen for step in (*panel.own, *(panel.cap or ())) if step.fen is not None]
    return max(*fees, 100) if fees else 100


def _steps(steps: Sequence[Step], axes: "Axes", colour: str, dashes: str) -> str:
    """A line that goes along and up, never aslant; where there is no price there is no line."""
    path, pen_is_up = [], True
    ends = [step.second for step in steps[1:]] + [axes.seconds]
    for (second, fen), end in zip(steps, ends, strict=True):
        if fen is None:
            pen_is_up = True
            continue
        to = f"{axes.y(fen):.2f}"
        path.append(f"M{axes.x(second):.2f} {to}" if pen_is_up else f"V{to}")
        path.append(f"H{axes.x(end):.2f}")
        pen_is_up = False
    dash = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<path d="{" ".join(path)}" fill="none" stroke="{colour}" stroke-width="2.5"{dash}/>'


@dataclass(frozen=True)
class Axes:
    """Where lengths and fees lie in a panel."""

    top: int
    seconds: int
    highest_fen: int

    @property
    def height(self) -> int:
        return PANEL - TOP - BOTTOM

    @property
    def step_fen(self) -> int:
        """Between two lines of the grid: 1, 2 or 5 of a power of ten, so that there are few."""
        sizes: Iterator[int] = (size * int(10**power) for power in range(2, 12) for size in (1, 2, 5))
        return next(size for size in sizes if size * MOST_LINES >= self.highest_fen)

    @property
    def top_fen(self) -> int:
        return -(-self.highest_fen // self.step_fen) * self.step_fen

    def x(self, second: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * second / self.seconds

    def y(self, fen: int) -> float:
        return self.top + self.height * (1 - fen / self.top_fen)

    def draw(self) -> Iterator[str]:
        bottom = self.top + self.height
        for fen in range(0, self.top_fen + 1, self.step_fen):
            yield _line(LEFT, self.y(fen), WIDTH - RIGHT, self.y(fen), GRID)
            yield _text(LEFT - 8, self.y(fen) + 4, yuan(fen).removesuffix("元"), anchor="end")
        for hour in range(0, self.seconds // HOUR + 1, self._hours_apart()):
            x = self.x(hour * HOUR)
            yield _line(x, self.top, x, bottom, GRID)
            yield _text(x, bottom + 18, str(hour), anchor="middle")
        yield _line(LEFT, bottom, WIDTH - RIGHT, bottom, INK)
        yield _line(LEFT, self.top, LEFT, bottom, INK)
        yield _text((LEFT + WIDTH - RIGHT) / 2, bottom + 38, "停车时长（小时）", anchor="middle")
        yield _text(18, self.top + self.height / 2, "费用（元）", anchor="middle", turned=True)

    def _hours_apart(self) -> int:
        return next(apart for apart in (1, 2, 3, 4, 6, 12, 24, 48, 24 * 30) if apart * 12 * HOUR >= self.seconds)


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float = 1, dashes: str = "") -> str:
    dash = f' stroke-dasharray="{dashes}"' if dashes else ""
    ends = f'x1="{x1:.2f}" y1="{y1:.2f}" x2="{x2:.2f}" y2="{y2:.2f}"'
    return f'<line {ends} stroke="{colour}" stroke-width="{width:g}"{dash}/>'


def _text(x: float, y: float, told: str, *, size: int = 13, anchor: str = "start", turned: bool = False) -> str:
    turn = f' transform="rotate(-90 {x:.2f} {y:.2f})"' if turned else ""
    return f'<text x="{x:.2f}" y="{y:.2f}" font-size="{size}" text-anchor="{anchor}"{turn}>{escape(told)}</text>'
