"""Outside systems: which are asked, which are not, since when, what waits; by hand too."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from o2b import clock
from o2b.web.http import HtmxRequest, door
from orders.fallout import selectors, services
from orders.fallout.doorstep import MANAGES, SEES, back, me


@door(SEES)
@require_GET
def system_list(request: HtmxRequest) -> HttpResponse:
    return render(request, "orders/fallout_systems.html", _context(request))


def _context(request: HttpRequest) -> dict[str, Any]:
    systems = selectors.systems()
    return {
        "systems": systems,
        "down": sum(not system.is_asked for system in systems),
        "manages": request.user.has_perm(MANAGES),
    }


@door(MANAGES)
@require_POST
def open_system(request: HtmxRequest, code: str) -> HttpResponse:
    """Nobody asks it until a person lets them."""
    reason = request.POST.get("reason", "")
    system = services.open_system(code=code, reason=reason, user_id=me(request), at=clock.now())
    messages.warning(request, _("%(system)s is not asked any more.") % {"system": system})
    return back(request, usual="orders:systems")


@door(MANAGES)
@require_POST
def close_system(request: HtmxRequest, code: str) -> HttpResponse:
    """It is asked again."""
    system = services.close_system(code=code, user_id=me(request), at=clock.now())
    messages.success(request, _("%(system)s is asked again.") % {"system": system})
    return back(request, usual="orders:systems")
