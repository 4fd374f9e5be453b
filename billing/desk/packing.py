"""Load a whole pack: its people, what they work with, and what they deliver; all or nothing."""

from dataclasses import asdict
from datetime import datetime

from django.db import transaction

from o2b.asks import TaskKind
from o2b.packs.reading import Pack, text_of
from o2b.packs.services import Allowed, load_pack, refuse_loaded
from o2b.people.services import ensure_people
from orders.models import Queue
from orders.outfit.services import set_up_work


@transaction.atomic
def load_whole_pack(
    *, pack: Pack, advocate_id: int, at: datetime, kinds: list[TaskKind]
) -> dict[str, int]:
    """How many of each thing it brought; `kinds` are those that its plans may name."""
    refuse_loaded(pack)
    ensure_people(people=pack.people)
    work = set_up_work(
        work=pack.work, text_of=lambda name: text_of(pack, name), at=at, by=advocate_id
    )
    allowed = Allowed(
        {kind.name: kind.faults for kind in kinds},
        frozenset(Queue.objects.values_list("code", flat=True)) | {"delivery"},
    )
    loaded = load_pack(pack=pack, advocate_id=advocate_id, at=at, allowed=allowed)
    return asdict(loaded) | work
