"""Writes jobs.md, findings.md, conditions.md from models and codes: `python docs/generate_specs.py`. A test compares"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from specs.codes import CODES, Code  # noqa: E402
from specs.codes.example import finding_of  # noqa: E402
from specs.conditions import (  # noqa: E402
    FUNCTIONS,
    JOB_FIELDS,
    MAX_COMPREHENSIONS,
    MAX_EXPRESSION,
    MAX_RESULT_BYTES,
    MAX_RESULT_VALUES,
    RUN_FIELDS,
)
from specs.schema import definition  # noqa: E402
from specs.schema.words import FORMS, default_words, example_lines, type_words  # noqa: E402
from specs.unbuilt import KINDS, RUN_TYPES  # noqa: E402

NOTE = "<!-- Written by docs/generate_specs.py from the code; edit the code. -->\n"
EXAMPLE_NOW = 1_795_248_000_000_000
"""2026-11-21 08:00:00Z: findings about the clocks name the nights after it."""
SMALLEST = "name: hello\nschedule: every 10m\nrun:\n  command: [echo, hello]\n"

JOB_PARTS = (
    ("`run`, a program", "ProcessRun"),
    ("`run.limits`", "Limits"),
    ("`capture`", "Capture"),
    ("`schedule`, the long form", "ScheduleParts"),
    ("`dst`", "Dst"),
    ("`suspend`, with a reason", "Suspend"),
    ("`retry`", "Retry"),
    ("`missed`, the long form", "Missed"),
    ("`jitter`, the long form", "Jitter"),
    ("`depends_on`, the long form", "Dependency"),
    ("`params`, each", "Param"),
    ("`retention` of a job", "Retention"),
    ("`notify`, each rule", "NotifyRule"),
    ("`callback`", "Callback"),
    ("`env`: a secret from a file", "FromFile"),
    ("`env`: a secret from the daemon's environment", "FromEnv"),
    ("`env`: a secret from systemd", "FromCredential"),
)
SHARED = (
    ("`kind: Pool`", "Pool"),
    ("`kind: Calendar`", "Calendar"),
    ("`windows` of a calendar", "Window"),
    ("`kind: Notifier`", "Notifier"),
    ("`rate` of a notifier", "Rate"),
    ("`quiet_hours` of a notifier", "QuietHours"),
    ("`template` of a notifier", "Template"),
    ("`kind: Defaults`", "Defaults"),
)
CONFIG_PARTS = (
    ("`prune_limit`", "ConfigPruneLimit"),
    ("`http`", "ConfigHttp"),
    ("`callbacks`", "ConfigCallbacks"),
    ("`ping`", "ConfigPing"),
    ("`metrics`", "ConfigMetrics"),
    ("`retention`", "ConfigRetention"),
)


def jobs_page() -> str:
    """docs/jobs.md: every field of a job and of jobsctl.yaml."""
    parts = [
        f"# Job files\n\n{NOTE}\nThe smallest useful one:\n\n```yaml\n{SMALLEST}```\n\n",
        "Files are `*.yaml`, `*.yml` and `*.json` anywhere below the specs directory, several documents per file; "
        "names that begin with `.` are ignored. What a job is called is in the document: the file's name and place are "
        'yours. Types are strict (`suspend: "yes"` is an error) and unknown keys are errors. Anchors, aliases and tags '
        "are refused. Reformatting a file, or moving a job to another file, changes nothing; "
        "[findings.md](findings.md) lists what can be wrong with a file. [editor.md](editor.md) tells how an editor "
        "shows this page while you write, and `jobsctl explain job.retry` is a part of it in a terminal.\n\n"
        + "".join(f"- A **{word}**: {form}.\n" for word, form in FORMS.items())
        + "\n## The job\n\n",
        _table("Job"),
    ]
    for title, name in JOB_PARTS:
        parts.append(f"\n## {title}\n\n{definition(name)['description']}\n\n{_table(name)}")
    parts.append(
        "\n# Other documents\n\nThey stand in the same files, and are told from jobs by their `kind`. "
        "[policies.md](policies.md) shows how they work together.\n"
    )
    for title, name in SHARED:
        parts.append(f"\n## {title}\n\n{definition(name)['description']}\n\n{_table(name)}")
    parts.append("\n## Not built yet\n\nRefused by name, never ignored: ")
    names = [f"run type `{name}`" for name in sorted(RUN_TYPES)] + [f"kind `{name}`" for name in sorted(KINDS)]
    parts.append(f"{', '.join(names)}.\n")
    parts.append(
        "\n# Settings: jobsctl.yaml\n\nOptional, in the home. Read when the daemon starts.\n\n" + _table("Config")
    )
    for title, name in CONFIG_PARTS:
        parts.append(f"\n## {title}\n\n{definition(name)['description']}\n\n{_table(name)}")
    return "".join(parts)


def findings_page() -> str:
    """docs/findings.md: every code."""
    parts = [
        f"# Findings\n\n{NOTE}\nWhat `jobsctl validate`, `apply` and the daemon say of spec files. An error keeps the "
        "document from being applied, and the last good version of its job goes on; a warning does not. Codes are "
        "stable: a number is never used for something else.\n"
    ]
    for code in CODES.values():
        wrong = f"{code.bad.rstrip()}\n" + (f"# ... {code.repeat} times\n" if code.repeat > 1 else "")
        parts.append(
            f"\n## {code.code}: {code.title}\n\n{code.explanation}"
            + (" A warning.\n" if code.severity == "warning" else "\n")
            + f"\n```{code.language}\n{wrong}```\n{_said(code)}"
            + f"\nBetter:\n\n```{code.language}\n{code.good.rstrip()}\n```\n"
        )
    return "".join(parts)


def _said(code: Code) -> str:
    said = finding_of(code, now=EXAMPLE_NOW)
    return "" if said is None else f"\n```text\n{said.rstrip()}\n```\n"


def conditions_page() -> str:
    """docs/conditions.md: the variables of `until`."""
    functions = ", ".join(f"`{name}`" for name in sorted(FUNCTIONS))
    return f"""# Conditions

{NOTE}
`until` is an expression that is asked after each run of a job that was not skipped. When it is true, the job is
complete: it does not run again before its spec changes what completes it.

```yaml
name: import
schedule: every 10m
until: has(result.remaining) && result.remaining == 0
run:
  command: [./import-one-batch]
```

It is written in CEL, the Common Expression Language (cel.dev), which Kubernetes has in its policies. It reads; it
cannot change, call or wait for anything.

| variable | what it is |
|---|---|
| `run` | the run that has just ended |
| `job` | the job, with that run counted |
| `result` | what the run wrote to `$JOBSCTL_RESULT_FILE` as JSON; null when it wrote nothing |
| `now` | the time at which it is asked |

{_fields("run", RUN_FIELDS)}
{_fields("job", JOB_FIELDS)}
Times are timestamps: `now - run.started_at > duration("1h")`, `now > timestamp("2030-01-01T00:00:00Z")`. Whole
numbers and numbers with fractions are two types, as everywhere in CEL: they can be compared with each other, and
are not added without `double(...)`. Functions: {functions}.

## What is checked, and when

When the file is read: the syntax, names of variables, of their fields and of functions, and that the answer is true
or false, by trying it with sample values. What a result will hold cannot be known then.

After a run it may be that it cannot be told: a field of `result` is missing, or null is asked to be larger than 3.
This is no failure of the run: it counts as false, and an event of the job says why. `has(result.field) && ...` asks
first whether the field is there, `result != null && ...` whether the run wrote a result at all.

## Bounds

At most {MAX_EXPRESSION:,} characters and {MAX_COMPREHENSIONS} comprehensions (`all`, `exists`, `map`, `filter`
...), none inside another; a result of at most {MAX_RESULT_BYTES >> 10} KiB and {MAX_RESULT_VALUES:,} values, else
it cannot be told. CEL always ends; within these bounds it ends at once.
"""


def _fields(variable: str, fields: dict[str, str]) -> str:
    rows = "".join(f"| `{variable}.{name}` | {meaning} |\n" for name, meaning in fields.items())
    return f"| field | what it is |\n|---|---|\n{rows}"


def _table(name: str) -> str:
    """One row per field of a definition, as `jobsctl explain` tells it."""
    found = definition(name)
    rows = ["| field | type | default | meaning | example |\n|---|---|---|---|---|\n"]
    for field, shape in found["properties"].items():
        default = default_words(shape, required=field in found.get("required", ()))
        shown = default if default in ("", "required") else "see below" if "allOf" in shape else f"`{default}`"
        example = "<br>".join(f"`{line}`" for line in example_lines(field, shape["examples"][0]))
        cells = (f"`{field}`", type_words(shape), shown, shape["description"], example)
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n")
    return "".join(rows)


PAGES = {"jobs.md": jobs_page, "findings.md": findings_page, "conditions.md": conditions_page}

if __name__ == "__main__":
    for file, page in PAGES.items():
        Path(__file__).with_name(file).write_text(page(), encoding="utf-8")
