"""Rate decks: the list of them, a deck with its versions and rates, and its drafts."""

import csv
from typing import Any

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from o2b import clock
from o2b.catalog.exchange.decks import deck_lines
from o2b.catalog.exchange.faults import SheetRefused
from o2b.catalog.exchange.sheets.files import LARGEST_FILE
from o2b.catalog.forms.decks import DeckForm, NumberForm, RatesForm, RetireDeckForm
from o2b.catalog.models import DeckRate, RateDeck, RateDeckVersion
from o2b.catalog.models.products import Lifecycle
from o2b.catalog.selectors import decks as selectors
from o2b.catalog.selectors.meters import meter_state
from o2b.catalog.services import decks as services
from o2b.catalog.views.who import who
from o2b.charging import called_number
from o2b.errors import Refused
from o2b.web.csv import Echo, safe
from o2b.web.forms import show_refusal
from o2b.web.http import door
from o2b.web.tables import Action, Column, ListPage
from o2b.web.uploads import blamed, refused_early

SEE, CHANGE, PUBLISH = "catalog.view_product", "catalog.change_product", "catalog.publish"


class DeckList(ListPage):
    """Every rate deck."""

    permission = SEE
    title = gettext_lazy("Rate decks")
    columns = (
        Column("name", gettext_lazy("Rate deck"), sort="name", link=True, note="code"),
        Column("state", gettext_lazy("State"), value=meter_state, kind="badge"),
        Column("currency", gettext_lazy("Currency"), sort="currency"),
        Column("prefixes", gettext_lazy("Prefixes"), kind="number", sort="prefixes"),
        Column("newest", gettext_lazy("Newest version"), kind="number", sort="newest"),
    )
    search = ("code", "name", "currency")
    search_hint = gettext_lazy("Code, name…")
    states = (
        ("published", gettext_lazy("published")),
        ("draft", gettext_lazy("with a draft")),
        ("retired", gettext_lazy("retired")),
    )
    default_sort = "name"
    csv_name = "rate-decks"
    actions = (Action(gettext_lazy("New rate deck"), "catalog:deck-new", permission=CHANGE),)
    empty = gettext_lazy("No rate decks yet. A deck says what calls cost by their prefix.")

    def get_rows(self) -> QuerySet[Any]:
        return selectors.decks_for_list()

    def filter_state(self, rows: QuerySet[Any], state: str) -> QuerySet[Any]:
        if state == "published":
            return rows.filter(published=True)
        if state == "draft":
            return rows.filter(any_draft=True)
        return rows.filter(published=False, any_draft=False)


@door(CHANGE)
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """A deck under a code of its own, with an empty draft."""
    form = DeckForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.add_deck(**form.cleaned_data, by=who(request), at=clock.now())
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            return redirect("catalog:deck-edit", code=made.code, number=1)
    status = 422 if form.errors else 200
    return render(request, "catalog/deck_new.html", {"form": form}, status=status)


def _increments(rate: DeckRate) -> str:
    return f"{rate.first_seconds}/{rate.next_seconds}"


class DeckPage(ListPage):
    """One deck: its versions, the rate of a number, and the rates of the version asked for."""

    permission = SEE
    template_name = "catalog/deck.html"
    columns = (
        Column("prefix", gettext_lazy("Prefix"), sort="prefix"),
        Column("destination", gettext_lazy("Destination"), sort="destination"),
        Column("rate", gettext_lazy("Rate"), kind="number", sort="rate"),
        Column("connect_fee", gettext_lazy("Connect fee"), kind="number", sort="connect_fee"),
        Column("increments", gettext_lazy("Increments, seconds"), value=_increments),
    )
    search = ("prefix", "destination")
    search_hint = gettext_lazy("Prefix or destination…")
    default_sort = "prefix"
    empty = gettext_lazy("No rates in this version yet.")

    @cached_property
    def deck(self) -> RateDeck:
        return RateDeck.objects.get(code=self.kwargs["code"])

    @cached_property
    def versions(self) -> list[RateDeckVersion]:
        return selectors.versions_of_deck(self.deck)

    @cached_property
    def running(self) -> RateDeckVersion | None:
        on = selectors.decks_in_force([self.deck.code])[self.deck.code].version_on(clock.today())
        return next((each for each in self.versions if each.pk == on), None)

    @cached_property
    def version(self) -> RateDeckVersion | None:
        """The one that is asked for, else the one that holds today, else the newest."""
        asked = self.request.GET.get("version", "")
        found = next((each for each in self.versions if str(each.number) == asked), None)
        return found or self.running or next(iter(self.versions), None)

    def get_rows(self) -> QuerySet[DeckRate]:
        return DeckRate.objects.filter(version=self.version)

    def search_rows(self, rows: QuerySet[DeckRate], words: str) -> QuerySet[DeckRate]:
        """A number finds the prefixes that begin with it."""
        for word in words.split():
            rows = rows.filter(Q(prefix__startswith=word) | Q(destination__icontains=word))
        return rows

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        draft = next((each for each in self.versions if each.state == Lifecycle.DRAFT), None)
        mine = draft is not None and self.request.user.pk in draft.author_ids
        may_publish = draft is not None and not mine and self.request.user.has_perm(PUBLISH)
        # Beside each the one whose days it follows; the number before may hold on other days.
        in_order = sorted(self.versions, key=lambda each: (each.starts_on, each.number))
        follows = dict(zip([each.pk for each in in_order], [None, *in_order], strict=False))
        pairs = [(each, follows[each.pk]) for each in self.versions]
        return super().get_context_data(
            title=self.deck.name,
            deck=self.deck,
            version=self.version,
            running=self.running,
            pairs=pairs,
            draft=draft,
            must_ask=mine,
            may_publish=may_publish,
            may_change=self.request.user.has_perm(CHANGE),
            retire_form=RetireDeckForm(),
            **self._looked_up(),
            **kwargs,
        )

    def _looked_up(self) -> dict[str, Any]:
        """What the number of ?number= costs on the day of ?on=."""
        if "number" not in self.request.GET:
            return {"number_form": NumberForm(initial={"on": clock.today()})}
        form = NumberForm(self.request.GET)
        if not form.is_valid():
            return {"number_form": form}
        number = called_number(form.cleaned_data["number"])
        if not number:
            form.add_error("number", _("It is no number: write +49 171 234567."))
            return {"number_form": form}
        found = selectors.find_rate(self.deck, number, form.cleaned_data["on"])
        return {"number_form": form, "looked_up": number, "found": found}


@door(CHANGE)
@require_POST
def draft(request: HttpRequest, code: str) -> HttpResponse:
    """Begin the next version with the rates that hold last."""
    made = services.draft_version(code=code, by=who(request), at=clock.now())
    return redirect("catalog:deck-edit", code=code, number=made.number)


@door(CHANGE)
def _too_large(request: HttpRequest, code: str, number: int) -> HttpResponse:
    version = selectors.get_deck_version(code, number)
    form = blamed(RatesForm(), _("The file is larger than 50 MB."))
    return _answer(request, version, form, status=422)


@refused_early(LARGEST_FILE, _too_large)
@door(CHANGE)
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """The day and the rates of a draft; a file is taken whole or not at all."""
    version = selectors.get_deck_version(code, number)
    if version.state != Lifecycle.DRAFT:
        messages.error(request, _("Only a draft can be edited."))
        return redirect(version.deck)
    if request.method == "GET":
        return _answer(request, version, RatesForm(initial={"starts_on": version.starts_on}))
    form = RatesForm(request.POST, request.FILES)
    faults: tuple[Any, ...] = ()
    if form.is_valid():
        try:
            _save(request, version, form)
        except SheetRefused as refusal:
            faults = refusal.faults
            form.add_error("file", _("Choose it again.") if faults else refusal.message)
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, _("%(version)s is saved.") % {"version": version})
            return redirect(f"{version.deck.get_absolute_url()}?version={version.number}")
    return _answer(request, version, form, faults, status=422)


def _save(request: HttpRequest, version: RateDeckVersion, form: RatesForm) -> None:
    told: dict[str, Any] = {"version_id": version.pk, "by": who(request), "at": clock.now()}
    file = form.cleaned_data["file"]
    if file:
        services.fill_from_sheet(stream=file.file, name=file.name, **told)
    if form.cleaned_data["starts_on"] != version.starts_on:
        services.move_version(starts_on=form.cleaned_data["starts_on"], **told)


def _answer(
    request: HttpRequest,
    version: RateDeckVersion,
    form: Any,
    faults: tuple[Any, ...] = (),
    *,
    status: int = 200,
) -> HttpResponse:
    context = {"form": form, "version": version, "deck": version.deck, "faults": faults}
    return render(request, "catalog/deck_edit.html", context, status=status)


@door(SEE)
@require_GET
def download(request: HttpRequest, code: str, number: int) -> StreamingHttpResponse:
    """The rates of a version as the file that a draft takes."""
    version = selectors.get_deck_version(code, number)
    write = csv.writer(Echo()).writerow
    rates = selectors.rates_of_version(version.pk)
    lines = (write([safe(cell) for cell in row]) for row in deck_lines(rates))
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{code}-v{number}.csv"'
    return response


@door(CHANGE)
@require_POST
def submit(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """Ask a colleague to look at it and publish it."""
    version = selectors.get_deck_version(code, number)
    services.submit_version(version_id=version.pk, by=who(request), at=clock.now())
    messages.success(request, _("It waits for a colleague to publish it."))
    return redirect(version.deck)


@door(PUBLISH)
@require_POST
def publish(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """The second person makes the draft rate calls."""
    version = selectors.get_deck_version(code, number)
    services.publish_version(version_id=version.pk, by=who(request), at=clock.now())
    messages.success(request, _("%(version)s is published.") % {"version": version})
    return redirect(version.deck)


@door(CHANGE)
@require_POST
def discard(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """Throw a draft away; with the only version goes its deck."""
    version = selectors.get_deck_version(code, number)
    services.discard_version(version_id=version.pk, by=who(request), at=clock.now())
    messages.success(request, _("The draft is gone."))
    if RateDeck.objects.filter(code=code).exists():
        return redirect("catalog:deck", code=code)
    return redirect("catalog:deck-list")


@door(CHANGE)
@require_POST
def retire(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """A version rates calls of a day and later no more."""
    version = selectors.get_deck_version(code, number)
    form = RetireDeckForm(request.POST)
    if not form.is_valid():
        for errors in form.errors.values():
            messages.error(request, str(errors[0]))
        return redirect(version.deck)
    services.retire_version(
        version_id=version.pk, on=form.cleaned_data["on"], at=clock.now(), by=who(request)
    )
    messages.success(request, _("%(version)s is retired.") % {"version": version})
    return redirect(version.deck)
