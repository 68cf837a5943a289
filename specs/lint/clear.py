"""JOB074: a secret written in clear, in `env`, a program, a parameter or `callback`. Called by `specs.lint`. Pure.

The message never holds the secret, and the place is marked so that the source line is shown without it.
"""

from __future__ import annotations

from collections.abc import Iterator

from specs.document import Loc
from specs.lint.concern import Concern, Subject
from specs.secrets import (
    Secret,
    secrets_in_arguments,
    secrets_in_script,
    secrets_in_text,
    variable_holds_secret,
)

_CHANGE_IT = "and change the secret: it stays in the history"


def secret_concerns(subject: Subject) -> Iterator[Concern]:
    """Every secret of a job that can be told from what is none."""
    job = subject.job
    for name, value in job.env.items():
        if not isinstance(value, str):
            continue
        loc: Loc = ("env", name)
        instead = f"write `{name}: {{from_file: PATH}}` (or `from_env`, `credential`), {_CHANGE_IT}"
        if variable_holds_secret(name, value):
            yield _concern(f"`{name}` holds a secret in clear", instead, loc, None)
            continue
        for found in secrets_in_text(value):
            yield _concern(f"`{name}` holds {found.what} in clear", instead, loc, found)
    instead = f"give it by `env` with `from_file`, `from_env` or `credential`, {_CHANGE_IT}"
    for index, found in secrets_in_arguments(job.run.command or []):
        said = f"the command holds {found.what} in clear, where `ps` shows it too"
        yield _concern(said, instead, ("run", "command", index), found)
    for found in secrets_in_script(job.run.script or ""):
        yield _concern(f"the script holds {found.what} in clear", instead, ("run", "script"), found)
    for name, param in job.params.items():
        if param.default and any(True for _ in secrets_in_text(param.default)):
            yield _concern(f"the default of `{name}` is a secret in clear", instead, ("params", name, "default"), None)
    yield from _callback_concerns(subject)


def _callback_concerns(subject: Subject) -> Iterator[Concern]:
    """A key that stands in the file, or an address that is one: whoever reads it can sign, or send, in our name."""
    callback = subject.job.callback
    if callback is None:
        return
    said, alone = callback.secret, not isinstance(callback.secret, list)
    for index, value in enumerate(said if isinstance(said, list) else [said]):
        if isinstance(value, str):
            loc: Loc = ("callback", "secret") if alone else ("callback", "secret", index)
            instead = f"write `{{from_file: PATH}}` (or `from_env`, `credential`), {_CHANGE_IT}"
            yield _concern("`callback.secret` holds a signing key in clear", instead, loc, None)
    if isinstance(callback.url, str):
        for found in secrets_in_text(callback.url):
            instead = f"write `url: {{from_file: PATH}}` (or `from_env`, `credential`), {_CHANGE_IT}"
            yield _concern(f"`callback.url` holds {found.what} in clear", instead, ("callback", "url"), found)


def _concern(message: str, help: str, loc: Loc, found: Secret | None) -> Concern:
    span = None if found is None else (found.start, found.end)
    return Concern("JOB074", message, help, (loc,), span=span, secret=True)
