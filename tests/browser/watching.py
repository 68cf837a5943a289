"""What a browser may not do over one of our pages: anything that goes wrong while a context is used is written down."""

from __future__ import annotations

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, Response

POLICY = """
    addEventListener("securitypolicyviolation", (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
"""  # noqa: E501


class Watch:
    """Errors of modules, refused by the policy, dialogues, and requests that fail or leave `origin`, in a context."""

    def __init__(self, context: BrowserContext, origin: str) -> None:
        self.context = context
        self.origin = origin
        self.may_be_gone = False
        """Whether a server that does not answer is no fault."""
        self.faults: list[str] = []
        self.expected: set[int] = {200, 304}
        """Status codes that are no fault."""
        context.add_init_script(POLICY)
        context.on("page", self._page)
        context.on("request", self._request)
        context.on("response", self._response)
        context.on("requestfailed", self._failed)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.faults.append(f"error: {error.error}"))

    def _page(self, page: Page) -> None:
        def refuse(dialog: object) -> None:
            self.faults.append(f"dialogue: {dialog}")
            dialog.dismiss()  # type: ignore[attr-defined]

        page.on("dialog", refuse)

    def _request(self, request: Request) -> None:
        if not request.url.startswith((f"{self.origin}/", "data:image/svg+xml", "about:")):
            self.faults.append(f"asks somebody else: {request.url}")

    def _response(self, response: Response) -> None:
        if response.status not in self.expected:
            self.faults.append(f"answered {response.status}: {response.url}")

    def _failed(self, request: Request) -> None:
        # The page lets go of its stream, and of a look at itself, when it goes.
        if request.failure != "net::ERR_ABORTED" and not self.may_be_gone:
            self.faults.append(f"{request.failure}: {request.url}")

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            self.faults.append(f"{message.type}: {message.text}")
