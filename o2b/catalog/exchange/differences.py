"""What differs between the cells that stand and the cells that a sheet brings."""

from collections.abc import Mapping

from o2b.catalog.exchange.report import Became, Result

LONGEST = 300


def compared(
    row: int, what: str, old: Mapping[str, str] | None, new: Mapping[str, str], money: str = ""
) -> Result:
    """New, changed or unchanged; `money` names the column that is shown where nothing differs."""
    if old is None:
        return Result(row, Became.NEW, what, new=new.get(money, ""))
    different = [name for name in new if new[name] != old.get(name, "")]
    if not different:
        shown = new.get(money, "")
        return Result(row, Became.UNCHANGED, what, shown, shown)
    if len(different) == 1:
        name = different[0]
        told = old.get(name, "")[:LONGEST], new[name][:LONGEST]
        return Result(row, Became.CHANGED, what, *told, columns=name)
    was, will = (
        "; ".join(f"{name}: {side.get(name, '')}" for name in different)[:LONGEST]
        for side in (old, new)
    )
    return Result(row, Became.CHANGED, what, was, will, ", ".join(different))
