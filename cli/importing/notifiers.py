"""Who is told, of other systems: mails as `Notifier` documents, one for each set of recipients. Called by the readers.

Pure. Source: apprise 2.2, plugins/email/base.py and utils/parse.py, which reads the addresses written here: a recipient
needs a domain, and one without a dot has six characters at least; the port is 25 without TLS, 587 or 465 with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from cli.importing.imported import SharedDocument
from cli.importing.naming import Names, slug

LOCAL = "localhost"
SENDER = f"root@{LOCAL}"
"""Who mails where nobody is named, as it is apprise's own default for `mailto://localhost`."""
TRY = "jobsctl notify test {}"
OCCASIONS = ("failure", "recovery", "success")
"""Those that imports write, in their order."""

_USER = r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_ADDRESS = re.compile(
    rf"(?:{_USER}\+)?{_USER}@(?:(?:{_LABEL}\.)+[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9-]{{4,}}[A-Za-z0-9])"
)
_NAMED = re.compile(r"[A-Za-z]|[A-Za-z0-9][A-Za-z0-9-]{0,61}[A-Za-z0-9]")
_NUMBERED = re.compile(r"(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}")
Security = Literal["", "starttls", "ssl"]
_PORTS: dict[Security, int] = {"": 25, "starttls": 587, "ssl": 465}


def address(text: str) -> str | None:
    """A mail address as apprise takes it; a mailbox without a domain is one of `localhost`. None for anything else."""
    whole = text if "@" in text else f"{text}@{LOCAL}"
    return whole if _ADDRESS.fullmatch(whole) and len(whole) <= 254 else None


def is_server(host: str) -> bool:
    """Whether an address of apprise can name this mail server."""
    if re.fullmatch(r"[0-9.]+", host):
        return _NUMBERED.fullmatch(host) is not None
    return len(host) <= 253 and all(_NAMED.fullmatch(label) for label in host.split("."))


@dataclass(frozen=True, slots=True)
class Mail:
    """Mails to the same people, sent in the same way. All addresses as `address` gives them."""

    to: tuple[str, ...]
    sender: str = SENDER
    host: str = LOCAL
    port: int | None = None
    """None: the one of `security`."""
    security: Security = ""
    user: str = ""
    """It logs in with this name and a password; empty: it does not."""
    password: str = ""
    """In words, where the password is: `in /run/secrets/smtp`. Never the password."""

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for mails that one notifier can send."""
        return (
            frozenset(self.to),
            self.sender,
            self.host,
            self.port or _PORTS[self.security],
            self.security,
            self.user,
        )

    @property
    def server(self) -> str:
        """`localhost:25`."""
        return f"{self.host}:{self.port or _PORTS[self.security]}"

    def url(self) -> str:
        """As apprise reads it, with `PASSWORD` where the password belongs."""
        login = f"{quote(self.user, safe='')}:PASSWORD@" if self.user else ""
        port = f":{self.port}" if self.port is not None and self.port != _PORTS[self.security] else ""
        # In a list after `to=` apprise drops mailboxes of a host without a dot, as root@localhost.
        people = "/".join(quote(each, safe="@") for each in self.to)
        mode = f"mode={self.security}&" if self.security else ""
        scheme = "mailtos" if self.security else "mailto"
        # With `smtp=` it has no settings of its own for known providers; a login changes what they are found by.
        smtp = f"smtp={self.host}&" if self.user else ""
        return f"{scheme}://{login}{self.host}{port}/{people}?{smtp}{mode}from={quote(self.sender, safe='@')}"


class Notifiers:
    """The `Notifier` documents of one import. The same mails in the same order give the same names."""

    def __init__(self, names: Names) -> None:
        """`names`: those of the jobs, so that no file of a notifier has the name of a job's."""
        self._names = names
        self._made: dict[tuple[object, ...], tuple[str, Mail]] = {}

    def name_of(self, mail: Mail) -> str:
        """The notifier that sends it: `mail-ops` for ops@example.com."""
        if mail.key not in self._made:
            self._made[mail.key] = (self._names.take(*names_of(mail)), mail)
        return self._made[mail.key][0]

    def documents(self) -> tuple[SharedDocument, ...]:
        """In the order in which they were first asked for."""
        return tuple(
            SharedDocument(_tree(name, mail), tuple(_comments(name, mail))) for name, mail in self._made.values()
        )


def names_of(mail: Mail) -> Iterator[str]:
    """What a notifier could be called, the best first."""
    people = [each.partition("@")[0] for each in mail.to]
    more = f" and {len(people) - 2} more" if len(people) > 3 else ""
    yield f"mail {' '.join(people[: 2 if more else 3])}{more}"
    yield f"mail {mail.to[0]}"


def secret_file(name: str) -> str:
    """Where the address of a notifier is kept that holds a secret."""
    return f"/etc/jobsctl/{slug(name)}-url"


def rules(told: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    """`notify` of a job, of pairs of a notifier and an occasion. Who is told of a failure is told of its end too."""
    wanted: dict[str, set[str]] = {}
    for name, occasion in told:
        wanted.setdefault(name, set()).update({occasion, "recovery"} if occasion == "failure" else {occasion})
    together: dict[tuple[str, ...], list[str]] = {}
    for name, occasions in wanted.items():
        together.setdefault(tuple(each for each in OCCASIONS if each in occasions), []).append(name)
    return [{"to": to[0] if len(to) == 1 else to, "on": list(on)} for on, to in together.items()]


def _tree(name: str, mail: Mail) -> dict[str, Any]:
    url: str | dict[str, str] = {"from_file": secret_file(name)} if mail.user else mail.url()
    return {"kind": "Notifier", "name": name, "urls": [url]}


def _comments(name: str, mail: Mail) -> Iterator[str]:
    if mail.user:
        yield f"{secret_file(name)} holds one line, with the password instead of PASSWORD"
        yield from [f"(it was {mail.password}):"] if mail.password else []
        yield f"  {mail.url()}"
    if mail.server == f"{LOCAL}:25":
        yield f"A mail server must listen on {mail.server} of the daemon's machine: postfix and exim do, msmtp and"
        yield "nullmailer do not."
    elif mail.host == LOCAL or mail.host.startswith("127."):
        yield f"A mail server must listen on {mail.server} of the daemon's machine."
    if mail.sender.endswith(f"@{LOCAL}") and not all(each.endswith(f"@{LOCAL}") for each in mail.to):
        yield f"Servers elsewhere may refuse mail from {mail.sender}: write an address of yours after `from=`."
    yield f"Needs jobsctl[notify]. Try it with `{TRY.format(name)}`."
