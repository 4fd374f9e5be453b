"""What the pages of pools share: who may, who asks, and lists of what is computed."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar, cast

from django.http import HttpRequest
from django.utils.functional import cached_property

from o2b.web.tables import ListPage
from subscriptions.pools.scene import Scene, scene_of

SEES, MANAGES, GRANTS = (
    "subscriptions.see_usage",
    "subscriptions.manage_pool",
    "subscriptions.grant_units",
)
ORDERS = "orders.place_order"

T = TypeVar("T")


def me(request: HttpRequest) -> int:
    return cast(int, request.user.pk)  # the door lets in nobody else than users


class Rows(list[T], Generic[T]):
    """Rows that are no rows of a table, for a page and for CSV; `shown` dresses one of them."""

    def __init__(self, rows: Iterable[T], shown: Callable[[T], Any] = lambda row: row) -> None:
        super().__init__(rows)
        self.shown = shown

    def iterator(self, chunk_size: int = 0) -> Iterator[Any]:
        return map(self.shown, self)


class OfPool(ListPage):
    """A list of what belongs to the pool in the address."""

    permission = SEES

    @cached_property
    def scene(self) -> Scene:
        return scene_of(self.kwargs["pk"])

    def get_rows(self) -> Any:
        return self.rows()

    def rows(self) -> list[Any]:
        """All of them, in the order in which they are shown."""
        raise NotImplementedError

    def dress(self, row: Any) -> Any:
        return row

    def key_of(self, row: Any, name: str) -> Any:
        """By what a column sorts."""
        raise NotImplementedError

    def _sorted(self, rows: Any) -> Any:
        name = self.sort.removeprefix("-")
        if self.sort and self.sort != self.default_sort:
            back = self.sort.startswith("-")
            rows = sorted(rows, key=lambda row: self.key_of(row, name), reverse=back)
        return Rows(rows, self.dress)

    def get_page(self) -> Any:
        page = super().get_page()
        page.object_list = [self.dress(row) for row in page.object_list]
        return page

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            pool=self.scene.pool, scene=self.scene, unit=self.scene.unit, **kwargs
        )
