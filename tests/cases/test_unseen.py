"""Keys of the vocabulary that the shared file has no case of: understood, by sums of our own."""

import pytest

from tests.cases.asking import Pure
from tests.cases.comparing import differences, unanswered
from tests.cases.loading import PublishedCase
from tests.cases.running import ask, drafted, exactly
from tests.cases.unseen.amounts import AMOUNTS
from tests.cases.unseen.days import DAYS
from tests.cases.unseen.prices import PRICES

UNSEEN = PRICES | DAYS | AMOUNTS


@pytest.mark.parametrize(("topic", "given", "conventions", "expect"), UNSEEN.values(), ids=UNSEEN)
def test_every_key_of_the_vocabulary_is_understood(topic, given, conventions, expect):
    asked = ask(PublishedCase("x-1", topic, given, conventions, expect, verified=True))
    if isinstance(asked, Pure):
        found = [asked.call()]
    else:
        found = [drafted(asked)]
        if asked.exact is not None:
            found.append(exactly(asked))
    for answers in found:
        assert unanswered(expect, answers) == []
        assert differences(expect, answers) == []
