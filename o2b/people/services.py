"""Verbs about people: the groups and what they may do, the demo's log-ins."""

from collections.abc import Sequence

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, Permission
from django.db import transaction

from o2b.people.demo import PASSWORD, PEOPLE, Person
from o2b.people.groups import ADMINISTRATOR, GROUPS
from o2b.people.models import User


@transaction.atomic
def ensure_groups() -> list[str]:
    """Give each group what the table says; return the names that no model declares (yet).

    What an administrator granted by hand stays.
    """
    declared = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in Permission.objects.select_related("content_type")
    }
    missing = set()
    for name, permissions in GROUPS.items():
        group, _ = Group.objects.get_or_create(name=name)
        group.permissions.add(*(declared[key] for key in permissions if key in declared))
        missing |= set(permissions) - declared.keys()
    return sorted(missing)


@transaction.atomic
def ensure_demo_people() -> list[User]:
    """Make the demo's people where they are missing; their password is no secret."""
    return ensure_people(people=PEOPLE, password=PASSWORD)


@transaction.atomic
def ensure_people(*, people: Sequence[Person], password: str | None = None) -> list[User]:
    """Make users where they are missing; whoever is there keeps what they are.

    Without a password nobody logs in as them until an administrator sets one.
    """
    ensure_groups()
    groups = {group.name: group for group in Group.objects.filter(name__in=GROUPS)}
    wanted = [person.username for person in people]
    there = User.objects.in_bulk(wanted, field_name="username")
    # Hashing is slow by design: once for all, and only for those who are missing.
    hashed = make_password(password) if len(there) < len(wanted) else ""
    for person in people:
        if person.username not in there:
            there[person.username] = user = User.objects.create(
                username=person.username,
                first_name=person.first_name,
                last_name=person.last_name,
                email=f"{person.username}@example.com" if password else "",
                password=hashed,
                is_staff=person.group == ADMINISTRATOR,
            )
            user.groups.add(groups[person.group])
    return [there[name] for name in wanted]


@transaction.atomic
def ensure_service_user(*, username: str, group: str = "") -> User:
    """A user for what commands do in nobody's name; it has no password, so nobody logs in as it."""
    user, made = User.objects.get_or_create(
        username=username,
        defaults={"first_name": username.title(), "password": make_password(None)},
    )
    if made and group:
        ensure_groups()
        user.groups.add(Group.objects.get(name=group))
    return user
