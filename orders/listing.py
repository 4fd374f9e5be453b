"""The list of orders: what it shows of each, and by what it is narrowed."""

from datetime import date, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from o2b.people.models import User
from o2b.web.show import day_text
from orders.models import Jeopardy, Order, OrderLine, Queue, Task

T = Task.State
OPEN = (T.READY, T.CLAIMED, T.RUNNING, T.FAILED, T.FALLOUT, T.BLOCKED)
OVER = ("completed", "cancelled")
TONES = {Jeopardy.GREEN: "good", Jeopardy.AMBER: "warn", Jeopardy.RED: "bad"}
MOST_ADVOCATES = 200


def jeopardy_of(order: Any) -> str:
    """Whether a promise is in danger, said only while there is one to keep."""
    return "" if order.standing in OVER else str(order.jeopardy)


def tone_of(order: Any) -> str:
    return TONES.get(order.jeopardy, "")


def with_words(order: Any) -> Any:
    """An order with what a template shows of its lateness."""
    order.said_jeopardy, order.tone = jeopardy_of(order), tone_of(order)
    return order


def priority_of(order: Order) -> str:
    """The priority where it is not the usual one."""
    return str(order.get_priority_display()) if order.priority else ""


def begins(order: Any) -> str:
    """From when work goes on, where it has not begun yet."""
    if order.work_from is None or order.standing != OrderLine.State.SCHEDULED:
        return ""
    return _("from %(day)s") % {"day": day_text(order.work_from)}


def by_jeopardy(orders: QuerySet[Order], value: str) -> QuerySet[Order]:
    """Orders under way whose promise stands like that; `endangered` is amber or red."""
    wanted = [Jeopardy.AMBER, Jeopardy.RED] if value == "endangered" else [value]
    under_way = OrderLine.objects.filter(order=OuterRef("pk")).exclude(state__in=OVER)
    return orders.filter(Exists(under_way), jeopardy__in=wanted)


def by_queue(orders: QuerySet[Order], code: str) -> QuerySet[Order]:
    """Orders of which work is open in a queue."""
    work = Task.objects.filter(order=OuterRef("pk"), queue__code=code, state__in=OPEN)
    return orders.filter(Exists(work))


def by_product(orders: QuerySet[Order], told: str) -> QuerySet[Order]:
    """Orders with a line of a product, by its code or a part of its name."""
    product = "product_version__product"
    meant = Q(**{f"{product}__code__iexact": told}) | Q(**{f"{product}__name__icontains": told})
    return orders.filter(Exists(OrderLine.objects.filter(meant, order=OuterRef("pk"))))


def by_customer(orders: QuerySet[Order], told: str) -> QuerySet[Order]:
    """Orders of a customer, by an account's number or a part of the name."""
    meant = Q(account__reference__iexact=told) | Q(account__customer__name__icontains=told)
    return orders.filter(meant | Q(account__name__icontains=told))


def by_advocate(orders: QuerySet[Order], username: str) -> QuerySet[Order]:
    return orders.filter(account__advocate__username=username)


def placed_from(orders: QuerySet[Order], day: date) -> QuerySet[Order]:
    return orders.filter(placed_at__date__gte=day)


def placed_until(orders: QuerySet[Order], day: date) -> QuerySet[Order]:
    """To the end of a day."""
    return orders.filter(placed_at__date__lt=day + timedelta(days=1)) if day < date.max else orders


def queue_choices(request: HttpRequest) -> list[tuple[str, str]]:
    return list(Queue.objects.order_by("name").values_list("code", "name"))


def advocate_choices(request: HttpRequest) -> list[tuple[str, str]]:
    """People who answer for customers; oneself first."""
    answering = with_orders(User.objects.all()).order_by("first_name", "last_name", "username")
    found = [(user.username, str(user)) for user in answering[:MOST_ADVOCATES]]
    mine = [each for each in found if each[0] == request.user.get_username()]
    others = [each for each in found if each not in mine]
    return [(name, _("me (%(name)s)") % {"name": shown}) for name, shown in mine] + others


def with_orders(people: QuerySet[User]) -> QuerySet[User]:
    """Advocates of accounts that ordered something."""
    return people.filter(
        Exists(Order.objects.filter(account__advocate=OuterRef("pk")).order_by().values("pk"))
    )
