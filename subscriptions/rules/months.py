"""Months ahead before and after a change as a picture: two lines of steps over one scale; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

WIDTH, HEIGHT, LEFT, RIGHT, TOP, FOOT = 720, 200, 76, 12, 12, 26
EVERY = 6  # months between two labels
NICE = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))


@dataclass(frozen=True, slots=True)
class Steps:
    """Everything that the SVG needs: paths, lines of the scale, labels of months."""

    before: str
    after: str
    scale: list[tuple[Decimal, int]]
    labels: list[tuple[date, int]]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT

    @property
    def foot(self) -> int:
        return self.height - FOOT


def draw(months: Sequence[tuple[date, Decimal, Decimal]]) -> Steps | None:
    """(first day, before, after) of each month as two lines; None where there is no month."""
    if not months:
        return None
    amounts = [amount for month in months for amount in month[1:]]
    high, low = max(*amounts, Decimal(0)), min(*amounts, Decimal(0))
    step = nice((high - low) / 3 or Decimal(1))
    lines = range(int((low / step).to_integral_value("ROUND_FLOOR")), _above(high, step) + 1)
    scale = [step * n for n in lines]
    bottom, top = scale[0], max(scale[-1], scale[0] + step)

    def y(amount: Decimal) -> int:
        share = (amount - bottom) / (top - bottom)
        tall = HEIGHT - TOP - FOOT
        return int((HEIGHT - FOOT - share * tall).quantize(Decimal(1), ROUND_HALF_UP))

    def x(n: int) -> int:
        return LEFT + round(n * (WIDTH - LEFT - RIGHT) / len(months))

    def path(amounts: Sequence[Decimal]) -> str:
        parts = [f"M{x(0)} {y(amounts[0])}"]
        for n, amount in enumerate(amounts):
            parts.append(f"V{y(amount)}H{x(n + 1)}")
        return "".join(parts)

    return Steps(
        before=path([month[1] for month in months]),
        after=path([month[2] for month in months]),
        scale=[(amount, y(amount)) for amount in scale],
        labels=[(month[0], x(n)) for n, month in enumerate(months) if n % EVERY == 0],
    )


def nice(step: Decimal) -> Decimal:
    """The next step that people count in.

    >>> [str(nice(Decimal(each))) for each in ("0.4", "17", "26", "300")]
    ['0.5', '20', '50', '500']
    """
    power = Decimal(1).scaleb(step.adjusted())
    wanted = next(each for each in NICE if each * power >= step) * power
    return Decimal(f"{wanted.normalize():f}")


def _above(high: Decimal, step: Decimal) -> int:
    return int((high / step).to_integral_value("ROUND_CEILING"))
