"""The doors of licence keys: pools and what is in them; a key shown once."""

from datetime import datetime
from typing import Any, cast

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from o2b import clock
from o2b.web.forms import show_refusal
from o2b.web.http import HtmxRequest, door
from o2b.web.tables import Action, Column, ListPage
from o2b.web.uploads import blamed, refused_early
from orders import selectors as orders
from orders.licences import selectors, services
from orders.licences.forms import MOST_BYTES, KeysForm, PoolForm
from orders.licences.rules import masked
from orders.models import LicenceKey, Task

SEES, KEEPS = "orders.view_order", "orders.manage_work"
A_PAGE = 50
MOST_FAULTS = 100


class PoolList(ListPage):
    """Every pool and what is left in it."""

    permission = KEEPS
    title = gettext_lazy("Licence pools")
    intro = gettext_lazy("Keys bought beforehand; plans name the pool that they take from.")
    columns = (
        Column("name", gettext_lazy("Pool"), sort="name", link=True, note="code"),
        Column("free", gettext_lazy("Free"), kind="number", sort="free"),
        Column("issued", gettext_lazy("Issued"), kind="number", sort="issued"),
        Column("revoked", gettext_lazy("Revoked"), kind="number", sort="revoked"),
        Column("warn_below", gettext_lazy("Tell below"), kind="number", sort="warn_below"),
    )
    search = ("name", "code")
    default_sort = "name"
    csv_name = "licence-pools"
    actions = (Action(gettext_lazy("New pool"), "orders:licence-pool-new"),)
    empty = gettext_lazy("No pools yet. Without one, keys are made at once.")

    def get_rows(self) -> QuerySet[Any]:
        return selectors.pools_for_list()


@door(KEEPS)
@require_http_methods(["GET", "HEAD", "POST"])
def new_pool(request: HtmxRequest) -> HttpResponse:
    form = PoolForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            pool = services.open_pool(**form.cleaned_data, at=clock.now(), by=_me(request))
        except services.PoolInvalid as refusal:
            show_refusal(form, refusal)
        else:
            return redirect("orders:licence-pool", pk=pool.pk)
    status = 422 if form.is_bound else 200
    return render(request, "orders/licences/new_pool.html", {"form": form}, status=status)


@door(KEEPS)
@require_GET
def pool(request: HtmxRequest, pk: int) -> HttpResponse:
    return _pool_page(request, pk, KeysForm())


def _pool_page(
    request: HttpRequest,
    pk: int,
    form: KeysForm,
    *,
    status: int = 200,
    faults: list[services.RowFault] | None = None,
) -> HttpResponse:
    found = selectors.get_pool(pk)
    page = Paginator(selectors.keys_of_pool(pk), A_PAGE).get_page(request.GET.get("page"))
    context = {
        "pool": found,
        "is_low": found.free < found.warn_below,
        "form": form,
        "faults": (faults or [])[:MOST_FAULTS],
        "faults_total": len(faults or []),
        "page": page,
        "given": [(key, masked(key.key)) for key in page.object_list],
    }
    return render(request, "orders/licences/pool.html", context, status=status)


@door(KEEPS)
def _too_large(request: HtmxRequest, pk: int) -> HttpResponse:
    form = blamed(KeysForm(), _("The file is larger than 2 MB."))
    return _pool_page(request, pk, form, status=413)


@refused_early(2 * MOST_BYTES, _too_large)  # pasted, and as a file
@door(KEEPS)
@require_POST
def add_keys(request: HtmxRequest, pk: int) -> HttpResponse:
    """Add what is good, and say of the rest what is wrong with each row."""
    selectors.get_pool(pk)
    form = KeysForm(request.POST, request.FILES)
    if not form.is_valid():
        return _pool_page(request, pk, form, status=422)
    try:
        added, faults = services.add_keys(
            pool_id=pk, text=form.text(), at=clock.now(), by=_me(request)
        )
    except services.KeysInvalid as refusal:
        show_refusal(form, refusal)
        return _pool_page(request, pk, form, status=422)
    if added:
        words = ngettext("%(n)s key was added.", "%(n)s keys were added.", added)
        messages.success(request, words % {"n": added})
    if not faults:
        return redirect("orders:licence-pool", pk=pk)
    return _pool_page(request, pk, KeysForm(), faults=faults, status=200 if added else 422)


@door(SEES)
@require_GET
def of_task(request: HtmxRequest, pk: int) -> HttpResponse:
    """The keys of one task, by their ends."""
    keys = selectors.keys_of_task(pk)
    if not keys:
        raise LicenceKey.DoesNotExist(f"task {pk} was given no key")
    return _keys_page(request, pk, keys)


@door(SEES)
@require_POST
def show(request: HtmxRequest, pk: int) -> HttpResponse:
    """The keys of one task in full: this once."""
    keys = services.show_keys(task_id=pk, user_id=_me(request), at=_now(pk))
    response = _keys_page(request, pk, keys, in_full=True)
    response["Cache-Control"] = "private, no-store"
    return response


def _keys_page(
    request: HttpRequest, task_id: int, keys: list[LicenceKey], *, in_full: bool = False
) -> HttpResponse:
    context = {
        "task": orders.get_task(task_id),
        "keys": [(key, key.key if in_full else masked(key.key)) for key in keys],
        "in_full": in_full,
        "may_show": not in_full and all(k.shown_at is None and k.state == "issued" for k in keys),
    }
    return render(request, "orders/licences/keys.html", context)


def _me(request: HttpRequest) -> int:
    return cast(int, request.user.pk)  # the door lets in nobody else than users


def _now(task_id: int) -> datetime:
    return clock.now(Task.objects.select_related("account__test_clock").get(pk=task_id).account)
