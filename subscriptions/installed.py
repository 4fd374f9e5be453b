"""Which pieces of equipment a line's delivery has shown, by serial."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Exists, OuterRef

from orders.models import Evidence


@dataclass(frozen=True, slots=True)
class Piece:
    """One serial, and the version that stands there."""

    serial: str
    product_version_id: int
    read_off: bool


def pieces_of(line_ids: Collection[int]) -> dict[int, list[Piece]]:
    """Each line's pieces, in one query; what a correction replaced is not among them.

    Where a person read serials off, those that machines made up do not count.
    """
    found: dict[int, dict[str, Piece]] = defaultdict(dict)
    for evidence in _standing(line_ids):
        for serial in evidence.serials or filter(None, [evidence.serial]):
            piece = Piece(serial, evidence.product_version_id, evidence.by_id is not None)
            found[evidence.line_id][serial] = piece
    return {line_id: _best(list(pieces.values())) for line_id, pieces in found.items()}


def _standing(line_ids: Collection[int]) -> list[Evidence]:
    newer = Evidence.objects.filter(task=OuterRef("task"), pk__gt=OuterRef("pk"))
    # A correction is no part: it speaks for the whole task.
    replaced = Exists(newer.filter(is_part=False))
    shown = Evidence.objects.filter(line__in=line_ids, task__compensates=None)
    return list(shown.exclude(serial="", serials=[]).filter(~replaced).order_by("pk"))


def _best(pieces: list[Piece]) -> list[Piece]:
    read_off = [piece for piece in pieces if piece.read_off]
    return read_off or pieces
