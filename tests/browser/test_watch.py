"""The watch over all browser tests sees what it is there for."""

import pytest
from playwright.sync_api import Browser

from tests.browser.watch import Watch
from tests.browser.web import Web

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
INLINE = """() => {
    const script = document.createElement("script");
    script.textContent = "document.title = 'ours'";
    document.body.append(script);
}"""


def test_a_broken_policy_and_a_broken_script_are_seen(browser: Browser, web: Web) -> None:
    watch = Watch()
    with browser.new_context(base_url=web.url) as context:
        watch.over(context)
        page = context.new_page()
        page.goto("/login/")
        assert watch.faults == []

        page.evaluate(INLINE)
        assert page.title() != "ours"
        with context.expect_event("weberror"):
            page.evaluate("() => { setTimeout(() => { throw new Error('broken') }) }")

    policy, script = watch.faults
    assert "Content Security Policy" in policy
    assert "broken" in script
