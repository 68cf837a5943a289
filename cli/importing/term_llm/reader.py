"""From term-llm's job definitions to jobs: one, a list, or what its API answers. Called by the subcommand.

Source: SamSaffron/term-llm, internal/jobs/jobs.go and cmd/serve_jobs_v2.go (fields, defaults, retries, missed starts).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from cli.importing.draft import Draft, placeholder
from cli.importing.durations import read_go_duration, write_span
from cli.importing.imported import Import, Imported, Note, Origin, SourceText, unreadable
from cli.importing.naming import Names
from cli.importing.nodes import (
    Fields,
    Items,
    Node,
    Unexpected,
    comment_above,
    fields_of,
    get,
    items_of,
    read_nodes,
    text_of,
    truth_of,
    whole_of,
)
from cli.importing.recognizing import help_for, not_yaml
from cli.importing.term_llm.cron import BadExpression, CronRule, gives_up, parse
from cli.importing.wallclock import Once, read_rfc3339, zones
from specs.diagnostic import Diagnostic

_READ = frozenset(
    [
        "name", "enabled", "runner_type", "runner_config", "trigger_type", "trigger_config", "schedule_timezone",
        "concurrency_policy", "max_concurrent_runs", "retry_policy", "timeout_seconds", "misfire_policy", "labels",
    ]
)  # fmt: skip
_ANSWERED = frozenset(["id", "next_run_at", "last_run", "created_at", "updated_at"])
"""What the API adds to a definition."""
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,255}")
_LABEL = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_./]{0,251}[A-Za-z0-9])?")
_TIMEOUT = 300
_MOST_ATTEMPTS = 100
_LONGEST_TEXT = 4096


def read_term_llm(sources: Sequence[SourceText]) -> Import:
    """The jobs of all files."""
    names = Names()
    jobs: list[Imported] = []
    broken: list[Diagnostic] = []
    notes: list[Note] = []
    for source in sources:
        if (stranger := not_yaml(source)) is not None:
            broken.append(stranger)
            continue
        documents, findings = read_nodes(source)
        broken += findings
        if not documents and not findings:
            broken.append(unreadable(source, 1, 1, "there is nothing in it", help="name a file with job definitions"))
        for document in documents:
            try:
                nodes = list(_definitions(document))
            except Unexpected as error:
                broken.append(error.finding(source))
                continue
            if not nodes:
                notes.append(Note("info", source.path, "there are no jobs in it", Origin(source.path, document.line)))
            for node in nodes:
                try:
                    jobs.append(_job(source, node, names))
                except Unexpected as error:
                    broken.append(error.finding(source))
    return Import(tuple(jobs), tuple(broken), tuple(notes))


def _definitions(document: Node) -> Iterator[Node]:
    """One definition, a list of them, or `{"object": "list", "data": [...]}`."""
    if isinstance(document, Items):
        yield from document.items
    elif isinstance(document, Fields) and "name" not in document.entries and {"data", "jobs"} & set(document.entries):
        key = "data" if "data" in document.entries else "jobs"
        yield from items_of(get(document, key), key)
    else:
        yield document


def _job(source: SourceText, node: Node, names: Names) -> Imported:
    """Raises Unexpected."""
    job = fields_of(node, "a job definition")
    assert job is not None
    name = (text_of(get(job, "name"), "name") or "").strip()
    runner = text_of(get(job, "runner_type"), "runner_type")
    if not name or runner is None:
        help = "a definition of term-llm has `name`, `runner_type`, `runner_config` and `trigger_type`"
        raise Unexpected(
            job, f"this is no job definition: it has no `{'runner_type' if name else 'name'}`", help_for(job, help)
        )
    draft = Draft(source, job, {"name": names.take(name)})
    if draft.tree["name"] != name:
        draft.tree["description"] = name[:_LONGEST_TEXT]
    if comment := comment_above(source, job.line):
        draft.tree["description"] = comment[:_LONGEST_TEXT]
    for key in job.entries:
        if key not in _READ | _ANSWERED:
            draft.note("lost", key, "not a field of a term-llm job: term-llm ignores it", job.entries[key])
    _add_trigger(draft, job)
    config = fields_of(get(job, "runner_config"), "runner_config")
    if runner == "program":
        _add_program(draft, job, config)
    elif runner == "llm":
        _add_agent(draft, job, config)
    else:
        raise Unexpected(get(job, "runner_type") or job, f"`{runner}` is no runner_type", "llm or program")
    _add_policies(draft, job)
    if truth_of(get(job, "enabled"), "enabled") is False:
        draft.suspended.append("it was disabled in term-llm (enabled: false)")
    return draft.done()


def _add_trigger(draft: Draft, job: Fields) -> None:
    kind = text_of(get(job, "trigger_type"), "trigger_type")
    config = fields_of(get(job, "trigger_config"), "trigger_config")
    misfire = get(job, "misfire_policy")
    policy = (text_of(misfire, "misfire_policy") or "skip").strip() or "skip"
    if policy not in ("skip", "run"):
        raise Unexpected(misfire or job, f"`{policy}` is no misfire_policy", "skip or run")
    if kind == "manual":
        draft.no_rule = "it starts only when triggered"
        return
    if kind == "once":
        _add_once(draft, job, config)
    elif kind == "cron":
        _add_cron(draft, job, config)
    else:
        what = f"`{kind}` is no trigger_type" if kind else "the job has no `trigger_type`"
        raise Unexpected(get(job, "trigger_type") or job, what, "manual, once or cron")
    if policy == "skip":
        draft.tree["missed"] = "skip"


def _add_once(draft: Draft, job: Fields, config: Fields | None) -> None:
    node = get(config, "run_at")
    text = text_of(node, "run_at") or ""
    at = read_rfc3339(text)
    if at is None:
        help = "an instant with an offset, like 2026-02-22T00:00:00-08:00"
        raise Unexpected(node or config or job, f"term-llm refuses the run_at `{text}`", help)
    draft.tree["schedule"] = text
    draft.rule = Once(at, text)


def _add_cron(draft: Draft, job: Fields, config: Fields | None) -> None:
    node = get(config, "expression")
    text = text_of(node, "expression")
    if node is None or text is None:
        raise Unexpected(config or job, "a cron trigger has an `expression`")
    zone_node = get(job, "schedule_timezone") or get(config, "timezone")
    zone = (text_of(zone_node, "timezone") or "").strip()
    if not zone:
        raise Unexpected(config or job, "a cron trigger has a `timezone`", "term-llm refuses the job without one")
    if zone not in zones():
        raise Unexpected(zone_node or job, f"there is no time zone `{zone}`", "a name like Europe/Berlin")
    try:
        meaning = parse(text)
    except BadExpression as error:
        raise Unexpected(node, f"term-llm refuses the expression `{text}`: {error}") from None
    draft.rule = CronRule(meaning, zone, text if zone == "UTC" else f"{text}, {zone}")
    draft.add_times("term-llm", text, meaning, zone, node)
    if gives_up(meaning):
        why = "term-llm looks 366 days ahead, and where nothing comes it never starts the job again; here it goes on"
        draft.note("changed", text, why, node)
    if config is not None:
        draft.remark("schedule", config, node, "expression")


def _add_program(draft: Draft, job: Fields, config: Fields | None) -> None:
    node = get(config, "command")
    command = text_of(node, "command") or ""
    if not command.strip():
        raise Unexpected(config or job, "a program has a `command`")
    args = [text_of(each, "args") or "" for each in items_of(get(config, "args"), "args")]
    if truth_of(get(config, "shell"), "shell"):
        draft.run()["command"] = ["/bin/sh", "-c", command, *(["--", *args] if args else [])]
        why = "term-llm takes the shell of its server's $SHELL; here it is /bin/sh"
        draft.note("changed", "shell", why, get(config, "shell"))
    else:
        draft.run()["command"] = [command, *args]
    directory = (text_of(get(config, "cwd"), "cwd") or "").strip()
    if directory:
        draft.run()["working_dir"] = directory
    else:
        why = "the program started in the directory of term-llm's server; here in the root of the specs' repository"
        draft.note("changed", "no cwd", why, config or job, hint="write `working_dir` if the program minds")
    env: dict[str, str] = {}
    for each in items_of(get(config, "env"), "env"):
        name, equals, value = (text_of(each, "env") or "").partition("=")
        if equals and _ENV_NAME.fullmatch(name):
            env[name] = value
        else:
            draft.note("lost", f"env {name}", "not NAME=VALUE with a name of letters, digits and `_`", each)
    if env:
        draft.tree["env"] = env
        draft.warn_of_secrets(get(config, "env") or job)
    why = "term-llm gives a program its server's environment, jobsctl gives it PATH, HOME, LANG, TZ and what `env` says"
    draft.note("info", "environment", why, config or job)


def _add_agent(draft: Draft, job: Fields, config: Fields | None) -> None:
    """An agent cannot run yet: what it was told is kept where people read it, and nothing runs."""
    agent = text_of(get(config, "agent_name"), "agent_name") or ""
    instructions = text_of(get(config, "instructions"), "instructions") or ""
    if not agent.strip() or not instructions.strip():
        raise Unexpected(config or job, "an llm job has `agent_name` and `instructions`")
    whole = f"Agent {agent}: {instructions.strip()}"
    if len(whole) <= _LONGEST_TEXT:
        draft.tree["description"] = whole
    else:
        draft.tree["description"] = whole[: _LONGEST_TEXT - 40].rstrip() + " ... (whole above this job)"
        draft.comments += ["The instructions of this agent, whole:", *instructions.strip().split("\n")]
    kept = {
        f"term-llm/{name}": " ".join(_texts(node))
        for name, node in (config.entries.items() if config is not None else ())
        if name != "instructions" and _LABEL.fullmatch(f"term-llm/{name}")
    }
    draft.tree["annotations"] = {name: value for name, value in kept.items() if value and len(value) <= _LONGEST_TEXT}
    draft.run().update(placeholder(f"{draft.tree['name']}: an agent of term-llm, which jobsctl cannot run yet"))
    draft.suspended.append("it is an LLM agent, and agents cannot be run yet: its instructions are in the description")
    why = "jobsctl cannot run agents yet: the job is suspended, its instructions are in the description"
    hint = "leave it in term-llm, or let a program call it: term-llm ask --agent NAME"
    draft.note("lost", "runner_type llm", why, get(job, "runner_type"), hint=hint)
    if config is not None and truth_of(get(config, "notify_when_done"), "notify_when_done"):
        _say_notify(draft, config)


def _say_notify(draft: Draft, config: Fields) -> None:
    """`notify_when_done`: a message into the chat that the agent was queued from, which no `Notifier` can reach."""
    origin = fields_of(get(config, "notify_origin"), "notify_origin")
    chat = text_of(get(origin, "telegram_chat_id"), "telegram_chat_id")
    why = "term-llm writes into the chat that queued the agent; nobody is told here"
    hint = "`notify` with `on: [failure, success]` tells a `Notifier`; `callback` tells a program of each end"
    if chat:
        hint = f"a `Notifier` with tgram://BotToken/{' '.join(chat.split())} from a file reaches that chat"
    draft.note("lost", "notify_when_done", why, get(config, "notify_when_done"), hint=hint)


def _texts(node: Node) -> Iterator[str]:
    if isinstance(node, Items):
        for each in node.items:
            yield from _texts(each)
    elif isinstance(node, Fields):
        for name, each in node.entries.items():
            yield from (f"{name}={text}" for text in _texts(each))
    else:
        yield text_of(node, "value") or ""


def _add_policies(draft: Draft, job: Fields) -> None:
    seconds = whole_of(get(job, "timeout_seconds"), "timeout_seconds") or _TIMEOUT
    draft.tree["timeout"] = write_span(max(1, seconds))
    policy = (text_of(get(job, "concurrency_policy"), "concurrency_policy") or "forbid").strip()
    beside = whole_of(get(job, "max_concurrent_runs"), "max_concurrent_runs") or 1
    if policy != "forbid" and beside > 1:
        draft.tree["overlap"], draft.tree["max_concurrent"] = "allow", min(beside, 10_000)
    _add_retry(draft, fields_of(get(job, "retry_policy"), "retry_policy"))
    labels = fields_of(get(job, "labels"), "labels")
    made: dict[str, str] = {}
    for name, node in labels.entries.items() if labels is not None else ():
        value = " ".join(_texts(node))
        if _LABEL.fullmatch(name) and len(value) <= 256:
            made[name] = value
        else:
            draft.note("lost", f"label {name[:60]}", "longer than labels are here, or with another key", node)
    if made:
        draft.tree["labels"] = made


def _add_retry(draft: Draft, policy: Fields | None) -> None:
    """What term-llm cannot read it takes for its default, silently; `jitter_pct` it reads and never uses."""
    attempts = whole_of(get(policy, "max_attempts"), "max_attempts") or 1
    if policy is None or attempts <= 1:
        return
    first = _span(policy, "initial_delay", 10.0)
    longest = _span(policy, "max_delay", 300.0)
    retry: dict[str, object] = {"attempts": min(attempts, _MOST_ATTEMPTS)}
    backoff = text_of(get(policy, "backoff"), "backoff")
    if backoff in ("linear", "exponential"):
        retry["backoff"] = backoff
    retry["delay"] = write_span(min(first, longest))
    if "backoff" in retry and longest != 300.0:
        retry["max_delay"] = write_span(longest)
    draft.tree["retry"] = retry
    if attempts > _MOST_ATTEMPTS:
        why = f"there are at most {_MOST_ATTEMPTS} attempts here"
        draft.note("changed", f"max_attempts: {attempts}", why, get(policy, "max_attempts"))


def _span(policy: Fields, name: str, default: float) -> float:
    seconds = read_go_duration(text_of(get(policy, name), name) or "")
    return seconds if seconds is not None and seconds > 0 else default
