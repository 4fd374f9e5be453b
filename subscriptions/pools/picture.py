"""The running month of a pool as a picture: a bar a day, and where it runs empty; pure."""

from dataclasses import dataclass
from datetime import date

from subscriptions.pools.pace import Pace
from subscriptions.usage.rules.bars import Bar, Bars, draw


@dataclass(frozen=True, slots=True)
class PoolBar:
    """One day: its whole bar, of which the upper part, so many pixels, was not covered."""

    bar: Bar
    beyond: int

    @property
    def covered(self) -> int:
        return self.bar.height - self.beyond

    @property
    def foot(self) -> int:
        """Where the covered part begins."""
        return self.bar.y + self.beyond


@dataclass(frozen=True, slots=True)
class PoolPicture:
    """Everything that the SVG needs; `empty_x` is where the pool runs empty, if in this month."""

    frame: Bars
    bars: list[PoolBar]
    empty_x: int | None

    @property
    def has_beyond(self) -> bool:
        return any(each.beyond for each in self.bars)

    @property
    def label_end(self) -> bool:
        """Whether words beside the mark must end at it, for want of room."""
        return self.empty_x is not None and self.empty_x > self.frame.width * 3 // 4


def picture_of(pace: Pace, empty_on: date | None) -> PoolPicture | None:
    """None where nothing was wanted in the month."""
    frame = draw([(each.day, each.wanted) for each in pace.days], days=pace.month.days)
    if frame is None:
        return None
    bars = [
        PoolBar(bar, round(bar.height * day.uncovered / day.wanted) if day.wanted > 0 else 0)
        for bar, day in zip(frame.bars, pace.days, strict=True)
    ]
    inside = empty_on is not None and pace.month.contains(empty_on)
    room = (frame.right - frame.left) / pace.month.days
    at = (empty_on - pace.month.start).days if inside and empty_on else 0
    return PoolPicture(frame, bars, round(frame.left + at * room + room / 2) if inside else None)
