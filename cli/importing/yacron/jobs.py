"""One job of yacron as one of ours. Called by `reader`. Pure, but for the variables' file, which comes from a function.

Source: gjcarneiro/yacron 0.19, yacron/config.py for fields and defaults, yacron/job.py for what a run is,
yacron/cron.py for retries and overlap.
"""

from __future__ import annotations

import os.path
import re

from cli.importing.draft import Draft
from cli.importing.durations import write_span
from cli.importing.nodes import (
    Fields,
    Items,
    Node,
    Unexpected,
    fields_of,
    get,
    items_of,
    number_of,
    text_of,
    truth_of,
    whole_of,
)
from cli.importing.notifiers import Notifiers
from cli.importing.wallclock import zones
from cli.importing.yacron.config import ConfiguredJob, Load
from cli.importing.yacron.crontab import AtStart, BadSchedule, CrontabRule, parse
from cli.importing.yacron.reports import add_reports

_READ = frozenset(
    [
        "name", "command", "schedule", "shell", "concurrencyPolicy", "utc", "timezone", "failsWhen", "onFailure",
        "environment", "env_file", "executionTimeout", "killTimeout", "user", "group", "enabled", "onPermanentFailure",
        "onSuccess", "statsd", "captureStdout", "captureStderr", "saveLimit", "maxLineLength", "streamPrefix",
    ]
)  # fmt: skip
_PARTS = ("minute", "hour", "dayOfMonth", "month", "dayOfWeek")
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,255}")
_VARIABLE = re.compile(r"(?<!\\)\$(?:\{([A-Za-z_][A-Za-z0-9_]*)|([A-Za-z_][A-Za-z0-9_]*))")
_SHELL_OWN = frozenset(["PATH", "HOME", "LANG", "TZ", "PWD", "OLDPWD", "SHLVL", "IFS", "RANDOM", "SECONDS", "UID"])
_MOST_ATTEMPTS = 100


def add_job(
    draft: Draft, job: ConfiguredJob, local: str, notifiers: Notifiers, *, local_given: bool, load: Load
) -> None:
    """Fill a draft. `local`: the zone of the machine yacron runs on. Raises Unexpected."""
    fields = job.merged
    for name in job.own.entries:
        if name not in _READ:
            why = "not a key of yacron 0.19: one of its successors may have it"
            draft.note("lost", name, why, job.own.entries[name])
    _add_schedule(draft, job, _zone(draft, fields, local, local_given=local_given))
    _add_command(draft, fields)
    _add_environment(draft, fields, job, load)
    for name in ("user", "group"):
        if (who := text_of(get(fields, name), name)) is not None:
            draft.run()[name] = who
    _add_overlap(draft, fields)
    _add_retry(draft, fields)
    _add_timeout(draft, fields)
    _add_failure(draft, fields)
    add_reports(draft, fields, notifiers)
    _say_others(draft, fields)
    if truth_of(get(fields, "enabled"), "enabled") is False:
        draft.suspended.append("it was disabled in yacron (enabled: false)")


def _zone(draft: Draft, fields: Fields, local: str, *, local_given: bool) -> str:
    node = get(fields, "timezone")
    if (name := text_of(node, "timezone")) is not None:
        known = {each.casefold(): each for each in zones()}
        if name.casefold() not in known:  # pytz, which yacron asks, takes any case
            raise Unexpected(node or fields, f"there is no time zone `{name}`", "a name like Europe/Berlin")
        return known[name.casefold()]
    if truth_of(get(fields, "utc"), "utc"):
        return "UTC"
    if not local_given:
        why = f"`utc: false` means the zone of yacron's machine; here the job is in {local}"
        draft.note("info", "utc", why, get(fields, "utc"), hint="name the machine's zone with --timezone")
    return local


def _add_schedule(draft: Draft, job: ConfiguredJob, zone: str) -> None:
    node = get(job.own, "schedule")
    if node is None:
        raise Unexpected(job.own, "the job has no `schedule`")
    text = _parts(draft, node) if isinstance(node, Fields) else text_of(node, "schedule") or ""
    if text == "@reboot":
        draft.tree["schedule"], draft.rule = text, AtStart()
        why = "yacron runs it whenever yacron itself starts; here it runs once per boot of the machine"
        draft.note("changed", "@reboot", why, node)
        return
    try:
        crontab = parse(text)
    except BadSchedule as error:
        raise Unexpected(node, f"yacron refuses the schedule `{text}`: {error}") from None
    draft.rule = CrontabRule(crontab, zone, text if zone == "UTC" else f"{text}, {zone}")
    meaning = crontab.meaning()
    if meaning is None:
        _cannot_say(draft, text, node)
        return
    parts = text.split()
    fields = text if len(parts) < 6 else " ".join(parts[:5] if len(parts) == 6 else parts[1:6])
    draft.add_times("yacron", fields, meaning, zone, node)
    if "schedule" in draft.tree:
        draft.tree["missed"] = "skip"  # yacron looks at the present minute only, and makes up for nothing
    draft.remark("schedule", job.own, node)


def _parts(draft: Draft, node: Fields) -> str:
    """The five fields of a mapping. What is left out is `*`, the minute too."""
    for name, each in node.entries.items():
        if name == "year":
            draft.note("info", "schedule.year", "yacron accepts it and ignores it", each)
        elif name not in _PARTS:
            raise Unexpected(each, f"yacron's schedule has no `{name}`", f"{', '.join(_PARTS)}")
    return " ".join(text_of(get(node, name), name) or "*" for name in _PARTS)


def _cannot_say(draft: Draft, text: str, node: Node) -> None:
    why = "our cron cannot say these days: the job has no schedule, and is suspended"
    hint = "run it on every day that may be meant, and let the program look at the date first"
    draft.note("lost", f"schedule {text}", why, node, hint=hint)
    draft.suspended.append(f"its schedule in yacron was `{text}`, on days that a schedule here cannot name")


def _add_command(draft: Draft, fields: Fields) -> None:
    node = get(fields, "command")
    if node is None:
        raise Unexpected(fields, "the job has no `command`")
    if isinstance(node, Items):
        command = [text_of(each, "command") or "" for each in node.items]
        if not command:
            raise Unexpected(node, "the command is empty")
        draft.run()["command"] = command
        return
    text = text_of(node, "command") or ""
    shell = text_of(get(fields, "shell"), "shell") or "/bin/sh"
    if "\n" in text.strip("\n"):
        draft.run().update({"script": text if text.endswith("\n") else text + "\n", "interpreter": [shell]})
    else:
        draft.run()["command"] = [shell, "-c", text.rstrip("\n")]
    _say_variables(draft, fields, text, node)


def _say_variables(draft: Draft, fields: Fields, text: str, node: Node) -> None:
    """Variables that come from nowhere here: yacron hands its own environment on."""
    given = {text_of(get(fields_of(each, "environment"), "key"), "key") for each in _environment(fields)}
    used = dict.fromkeys(found[1] or found[2] for found in _VARIABLE.finditer(text))
    set_here = set(
        re.findall(r"(?:^|[\s;&|(])(?:export\s+|for\s+|read\s+(?:-r\s+)?)?([A-Za-z_][A-Za-z0-9_]*)(?==|\s+in\s)", text)
    )
    missing = [name for name in used if name not in given | set_here | _SHELL_OWN]
    if missing and get(fields, "env_file") is None:
        why = "yacron gives a job its own environment, jobsctl gives it PATH, HOME, LANG, TZ and what `env` says"
        hint = f"add to env: {missing[0]}: {{from_env: {missing[0]}}}, if the daemon has it"
        draft.note("changed", ", ".join(f"${name}" for name in missing), why, node, hint=hint)


def _environment(fields: Fields) -> tuple[Node, ...]:
    return items_of(get(fields, "environment"), "environment")


def _add_environment(draft: Draft, fields: Fields, job: ConfiguredJob, load: Load) -> None:
    made: dict[str, str] = {}
    if (node := get(fields, "env_file")) is not None:
        path = text_of(node, "env_file") or ""
        found = load(path) or load(os.path.join(os.path.dirname(job.source.path), path))
        if found is None:
            why = f"{path} cannot be read here: its variables are missing"
            draft.note("lost", "env_file", why, node, hint="add them to `env`; run the import where yacron runs")
        else:
            made.update(_variables(found.text, node, path))
            draft.note("info", "env_file", "its variables were copied into `env`", node)
    for each in _environment(fields):
        entry = fields_of(each, "environment")
        name = text_of(get(entry, "key"), "key") or ""
        value = entry.entries.get("value") if entry is not None else None
        made[name] = text_of(value, "value") or "" if value is not None else ""
    for name in [name for name in made if not _ENV_NAME.fullmatch(name)]:
        del made[name]
        draft.note(
            "lost",
            f"environment {name}",
            "a variable's name has letters, digits and `_` here",
            get(fields, "environment"),
        )
    if made:
        draft.tree["env"] = made
        draft.warn_of_secrets(get(job.own, "environment") or get(job.own, "env_file") or job.own)


def _variables(text: str, node: Node, path: str) -> dict[str, str]:
    """`parse_environment_file`. Raises Unexpected."""
    made: dict[str, str] = {}
    for line in text.split("\n"):
        line = line.strip(" ")
        if line and not line.startswith("#"):
            name, equals, value = line.partition("=")
            if not equals:
                raise Unexpected(node, f"a line of {path} is not NAME=VALUE, and yacron refuses it")
            made[name.strip(" ")] = value.strip(" ")
    return made


def _add_overlap(draft: Draft, fields: Fields) -> None:
    node = get(fields, "concurrencyPolicy")
    policy = text_of(node, "concurrencyPolicy")
    if policy not in ("Allow", "Forbid", "Replace"):
        raise Unexpected(node or fields, f"`{policy}` is no concurrencyPolicy", "Allow, Forbid or Replace")
    if policy == "Forbid":
        return  # what is due while a run is active is skipped, as by default here
    draft.tree["overlap"] = policy.lower()
    if policy == "Allow":
        why = "yacron starts a job although its last run goes on, any number of times; here ten at once at most"
        draft.note(
            "info", "concurrencyPolicy Allow", why, None, hint="where one at a time is right, delete `overlap: allow`"
        )


def _add_retry(draft: Draft, fields: Fields) -> None:
    node = fields_of(get(fields_of(get(fields, "onFailure"), "onFailure"), "retry"), "retry")
    again = whole_of(get(node, "maximumRetries"), "maximumRetries") or 0
    if again == 0:
        return
    delay = number_of(get(node, "initialDelay"), "initialDelay") or 0.0
    longest = number_of(get(node, "maximumDelay"), "maximumDelay") or 0.0
    factor = number_of(get(node, "backoffMultiplier"), "backoffMultiplier") or 0.0
    attempts = _MOST_ATTEMPTS if again < 0 else min(again + 1, _MOST_ATTEMPTS)
    retry: dict[str, object] = {"attempts": attempts}
    if factor != 1:
        retry["backoff"] = "exponential"
    retry["delay"] = write_span(max(delay, 0.001))
    if factor != 1 and longest > 0:
        retry["max_delay"] = write_span(longest)
    draft.tree["retry"] = retry
    if again < 0 or again + 1 > _MOST_ATTEMPTS:
        tries = "for ever" if again < 0 else f"{again} times"
        why = f"yacron tries again {tries}; here there are at most {_MOST_ATTEMPTS} attempts"
        draft.note("changed", "maximumRetries", why, get(node, "maximumRetries"))
    if factor not in (1, 2):
        why = f"the delay grows {factor:g}-fold with each attempt there, and twofold here"
        draft.note("changed", "backoffMultiplier", why, get(node, "backoffMultiplier"))


def _add_timeout(draft: Draft, fields: Fields) -> None:
    seconds = number_of(get(fields, "executionTimeout"), "executionTimeout")
    if seconds:
        draft.tree["timeout"] = write_span(seconds)
    if seconds or draft.tree.get("overlap") == "replace":
        grace = number_of(get(fields, "killTimeout"), "killTimeout") or 0.0
        draft.tree["grace"] = write_span(max(grace, 0.001))


def _add_failure(draft: Draft, fields: Fields) -> None:
    """`failsWhen`: here the exit code decides, and nothing else."""
    conditions = fields_of(get(fields, "failsWhen"), "failsWhen")
    says = {name: truth_of(get(conditions, name), name) for name in ("producesStdout", "producesStderr", "always")}
    captured = truth_of(get(fields, "captureStderr"), "captureStderr")
    if truth_of(get(conditions, "nonzeroReturn"), "nonzeroReturn") is False:
        why = "a run with any exit code succeeds in yacron: `success_codes` lists them all"
        draft.tree["success_codes"] = list(range(256))
        draft.note("info", "failsWhen.nonzeroReturn", why, get(conditions, "nonzeroReturn"))
    if says["producesStderr"] and captured:
        why = "yacron takes a run that writes to stderr for failed; here the exit code decides"
        draft.note("changed", "failsWhen.producesStderr", why, get(conditions, "producesStderr"))
    if says["producesStdout"] and truth_of(get(fields, "captureStdout"), "captureStdout"):
        why = "yacron takes a run that writes to stdout for failed; here the exit code decides"
        draft.note("changed", "failsWhen.producesStdout", why, get(conditions, "producesStdout"))
    if says["always"]:
        why = "yacron takes every run for failed; here the exit code decides"
        draft.note("changed", "failsWhen.always", why, get(conditions, "always"))


def _say_others(draft: Draft, fields: Fields) -> None:
    if (statsd := get(fields, "statsd")) is not None:
        why = "jobsctl does not send to statsd; it answers Prometheus at /metrics"
        draft.note("lost", "statsd", why, statsd)
    quiet = [name for name in ("saveLimit", "maxLineLength", "streamPrefix") if get(fields, name) is not None]
    if quiet:
        why = "the output of a run is kept whole, in a file of its own"
        draft.note("info", ", ".join(quiet), why, get(fields, quiet[0]))
