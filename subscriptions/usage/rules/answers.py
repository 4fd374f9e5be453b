"""What became of events: one answer each, in their order."""

import msgspec

ACCEPTED, DUPLICATE, PENDING, REJECTED = "accepted", "duplicate", "pending", "rejected"
STATUSES = (ACCEPTED, DUPLICATE, PENDING, REJECTED)


class Answer(msgspec.Struct, omit_defaults=True, gc=False):
    """What became of one event; `code` says why it waits or was refused, `message` in words.

    `differs`: a duplicate that says something else than what was taken.
    """

    source: str
    id: str
    status: str
    code: str = ""
    field: str = ""
    message: str = ""
    differs: bool = False


class Taken(msgspec.Struct):
    """The answers in the order of the events, and how many there are of each."""

    answers: list[Answer]

    def counts(self) -> dict[str, int]:
        """How many were accepted, duplicates, pending and rejected."""
        found = dict.fromkeys(STATUSES, 0)
        for answer in self.answers:
            found[answer.status] += 1
        return found
