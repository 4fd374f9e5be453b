"""Pages of people: log-in, home, search, password."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import views as auth
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from o2b import asks
from o2b.people import demo, selectors
from o2b.web.http import door

LONGEST_SEARCH = 200
FEWEST_LETTERS = 2


class LogIn(auth.LoginView):
    """Log-in; in the demo with the names to log in as."""

    template_name = "people/login.html"
    authentication_form = AuthenticationForm
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        if settings.O2B_DEMO:
            context |= {"demo_people": selectors.demo_logins(), "demo_password": demo.PASSWORD}
        return context


class ChangePassword(auth.PasswordChangeView):
    """A new password for oneself."""

    template_name = "people/password.html"
    form_class = PasswordChangeForm
    success_url = reverse_lazy("people:home")

    def form_valid(self, form: Any) -> HttpResponse:
        messages.success(self.request, _("Your password is changed."))
        return super().form_valid(form)


@door()
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    groups = selectors.groups_of(user_id=request.user.pk)
    cards = asks.ask("home_cards", request.user)
    sections = selectors.home_sections(cards=cards, groups=groups)
    return render(request, "people/home.html", {"sections": sections, "groups": groups})


@door()
@require_GET
def search(request: HttpRequest) -> HttpResponse:
    # Postgres refuses text with a NUL in it.
    words = request.GET.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH]
    found = asks.ask("search", request.user, words) if len(words) >= FEWEST_LETTERS else []
    context = {"search_words": words, "found": found, "too_short": len(words) < FEWEST_LETTERS}
    return render(request, "people/search.html", context)
