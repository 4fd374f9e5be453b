"""payment.split_payer: a sponsor pays so many percent of a total, the customer the difference."""

from dataclasses import replace

from tests.cases.adapter import words
from tests.cases.adapter.selling import net, since_day_one, terms
from tests.cases.asking import Asked, Drafts
from tests.cases.reading import CaseInput


def split(case: CaseInput) -> Asked:
    """The total is the price of a service that both pay; each has a document of its own."""
    given = case.given
    case.conventions.word("rounding", words.PAYERS_ROUNDING, True)
    promised = terms(unit_price=given.decimal("total"))
    charge = replace(since_day_one(promised), payers=(given.decimal("sponsor_percent"),))
    return Drafts(
        (charge,),
        words.DAY_ONE,
        lambda found: {"customer": net(found[0]), "sponsor": net(found[1])},
    )
