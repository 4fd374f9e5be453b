"""Tasks as a board: ready, claimed, waiting, fallout; a card is a link with buttons."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from o2b import clock
from o2b.web.columns import Chip
from o2b.web.http import HtmxRequest, door
from orders.work.selectors import lists
from orders.work.selectors.filters import Narrowed
from orders.work.views.common import WORKS, me
from orders.work.views.lists import STATE_WORDS, TONES


@door(WORKS)
@require_GET
def board(request: HtmxRequest) -> HttpResponse:
    """Every open task of one's queues, by where it stands."""
    user, asked = request.user, Narrowed.of(request.GET)
    columns = lists.board(user, asked, machine_now=clock.now())  # type: ignore[arg-type]
    query = request.GET.copy()
    for name in ("state", "page"):
        query.pop(name, None)
    context = {
        "columns": [(STATE_WORDS[column.name], column) for column in columns],
        "queues": [
            Chip(one.name, f"?queue={one.code}", one.code == asked.queue)
            for one in lists.queues_seen_by(user)  # type: ignore[arg-type]
        ],
        "tones": TONES,
        "me": me(request),
        "list_href": f"{reverse('orders:work')}?{query.urlencode()}",
        "is_narrowed": asked.any,
        "chosen": asked.queue,
    }
    return render(request, "orders/board.html", context)
