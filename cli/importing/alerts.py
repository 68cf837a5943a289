"""Commands that do nothing but tell somebody: whom, and the `Notifier` that could do it. Called by the readers. Pure.

For what runs after a failure elsewhere (`OnFailure=` of systemd, a shell report of yacron). It is proposed as a
comment, never written as a document: what a program sends is guessed from its name. A secret is not repeated.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from cli.importing.naming import slug
from cli.importing.notifiers import SENDER, Mail, address, names_of, secret_file

_PLACE = r"(?:^|[;|&({\n]|\$\(|\b(?:then|do|else|exec|sudo))\s*(?:/[^\s;|&'\"]*/)?"
"""Where a command begins, and the folder of its program."""
_MAILERS = re.compile(
    rf"{_PLACE}(?P<program>[\w.-]*mail[\w.-]*|mutt|msmtp|ssmtp|swaks|s-nail)(?=\s|$)(?P<rest>[^;|&\n]*)"
)
_PLAIN = frozenset(("mail", "mailx", "s-nail", "sendmail", "mutt", "msmtp", "ssmtp", "swaks"))
"""Those that do nothing else. They take names of users too, at the end."""
_NO_MAILERS = re.compile(r"(?:fetch|get|proc|r)mail|mail(?:q|cap|stats|man.*)|.*mailpit.*")
_WITH_VALUE = frozenset(("-r", "-f", "-F", "-s", "-a", "-A", "-S", "-b", "-e", "-H", "--from", "--server", "--subject"))
_WEB = re.compile(rf"{_PLACE}(?:curl|wget|https?|xh)\s(?P<rest>[^;|\n]*)")
_URL = re.compile(r"(?P<scheme>https?://)?(?P<host>(?:[A-Za-z0-9-]+\.)+[A-Za-z0-9-]+)")
_POSTS = re.compile(r"(?:^|\s)(?:-d|--data\S*|--json|-F|--form\S*|--post-\S+|(?:-X|--request)[ =]?POST)(?=[\s=@'\"]|$)")
_SHELL = re.compile(r"(?:/\S*/)?(?:ba|da|z|k)?sh")
_LONGEST = 4096
"""Characters looked at: what only tells somebody is short."""
_SERVICES = (
    (r"hooks\.slack\.com", "Slack", "slack", "slack://TokenA/TokenB/TokenC"),
    (r"(?:\w+\.)?discord(?:app)?\.com", "Discord", "discord", "discord://WebhookID/WebhookToken"),
    (r"api\.telegram\.org", "Telegram", "telegram", "tgram://BotToken/ChatID"),
    (r"ntfy\.sh|ntfy\..*", "ntfy", "ntfy", "ntfys://HOST/TOPIC"),
    (r"chat\.googleapis\.com", "Google Chat", "gchat", "gchat://Workspace/Key/Token"),
    (r"api\.pushover\.net", "Pushover", "pushover", "pover://UserKey@Token"),
    (r"events\.pagerduty\.com", "PagerDuty", "pagerduty", "pagerduty://IntegrationKey@ApiKey"),
    (r"api\.(?:eu\.)?opsgenie\.com", "Opsgenie", "opsgenie", "opsgenie://ApiKey"),
    (r".*\.logic\.azure\.com|.*\.powerplatform\.com", "Teams", "teams", "workflows://HOST:443/WORKFLOW/SIGNATURE"),
)
"""Host, name for people, name of the notifier, and how apprise writes its address."""


@dataclass(frozen=True, slots=True)
class Alert:
    """Whom a command tells."""

    words: str
    """`it mails ops@example.com`, `it posts to Slack`."""
    notifier: str
    """What the `Notifier` could be called."""
    url: str
    """Of apprise; with words in capitals where something is not known."""
    secret: bool = True
    """The address holds a secret, and belongs into a file."""

    def proposal(self, occasion: str) -> Iterator[str]:
        """Lines of a comment: what to write here instead, to be told at `occasion`."""
        file = secret_file(self.notifier)
        yield f"Here a `Notifier` does that: `notify: [{{to: {self.notifier}, on: [{occasion}]}}]`, and"
        yield "  kind: Notifier"
        yield f"  name: {self.notifier}"
        yield f"  urls: [{{from_file: {file}}}]" if self.secret else f'  urls: ["{self.url}"]'
        if self.secret:
            yield f"{file} holds one line: {self.url}"


def alert_of(command: str) -> Alert | None:
    """What a command line of a shell, or a script, tells whom; None when it does not obviously do that."""
    command = _unwrapped(command[:_LONGEST])
    for found in _MAILERS.finditer(command):
        if (mails := _mails(found["program"], found["rest"])) is not None:
            return mails
    for found in _WEB.finditer(command):
        if (posts := _posts(found["rest"])) is not None:
            return posts
    return None


def _unwrapped(command: str) -> str:
    """The script of `sh -c`."""
    words = _words(command)
    wraps = len(words) > 2 and _SHELL.fullmatch(words[0]) and re.fullmatch(r"-[a-z]*c", words[1])
    return words[2] if wraps else command


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:  # a quote that is not closed: part of a longer line
        return []


def _mails(program: str, rest: str) -> Alert | None:
    if _NO_MAILERS.fullmatch(program):
        return None
    words = _words(rest)
    given = [word for before, word in zip(["", *words], words, strict=False) if before not in _WITH_VALUE]
    people = [known for word in given if "@" in word and (known := address(word)) is not None]
    if not people and program in _PLAIN and given and not given[-1].startswith("-"):
        last = address(given[-1])
        people = [last] if last is not None else []
    if people:
        mail = Mail(tuple(dict.fromkeys(people)))
        return Alert(f"it mails {', '.join(mail.to)}", slug(next(names_of(mail))), mail.url(), secret=False)
    if program not in _PLAIN:
        return None
    return Alert("it mails somebody", "mail", f"mailto://localhost/ADDRESS?from={SENDER}", secret=False)


def _posts(rest: str) -> Alert | None:
    for found in _URL.finditer(rest):
        host = found["host"].lower()
        for pattern, name, notifier, url in _SERVICES:
            if re.fullmatch(pattern, host):
                return Alert(f"it posts to {name}", notifier, url)
        if found["scheme"] and _POSTS.search(rest):
            return Alert(f"it posts to {host}", "webhook", f"jsons://{host}/PATH")
    return None
