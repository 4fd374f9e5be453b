"""Usage by day as a picture: one bar a day over a scale; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from subscriptions.rules.months import nice

WIDTH, HEIGHT, RIGHT, TOP, FOOT = 720, 180, 12, 12, 26
LETTER, GAP = 7, 10  # what a digit of the scale takes, and what is beside it
MOST_LABELS = 8
WIDEST = 40
ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Bar:
    """One day: where its bar stands, and what it says."""

    day: date
    quantity: Decimal
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Bars:
    """Everything that the SVG needs."""

    bars: list[Bar]
    scale: list[tuple[Decimal, int]]
    labels: list[tuple[date, int]]
    left: int
    width: int = WIDTH
    height: int = HEIGHT
    right: int = WIDTH - RIGHT


def draw(by_day: Sequence[tuple[date, Decimal]], *, days: int) -> Bars | None:
    """Bars of the days so far of a period of so many days; None where nothing was used."""
    high = max((quantity for _, quantity in by_day), default=Decimal(0))
    if high <= 0:
        return None
    step = nice(high / 3)
    count = int((high / step).to_integral_value("ROUND_CEILING"))
    scale = [step * n for n in range(count + 1)]
    top = scale[-1]
    left = GAP + LETTER * max(len(f"{quantity.normalize():,f}") for quantity in scale)
    room = (WIDTH - left - RIGHT) / max(days, len(by_day))
    wide = max(min(int(room * 0.72), WIDEST), 1)

    def y(quantity: Decimal) -> int:
        share = max(quantity, Decimal(0)) / top
        return int((HEIGHT - FOOT - share * (HEIGHT - TOP - FOOT)).quantize(ONE, ROUND_HALF_UP))

    def x(n: int) -> int:
        return left + round(n * room + (room - wide) / 2)

    every = -(-max(days, len(by_day)) // MOST_LABELS)
    return Bars(
        bars=[
            Bar(day, quantity, x(n), y(quantity), wide, HEIGHT - FOOT - y(quantity))
            for n, (day, quantity) in enumerate(by_day)
        ],
        scale=[(quantity, y(quantity)) for quantity in scale],
        labels=[(day, x(n)) for n, (day, _) in enumerate(by_day) if n % every == 0],
        left=left,
    )
