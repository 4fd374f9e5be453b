"""Questions about people: whose home shows what first, who can log in to the demo."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import Group
from django.utils.functional import Promise

from o2b.asks import Card
from o2b.people.demo import PEOPLE, Person
from o2b.people.groups import SALES
from o2b.people.models import User
from o2b.web.places import PLACES, group_of


@dataclass
class Section:
    """The cards of one neighbourhood on somebody's home."""

    title: str | Promise
    group: str
    cards: list[Card] = field(default_factory=list)


def groups_of(*, user_id: Any) -> list[str]:
    """Names of the groups that a person belongs to."""
    mine = Group.objects.filter(user__pk=user_id).order_by("name")
    return list(mine.values_list("name", flat=True))


def home_sections(*, cards: Iterable[Card], groups: Sequence[str]) -> list[Section]:
    """Cards under the rail's headings; the person's own neighbourhood comes first."""
    sections = {hood.title: Section(hood.title, hood.group) for hood in PLACES}
    for card in cards:
        sections[group_of(card.url).title].cards.append(card)
    filled = [section for section in sections.values() if section.cards]
    return sorted(filled, key=lambda section: section.group not in groups)


def demo_logins() -> list[Person]:
    """The demo's people who are there and may log in."""
    names = [person.username for person in PEOPLE]
    there = set(
        User.objects.filter(username__in=names, is_active=True).values_list("username", flat=True)
    )
    return [person for person in PEOPLE if person.username in there]


def advocate_named(username: str) -> User | None:
    """The active user of that name; without a name, the first active one in sales."""
    active = User.objects.filter(is_active=True)
    if username:
        return active.filter(username=username).first()
    return active.filter(groups__name=SALES).order_by("pk").first()
