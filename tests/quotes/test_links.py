"""The customer's link: a quote's number that nobody can change."""

import pytest

from quotes import links


def test_a_token_names_its_quote_and_is_safe_in_an_address() -> None:
    token = links.sign(42)
    assert links.read(token) == 42
    assert token.replace(".", "").replace("-", "").replace("_", "").isalnum()


@pytest.mark.parametrize(
    "token",
    [
        "",
        "42",
        "42.",
        "x.y",
        links.sign(42).replace("42", "43", 1),
        links.sign(42) + "x",
        links.sign(42)[:-1],
        links.sign(42).upper(),
        "\0",
        links._signer().sign("not-a-number"),
    ],
)
def test_a_changed_token_is_refused(token: str) -> None:
    with pytest.raises(links.LinkInvalid) as caught:
        links.read(token)
    assert (caught.value.code, caught.value.status) == ("link_invalid", 404)
