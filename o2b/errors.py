"""What the business may refuse. Doors turn these into problems, toasts and messages, never 500s."""


class Refused(Exception):
    """An expected "no": `code` for machines, `message` for people, `field` where one is at fault.

    `status` is the HTTP status of the answer: 409 for a state that forbids it, 422 for a value
    that can never be right.
    """

    code = "refused"
    status = 409

    def __init__(self, message: str, *, field: str | None = None, **extra: object) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.extra = extra


class Invalid(Refused):
    """A value that no state of the world would make right."""

    code = "invalid"
    status = 422
