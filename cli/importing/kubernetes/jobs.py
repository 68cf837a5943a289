"""One CronJob or Job as one of our jobs: when, how often, how long, and what if. Called by `reader`. Pure.

Sources: k8s.io/api/batch/v1 types.go for fields and defaults; pkg/controller/cronjob (cronjob_controllerv2.go and
utils.go) for missed starts, `Forbid` and zones; pkg/controller/job/job_controller.go for retries.
"""

from __future__ import annotations

import re

from cli.importing.draft import Draft
from cli.importing.durations import write_span
from cli.importing.kubernetes.container import Config, add_program, say_lost, say_unknown, words
from cli.importing.kubernetes.robfig import BadSchedule, CronRule, Every, EveryRule, parse
from cli.importing.nodes import Fields, Node, Scalar, Unexpected, fields_of, get, text_of, truth_of, whole_of
from cli.importing.wallclock import read_rfc3339, zones

_ZONE = re.compile(r"(?:CRON_)?TZ=([^ ]*) +(.*)")
_LABEL = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_./]{0,251}[A-Za-z0-9])?")
_MOST_ATTEMPTS = 100

_CRON_READ = words(
    "schedule timeZone startingDeadlineSeconds concurrencyPolicy suspend jobTemplate successfulJobsHistoryLimit "
    "failedJobsHistoryLimit"
)
_JOB_READ = words("template backoffLimit activeDeadlineSeconds ttlSecondsAfterFinished suspend")
_JOB_QUIET = words("selector manualSelector podReplacementPolicy")
_JOB_LOST = words("podFailurePolicy successPolicy backoffLimitPerIndex maxFailedIndexes completionMode managedBy")
_MACHINE_NOTES = ("kubectl.kubernetes.io/", "batch.kubernetes.io/", "meta.helm.sh/", "deprecated.daemonset")


def add_cron_job(draft: Draft, document: Fields, namespace: str, zone: str | None, config: Config) -> None:
    """Fill a draft from a CronJob. `zone`: of the controller, when somebody said it. Raises Unexpected."""
    spec = _required(document, "spec", "CronJob")
    say_unknown(draft, spec, _CRON_READ, "a CronJob's spec")
    template = _required(spec, "jobTemplate", "CronJob's spec")
    _add_schedule(draft, document, spec, template, zone)
    _add_overlap(draft, spec)
    _add_missed(draft, spec)
    _add_history(draft, spec)
    job = _required(template, "spec", "CronJob's jobTemplate")
    _add_job(draft, job, namespace, config)
    if truth_of(get(spec, "suspend"), "suspend"):
        draft.suspended.append("it was suspended in Kubernetes as well")


def add_job(draft: Draft, document: Fields, namespace: str, config: Config) -> None:
    """Fill a draft from a Job: it has no schedule. Raises Unexpected."""
    draft.no_rule = "a Job runs once, when it is created"
    draft.note("changed", "kind: Job", "it runs once, when it is created; here when somebody triggers it")
    _add_job(draft, _required(document, "spec", "Job"), namespace, config)


def add_metadata(draft: Draft, metadata: Fields | None) -> None:
    """Labels and annotations; the annotation `description` becomes ours."""
    for name, longest in (("labels", 256), ("annotations", 4096)):
        made: dict[str, str] = {}
        for key, node in (fields_of(get(metadata, name), name) or _NOTHING).entries.items():
            value = text_of(node, f"{name}.{key}") or ""
            if key.rpartition("/")[2] == "description" and name == "annotations" and len(value) <= longest:
                draft.tree["description"] = value
            elif _LABEL.fullmatch(key) and len(value) <= longest:
                if not key.startswith(_MACHINE_NOTES):
                    made[key] = value
            elif not key.startswith(_MACHINE_NOTES):
                draft.note("lost", f"{name}.{key[:60]}", f"longer than {name} are here, or with another key", node)
        if made:
            draft.tree[name] = made


_NOTHING = Fields(line=1, column=1, entries={}, places={})


def _required(fields: Fields, name: str, what: str) -> Fields:
    found = fields_of(get(fields, name), name)
    if found is None:
        raise Unexpected(fields, f"the {what} has no `{name}`")
    return found


def _add_schedule(draft: Draft, document: Fields, spec: Fields, template: Fields, zone: str | None) -> None:
    node = get(spec, "schedule")
    if node is None:
        elsewhere = get(template, "schedule") or get(document, "schedule")
        help = (
            "put it below `spec:`, beside `jobTemplate`: Kubernetes refuses the document as it is"
            if elsewhere
            else None
        )
        raise Unexpected(elsewhere or spec, "the CronJob has no `schedule` in its `spec`", help)
    written = text_of(node, "schedule") or ""
    _refuse_template(node, written, "schedule")
    expression, name = _zone_of(draft, node, written, spec, zone)
    try:
        meaning = parse(expression)
    except BadSchedule as error:
        raise Unexpected(node, f"Kubernetes refuses the schedule `{expression}`: {error}") from None
    if isinstance(meaning, Every):
        _add_every(draft, document, node, meaning, expression)
    else:
        draft.rule = CronRule(meaning, name, expression if name == "UTC" else f"{expression}, {name}")
        draft.add_times("Kubernetes", expression, meaning, name, node)
    draft.remark("schedule", spec, node)
    if (field := get(spec, "timeZone")) is not None:
        draft.remark("timezone", spec, field, "timeZone")


def _zone_of(draft: Draft, node: Node, written: str, spec: Fields, zone: str | None) -> tuple[str, str]:
    """The expression without its zone, and the zone. A zone in the schedule beats `timeZone`, which is ignored then."""
    field = get(spec, "timeZone")
    name = text_of(field, "timeZone")
    if prefix := _ZONE.fullmatch(written):
        if name is not None:
            draft.note("changed", "timeZone", "the schedule names a zone itself, and Kubernetes obeys that one", field)
        name, written, field = prefix[1] or "UTC", prefix[2].strip(), node
    elif written.startswith(("TZ=", "CRON_TZ=")):
        raise Unexpected(node, "after the time zone there is no schedule")
    if name is None:
        if zone is None:
            why = "the controller's zone counts, which is UTC nearly everywhere: `timezone: UTC` was written"
            hint = "name the controller's zone with --timezone, if it is another"
            draft.note("info", "no timeZone", why, node, hint=hint)
        return written, zone or "UTC"
    if field is not None:
        _refuse_template(field, name, "timeZone")
    if name not in zones():
        raise Unexpected(field or node, f"there is no time zone `{name}`", "a name like Europe/Berlin, or UTC")
    return written, name


def _refuse_template(node: Node, text: str, what: str) -> None:
    if "{{" in text:
        raise Unexpected(node, f"`{what}` is a Helm template", HELM)
    if re.search(r"\$\{?[A-Za-z_]|<[A-Za-z_-]+>|\$\(", text):
        raise Unexpected(node, f"`{what}` is not filled in: `{text}`", ENVSUBST)


HELM = "render it first: helm template CHART | jobsctl import kubernetes -"
ENVSUBST = "fill it in first: envsubst < FILE | jobsctl import kubernetes -"


def _add_every(draft: Draft, document: Fields, node: Node, every: Every, expression: str) -> None:
    status = fields_of(get(document, "status"), "status")
    metadata = fields_of(get(document, "metadata"), "metadata")
    known = get(status, "lastScheduleTime") or get(metadata, "creationTimestamp")
    start = None if not isinstance(known, Scalar) else read_rfc3339(known.text)
    span = write_span(every.seconds)
    if start is None or not isinstance(known, Scalar):
        draft.tree["schedule"] = f"every {span}"
        why = "Kubernetes counts from the creation of the CronJob, jobsctl from when the job is first applied"
        draft.note("changed", expression, why, node, hint="write {every: ..., anchor: ...} to keep the minute")
    else:
        draft.tree["schedule"] = {"every": span, "anchor": known.text}
    draft.rule = EveryRule(every, start, expression)


def _add_overlap(draft: Draft, spec: Fields) -> None:
    node = get(spec, "concurrencyPolicy")
    policy = text_of(node, "concurrencyPolicy") or "Allow"
    if policy not in ("Allow", "Forbid", "Replace"):
        raise Unexpected(node or spec, f"`{policy}` is no concurrencyPolicy", "Allow, Forbid or Replace")
    draft.tree["overlap"] = {"Allow": "allow", "Forbid": "queue", "Replace": "replace"}[policy]
    if policy == "Allow":
        why = "Kubernetes runs any number of a CronJob's Jobs at once; here ten at most"
        hint = "where one at a time is right, delete `overlap: allow`"
        draft.note("info", "concurrencyPolicy Allow", why, node, hint=hint)
    if policy == "Forbid":
        why = "a start that finds the last Job running is made up for as soon as that has ended: `overlap: queue` too"
        draft.note("info", "concurrencyPolicy Forbid", why, node, hint="`overlap: skip` drops such a start")


def _add_missed(draft: Draft, spec: Fields) -> None:
    node = get(spec, "startingDeadlineSeconds")
    seconds = whole_of(node, "startingDeadlineSeconds")
    if seconds is None:
        return
    if seconds < 0:
        raise Unexpected(node or spec, "startingDeadlineSeconds cannot be negative")
    draft.tree["missed"] = {"policy": "latest", "grace": write_span(seconds)} if seconds else "skip"
    why = "a start later than this is given up; Kubernetes' limit of 100 missed starts does not exist here"
    draft.note("info", "startingDeadlineSeconds", why, node)


def _add_history(draft: Draft, spec: Fields) -> None:
    nodes = [get(spec, name) for name in ("successfulJobsHistoryLimit", "failedJobsHistoryLimit")]
    if nodes == [None, None]:
        return
    good, bad = (whole_of(node, "history limit") for node in nodes)
    limits = (3 if good is None else good, 1 if bad is None else bad)
    if limits == (3, 1):
        return  # the defaults, which every object of a cluster has: nobody asked for them
    kept = max(1, sum(limits))
    draft.tree["retention"] = {"max_runs": kept}
    why = "one limit for successful and failed runs together; the last success is kept in any case"
    hint = "a run costs a row here, not a Pod: deleting `retention` keeps 1,000"
    draft.note("changed", "history limits", why, next(node for node in nodes if node is not None), hint=hint)


def _add_job(draft: Draft, job: Fields, namespace: str, config: Config) -> None:
    """The Job's own spec, of a CronJob's template too."""
    pod = _required(_required(job, "template", "Job's spec"), "spec", "Job's template")
    restart = text_of(get(pod, "restartPolicy"), "restartPolicy") or "Always"
    deadline = whole_of(get(job, "activeDeadlineSeconds"), "activeDeadlineSeconds")
    pod_deadline = whole_of(get(pod, "activeDeadlineSeconds"), "activeDeadlineSeconds")
    add_program(draft, pod, namespace, config)
    _add_retry(draft, job, restart, deadline is not None)
    limit = min((seconds for seconds in (deadline, pod_deadline) if seconds), default=None)
    if limit is not None:
        draft.tree["timeout"] = write_span(limit)
        if deadline and "retry" in draft.tree:
            why = "it limits all attempts of a Job together; here `timeout` limits each of them"
            draft.note("changed", "activeDeadlineSeconds", why, get(job, "activeDeadlineSeconds"))
    grace = whole_of(get(pod, "terminationGracePeriodSeconds"), "terminationGracePeriodSeconds")
    if grace not in (None, 30) or limit is not None or draft.tree.get("overlap") == "replace":
        draft.tree["grace"] = write_span(max(1, 30 if grace is None else grace))
    for name in ("completions", "parallelism"):
        number = whole_of(get(job, name), name)
        if number is not None and number != 1:
            why = "a job here is one run at a time"
            draft.note("lost", f"{name}: {number}", why, get(job, name), hint="make several jobs of it, in one `pool`")
    if (ttl := get(job, "ttlSecondsAfterFinished")) is not None:
        why = "it cleans up Pods, of which there are none here"
        draft.note("info", "ttlSecondsAfterFinished", why, ttl, hint="history is kept by `retention`")
    say_lost(draft, job, _JOB_LOST, "there is nothing like it here")
    say_unknown(draft, job, _JOB_READ | _JOB_QUIET | _JOB_LOST | {"completions", "parallelism"}, "a Job's spec")
    if restart not in ("Never", "OnFailure"):
        why = "a Job's restartPolicy is Never or OnFailure, Kubernetes refuses others: taken as OnFailure"
        draft.note("changed", "restartPolicy", why, get(pod, "restartPolicy") or pod)


def _add_retry(draft: Draft, job: Fields, restart: str, has_deadline: bool) -> None:
    """A Job is tried again after 10, 20, 40 ... seconds: up to 6 minutes in new Pods, to 5 in the same one."""
    node = get(job, "backoffLimit")
    again = whole_of(node, "backoffLimit")
    attempts = min((6 if again is None else max(0, again)) + 1, _MOST_ATTEMPTS)
    if attempts == 1:
        return
    retry: dict[str, object] = {
        "attempts": attempts,
        "backoff": "exponential",
        "delay": "10s",
        "max_delay": "6m" if restart == "Never" else "5m",
    }
    if has_deadline:
        retry["on"] = ["failed", "lost"]
    draft.tree["retry"] = retry
    if again is None:
        why = "Kubernetes tries a failed Job again 6 times unless it is told otherwise: `retry` says so"
        draft.note("info", "no backoffLimit", why, job, hint="delete `retry` where once is right")
    elif again >= _MOST_ATTEMPTS:
        draft.note("changed", f"backoffLimit: {again}", f"there are at most {_MOST_ATTEMPTS} attempts here", node)
