"""What no page may ever do: break the content policy, complain in the console, answer 5xx."""

from playwright.sync_api import BrowserContext, ConsoleMessage, Response

# Chromium writes each refused request into the console; a refusal is an answer, not an accident.
REFUSALS = tuple(f"the server responded with a status of {code}" for code in (403, 409, 410, 422))
# htmx complains of a request that a newer one, or leaving the page, made useless (`onabort`); what
# fails on its way ends in htmx:sendError.
GIVEN_UP = ("htmx:afterRequest", "htmx:sendAbort")
HARMLESS = (*REFUSALS, *GIVEN_UP)


class Watch:
    """Collects what goes wrong in the contexts it looks at."""

    def __init__(self) -> None:
        self.faults: list[str] = []

    def over(self, context: BrowserContext) -> None:
        context.on("console", self._console)
        context.on("weberror", lambda error: self.faults.append(f"script error: {error.error}"))
        context.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not any(each in message.text for each in HARMLESS):
            self.faults.append(f"console: {message.text} ({message.location.get('url')})")

    def _response(self, response: Response) -> None:
        if response.status >= 500:
            self.faults.append(f"{response.status} from {response.url}")
