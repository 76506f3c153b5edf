"""Two lines over some weeks, as geometry for an SVG the server writes (UI.md, Charts).

Drawn twice, 600 and 330 wide, so that its words keep their size on a phone. Whole pixels: no float is worth having.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...loyalty.views.home import Week
from ...loyalty.views.words import Words, number

COLOURS = ("#0f6b66", "#a85800")
CLOSEST = 34  # pixels between the words at the two lines' ends


@dataclass(frozen=True, slots=True)
class Line:
    name: str
    colour: str
    points: str  # of a polyline
    end: tuple[int, int]
    label_y: int
    last: str


@dataclass(frozen=True, slots=True)
class Drawing:
    width: int
    height: int
    left: int
    right: int
    grid: list[tuple[int, str]]  # y, label
    ticks: list[tuple[int, str, str]]  # x, label, anchor
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class Chart:
    finding: str  # what the picture says, for those who do not see it
    wide: Drawing
    narrow: Drawing


def chart(weeks: Sequence[Week], words: Words) -> Chart | None:
    """None while nothing has happened yet."""
    issued, redeemed = [week.issued for week in weeks], [week.redeemed for week in weeks]
    if not any(issued) and not any(redeemed):
        return None
    days = [words.day(week.begins) for week in weeks]
    series = (("Issued", issued), ("Redeemed", redeemed))
    return Chart(
        finding=f"Issued {_moved(issued)} points a week; redeemed {_moved(redeemed)}.",
        wide=_draw(series, days, width=600, height=190, left=46, right=500, ticks=(0, 3, 6, 9, 11)),
        narrow=_draw(series, days, width=330, height=200, left=46, right=246, ticks=(0, 6, 11)),
    )


def _moved(values: Sequence[int]) -> str:
    first, last = values[0], values[-1]
    if first == last:
        return f"stayed at {number(last)}"
    return f"{'rose' if last > first else 'fell'} from {number(first)} to {number(last)}"


def _draw(
    series: Sequence[tuple[str, Sequence[int]]],
    days: Sequence[str],
    *,
    width: int,
    height: int,
    left: int,
    right: int,
    ticks: Sequence[int],
) -> Drawing:
    top, bottom = 12, height - 24
    step = _step(max(max(values) for _, values in series))

    def x(place: int) -> int:
        return left + (right - left) * place // (len(days) - 1)

    def y(value: int) -> int:
        return bottom - (bottom - top) * value // (3 * step)

    ends = [y(values[-1]) for _, values in series]
    lines = [
        Line(
            name=name,
            colour=colour,
            points=" ".join(f"{x(place)},{y(value)}" for place, value in enumerate(values)),
            end=(right, end),
            label_y=label_y,
            last=number(values[-1]),
        )
        for (name, values), colour, end, label_y in zip(series, COLOURS, ends, _apart(ends, top), strict=True)
    ]
    return Drawing(
        width=width,
        height=height,
        left=left,
        right=right,
        grid=[(y(level * step), number(level * step)) for level in range(4)],
        ticks=[(x(place), days[place], _anchor(place, len(days))) for place in ticks if place < len(days)],
        lines=lines,
    )


def _step(most: int) -> int:
    """A third of the axis: 1, 2 or 5 times a power of ten, so that three of them hold the greatest value."""
    size = 1
    while True:
        for factor in (1, 2, 5):
            if 3 * factor * size >= most:
                return factor * size
        size *= 10


def _apart(ends: Sequence[int], top: int) -> list[int]:
    """Where the words at the ends stand: beside their points, pushed apart when they would touch."""
    upper, lower = min(ends), max(ends)
    if lower - upper < CLOSEST:
        upper = lower - CLOSEST
        if upper < top:
            upper, lower = top, top + CLOSEST
    first_is_upper = ends[0] <= ends[1]
    return [upper, lower] if first_is_upper else [lower, upper]


def _anchor(place: int, of: int) -> str:
    return "start" if place == 0 else "end" if place == of - 1 else "middle"
