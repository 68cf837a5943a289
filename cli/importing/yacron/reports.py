"""Whom yacron tells how a job ended, as notifiers and `notify`. Called by `jobs`. Pure.

Source: gjcarneiro/yacron 0.19, yacron/config.py (`_REPORT_DEFAULTS`), yacron/job.py (`MailReporter`, `SentryReporter`,
`ShellReporter`), yacron/cron.py (`handle_job_failure`): `onFailure` is each attempt that failed, `onPermanentFailure`
the last one, `onSuccess` each success.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from email.utils import getaddresses

from cli.importing.alerts import alert_of
from cli.importing.draft import Draft
from cli.importing.nodes import Fields, Items, fields_of, get, text_of, truth_of, whole_of
from cli.importing.notifiers import LOCAL, TRY, Mail, Notifiers, Security, address, is_server, rules, secret_file

_OCCASIONS = {"onFailure": "failure", "onPermanentFailure": "failure", "onSuccess": "success"}
_WORDS = ("subject", "body", "html")
_NO_SENTRY = "apprise knows no Sentry: nothing is sent there"
_SENTRY_HINT = "alert on its metrics: deploy/ has rules for Prometheus; or let the program itself tell Sentry"


def add_reports(draft: Draft, fields: Fields, notifiers: Notifiers) -> None:
    """Fill in `notify`. Raises Unexpected."""
    told: list[tuple[str, str]] = []
    for key, occasion in _OCCASIONS.items():
        report = fields_of(get(fields_of(get(fields, key), key), "report"), "report")
        if report is None:
            continue
        told += [(name, occasion) for name in _mails(draft, fields, report, key, notifiers)]
        _say_sentry(draft, report, key)
        _say_shell(draft, report, key, occasion)
    if told:
        draft.tree["notify"] = rules(told)


def _mails(draft: Draft, fields: Fields, report: Fields, key: str, notifiers: Notifiers) -> Iterator[str]:
    mail = fields_of(get(report, "mail"), "mail")
    to, sender = text_of(get(mail, "to"), "to"), text_of(get(mail, "from"), "from")
    if mail is None or not (to and sender):
        return  # yacron takes it for switched off
    what = f"{key}.report (mail)"
    made = _mail(draft, mail, what, to, sender)
    if made is None:
        return
    name = notifiers.name_of(made)
    retry = fields_of(get(fields_of(get(fields, "onFailure"), "onFailure"), "retry"), "retry")
    retries = whole_of(get(retry, "maximumRetries"), "maximumRetries")
    if _OCCASIONS[key] == "failure":
        each = "each attempt that fails" if key == "onFailure" and retries else "each run that fails"
        why = f"yacron mails of {each}; here a `Notifier` hears of the first, and that it works again"
        hint = "a rule with `on: [still_failing]` and `failures: 1` tells of the others"
        draft.note("changed", what, why, mail, hint=hint)
    if made.user:
        why = f"{secret_file(name)} is to hold the address with the password, which was not copied"
        hint = f"the Notifier {name} says what to write there; `{TRY.format(name)}` tries it"
        draft.note("changed", what, why, mail, hint=hint)
    if made.security and not truth_of(get(mail, "validate_certs"), "validate_certs"):
        why = "yacron does not look at the mail server's certificate, jobsctl does"
        draft.note("changed", what, why, mail, hint="one that nobody signed needs `verify=no` in the address")
    if given := [each for each in _WORDS if get(mail, each) is not None]:
        why = f"{', '.join(given)}: jobsctl mails words of its own, as plain text"
        draft.note("changed", what, why, mail, hint="`template` in the Notifier replaces them")
    yield name


def _mail(draft: Draft, mail: Fields, what: str, to: str, sender: str) -> Mail | None:
    people = [(text, address(text) if "@" in text else None) for _, text in getaddresses([to])]
    for text in [text for text, known in people if known is None]:
        draft.note("lost", what, f"{text or to!r} is no mail address that apprise takes: nobody is told there", mail)
    (_, plain), *_ = getaddresses([sender]) or [("", "")]
    known = address(plain) if plain else None
    host = text_of(get(mail, "smtpHost"), "smtpHost") or LOCAL
    if known is None or not is_server(host):
        wrong = f"the sender {sender!r}" if known is None else f"the mail server {host!r}"
        draft.note("lost", what, f"{wrong} cannot be said to apprise: nobody is told", mail)
        return None
    recipients = tuple(dict.fromkeys(known for _, known in people if known is not None))
    if not recipients:
        return None
    user, password = text_of(get(mail, "username"), "username") or "", _password(mail)
    port = whole_of(get(mail, "smtpPort"), "smtpPort") or 25
    security: Security = "ssl" if truth_of(get(mail, "tls"), "tls") else ""
    if not security and truth_of(get(mail, "starttls"), "starttls"):
        security = "starttls"
    login = user if user and password else ""  # yacron logs in with both only
    return Mail(recipients, known, host, port, security, login, password if login else "")


def _password(mail: Fields) -> str:
    """Where the password is, in words; empty for none."""
    given = fields_of(get(mail, "password"), "password")
    if text_of(get(given, "value"), "value"):
        return "in clear in yacron's configuration"
    if path := text_of(get(given, "fromFile"), "fromFile"):
        return f"in {' '.join(path.split())}"
    name = text_of(get(given, "fromEnvVar"), "fromEnvVar")
    return f"in yacron's variable {' '.join(name.split())}" if name else ""


def _say_sentry(draft: Draft, report: Fields, key: str) -> None:
    sentry = fields_of(get(report, "sentry"), "sentry")
    dsn = fields_of(get(sentry, "dsn"), "dsn")
    if sentry is not None and any(text_of(get(dsn, name), name) for name in ("value", "fromFile", "fromEnvVar")):
        draft.note("lost", f"{key}.report (sentry)", _NO_SENTRY, sentry, hint=_SENTRY_HINT)


def _say_shell(draft: Draft, report: Fields, key: str, occasion: str) -> None:
    shell = fields_of(get(report, "shell"), "shell")
    node = get(shell, "command")
    if isinstance(node, Items):
        command = shlex.join(text_of(each, "command") or "" for each in node.items)
    else:
        command = text_of(node, "command") or ""
    if shell is None or not command.strip():
        return
    alert = alert_of(command)
    if alert is None:
        why = "jobsctl starts no program at a job's end: nothing of it is run"
        hint = "a `Notifier` tells people, `callback` tells a program"
        draft.note("lost", f"{key}.report (shell)", why, shell, hint=hint)
        return
    draft.comments += [f"{key}.report.shell: {alert.words}", *alert.proposal(occasion)]
    why = f"it is not run; {alert.words}, which a `Notifier` can do"
    hint = "the comment above the job says how: nothing of it is in force yet"
    draft.note("lost", f"{key}.report (shell)", why, shell, hint=hint)
