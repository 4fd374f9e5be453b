"""E-mail to a customer, an advocate or an address; words in braces are filled in.

Parameters: `to` (contact, advocate or an address), `subject`, `text`. A letter that goes out twice
after a crash has the Message-ID of the first.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from o2b.catalog.plans.expressions import is_expression
from o2b.web.show import number_text
from orders.fulfilment.handlers import Handler
from orders.fulfilment.outcomes import Failed, Job, Outcome
from orders.gateways.mail import send_letter
from orders.kinds.addresses import address_fault, address_of
from orders.kinds.parameters import checker, guarded, one_line, text
from orders.models import OrderLine
from orders.models.words import FailureClass

WORD = re.compile(r"\{([a-z_]+)\}")

WORDS: dict[str, Callable[[OrderLine, Job], str]] = {
    "account": lambda line, job: line.account.name,
    "advocate": lambda line, job: str(line.account.advocate),
    "advocate_email": lambda line, job: line.account.advocate.email,
    "customer": lambda line, job: line.account.customer.name,
    "line": lambda line, job: str(line),
    "order": lambda line, job: line.order.number,
    "product": lambda line, job: line.product_version.product.name,
    "quantity": lambda line, job: number_text(line.quantity.normalize()),
    "seller": lambda line, job: line.account.legal_entity.name,
    "step": lambda line, job: job.name,
    "version": lambda line, job: str(line.product_version.number),
}

_each = checker(
    needed=("to", "subject", "text"), to=address_fault, subject=one_line(), text=text(10_000)
)


def faults(parameters: Mapping[str, Any]) -> list[str]:
    """A sound letter: also every word in braces is known."""
    said = _each(parameters)
    if said:
        return said
    texts = [parameters[name] for name in ("subject", "text")]
    used = {word for one in texts if not is_expression(one) for word in WORD.findall(one)}
    return [f"{{{word}}} is no word that is filled in" for word in sorted(used - WORDS.keys())]


def email(job: Job) -> Outcome:
    """Send the letter of one task."""
    related = ("order", "account__customer", "account__advocate", "account__legal_entity")
    line = OrderLine.objects.select_related(*related, "product_version__product").get(
        pk=job.line_id
    )
    to = address_of(job.parameters["to"], line.account)
    if not to:
        reason = f"there is no e-mail address of the {job.parameters['to']}"
        return Failed(reason, kind=FailureClass.SET_UP)

    def fill(found: re.Match[str]) -> str:
        return WORDS[found[1]](line, job)

    return send_letter(
        key=f"task-{job.task_id}",
        to=to,
        subject=WORD.sub(fill, job.parameters["subject"]),
        text=WORD.sub(fill, job.parameters["text"]),
    )


EMAIL = Handler(run=guarded(faults, email), system="mail", faults=faults)
