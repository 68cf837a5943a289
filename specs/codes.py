"""Every code a finding can have, with what it means and an example that makes it and one that does not.

Codes are stable: a number is never used for something else. Shown by the command line and the documentation; a test
checks that each example does what it says, and that no code is used that is not here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of finding."""

    code: str
    title: str
    explanation: str
    bad: str
    good: str
    severity: Literal["error", "warning"] = "error"
    language: Literal["yaml", "sh"] = "yaml"
    """`sh`: the examples are done in the specs directory; the finding is about a file, not about its text."""
    repeat: int = 1
    """How often the last line of `bad` stands there."""
    encoding: str = "utf-8"
    """In which `bad` is saved."""
    besides: tuple[str, ...] = ()
    """What else is found in `bad`: the cause of this."""

    def bad_bytes(self) -> bytes:
        """The bad example as a file holds it."""
        *first, last = self.bad.splitlines(keepends=True)
        return ("".join(first) + last * self.repeat).encode(self.encoding)


_RUN = "name: hello\nrun: {command: [echo, hello]}\n"

_ALL = (
    # files
    Code(
        "JOB001",
        "cannot be read",
        "The file or folder is there but cannot be opened or listed, or is not a regular file. What it said when it "
        "could be read last still holds: none of its jobs is removed.",
        "mkfifo jobs/hello.yaml",
        "cp hello.yaml jobs/hello.yaml",
        language="sh",
    ),
    Code(
        "JOB002",
        "file too large",
        "A spec file has at most 256 KiB. A larger one is a mistake or an attack, and reading it would hold up the "
        "daemon. Long scripts belong into files of their own.",
        f"{_RUN}# a very, very long file\n",
        _RUN,
        repeat=12_000,
    ),
    Code(
        "JOB003",
        "not UTF-8",
        "Spec files are UTF-8 text. The place is the first byte that cannot be.",
        f"{_RUN}description: Café\n",
        f"{_RUN}description: Café\n",
        encoding="latin-1",
    ),
    Code(
        "JOB004",
        "control or invisible character",
        "Control characters can drive a terminal, and invisible ones can show a reviewer another text than the one "
        "that runs. Where one is meant, it is written as an escape in double quotes. NUL cannot be given to a program.",
        f"{_RUN}description: red \x1b[31m\n",
        f'{_RUN}description: "red \\x1b[31m"\n',
    ),
    Code(
        "JOB005",
        "syntax error",
        "The file is not YAML (or JSON). Nothing of it is applied; the jobs it defined before go on.",
        'name: hello\nrun: {command: [echo, "hello]}\n',
        _RUN,
    ),
    Code(
        "JOB006",
        "alias, anchor or merge key",
        "`&anchors`, `*aliases` and `<<` make a small file mean a huge one and hide in a review what a job is. "
        "Write the value out. A text that begins with one of these characters goes in quotes.",
        "name: hello\nrun: {command: &words [echo, hello]}\ntags: *words\n",
        "name: hello\nrun: {command: [echo, hello]}\ntags: [echo, hello]\n",
    ),
    Code(
        "JOB007",
        "tag",
        "`!tags` ask a reader to build objects. Specs hold texts, numbers, true and false, lists and mappings only.",
        f"{_RUN}description: !!str 12\n",
        f'{_RUN}description: "12"\n',
    ),
    Code(
        "JOB008",
        "directive",
        "`%YAML` and `%TAG` change what the rest of a file means. Specs are YAML 1.2, always.",
        f"%YAML 1.1\n---\n{_RUN}",
        f"---\n{_RUN}",
    ),
    Code(
        "JOB009",
        "key given twice",
        "Of two equal keys one would win silently.",
        f"{_RUN}timeout: 5m\ntimeout: 1h\n",
        f"{_RUN}timeout: 1h\n",
    ),
    Code(
        "JOB010",
        "key is not a text",
        "A plain `1`, `true` or `null` is a number, a truth value, nothing. As a key it goes in quotes.",
        f"{_RUN}labels: {{1: first}}\n",
        f'{_RUN}labels: {{"1": first}}\n',
    ),
    Code(
        "JOB011",
        "nested too deep",
        "A document has at most 24 levels; no field needs more than five.",
        f"{_RUN}tags: {'[' * 30}{']' * 30}\n",
        f"{_RUN}tags: [nightly]\n",
    ),
    Code(
        "JOB012",
        "too many values",
        "A document has at most 20,000 values.",
        f"{_RUN}tags:\n- a\n",
        f"{_RUN}tags:\n- a\n",
        repeat=20_001,
    ),
    Code(
        "JOB013",
        "document is not a mapping",
        "A document is a mapping that begins with keys such as `name:`. Several jobs in one file are several "
        "documents, with `---` between them, not a list. The settings in `jobsctl.yaml` are one document.",
        "- name: hello\n  run: {command: [echo, hello]}\n",
        f"{_RUN}---\nname: world\nrun: {{command: [echo, world]}}\n",
    ),
    Code(
        "JOB014",
        "number too long",
        "A number has at most 40 characters. A longer one is a text, and goes in quotes.",
        f"{_RUN}grace: {'9' * 50}\n",
        f'{_RUN}description: "{"9" * 50}"\n',
    ),
    # what is not there
    Code(
        "JOB020",
        "not built yet",
        "jobsctl's design has this, this version does not. It is refused by name, so that nobody relies on it.",
        f"{_RUN}notify: [oncall]\n",
        _RUN,
    ),
    Code(
        "JOB021",
        "unknown kind",
        "`kind` says what a document is. It is `Job` when left out.",
        f"kind: Jobb\n{_RUN}",
        f"kind: Job\n{_RUN}",
    ),
    # fields
    Code(
        "JOB030",
        "unknown key",
        "No field of this name exists here. A misspelt field would otherwise be ignored, and its default be used.",
        f"{_RUN}timout: 5m\n",
        f"{_RUN}timeout: 5m\n",
    ),
    Code(
        "JOB031",
        "key is missing",
        "A job needs at least `name` and `run`.",
        "name: hello\nschedule: every 10m\n",
        f"{_RUN}schedule: every 10m\n",
    ),
    Code(
        "JOB032",
        "wrong type",
        "Nothing is converted: `yes` is a text, `8080` is a number. An environment variable, a label and a umask are "
        "texts; quotes make one of a number.",
        f"{_RUN}env: {{PORT: 8080}}\n",
        f'{_RUN}env: {{PORT: "8080"}}\n',
    ),
    Code(
        "JOB033",
        "value not allowed",
        "The value has the right type and is out of bounds, or not one of the words that are known.",
        f"{_RUN}dst: {{gap: run_befor}}\n",
        f"{_RUN}dst: {{gap: run_after}}\n",
    ),
    Code(
        "JOB034",
        "not a name",
        "Names of jobs and projects are file names, parts of URLs and labels too: 1 to 63 of a-z, 0-9 and `-`, with a "
        "letter or digit at both ends.",
        "name: My_Job\nrun: {command: [echo, hello]}\n",
        "name: my-job\nrun: {command: [echo, hello]}\n",
    ),
    Code(
        "JOB035",
        "not a duration",
        "A duration is a number with d, h, m or s, several of them in this order, or a plain number of seconds.",
        f"{_RUN}timeout: 5 minutes\n",
        f"{_RUN}timeout: 5m\n",
    ),
    Code(
        "JOB036",
        "not a size",
        "A size is a number of bytes, or a number with k, M, G, T (1000) or Ki, Mi, Gi, Ti (1024).",
        "name: hello\nrun: {command: [echo, hello], limits: {memory: lots}}\n",
        "name: hello\nrun: {command: [echo, hello], limits: {memory: 512Mi}}\n",
    ),
    Code(
        "JOB037",
        "fields do not go together",
        "Each field is sound, but they exclude or need each other.",
        "name: hello\nrun: {command: [echo, hello], script: echo hello}\n",
        "name: hello\nrun: {script: echo hello}\n",
    ),
    Code(
        "JOB038",
        "not an instant",
        "`start_at` and `end_at` are instants in the form of RFC 3339. Without an offset they are in the job's "
        "timezone.",
        f"{_RUN}schedule: '@daily'\nend_at: Christmas\n",
        f"{_RUN}schedule: '@daily'\nend_at: 2030-12-24T18:00:00Z\n",
    ),
    Code(
        "JOB039",
        "parameter that nobody gives",
        "A job with a schedule or dependencies starts by itself, and then each of its parameters has its default. One "
        "without a default would keep it from ever running.",
        f"{_RUN}schedule: every 10m\nparams: {{region: {{}}}}\n",
        f"{_RUN}schedule: every 10m\nparams: {{region: {{default: north}}}}\n",
    ),
    # schedules
    Code(
        "JOB040",
        "schedule cannot be used",
        "The expression is not one of those that are known, or can never fire.",
        f'{_RUN}schedule: "61 * * * *"\n',
        f'{_RUN}schedule: "59 * * * *"\n',
    ),
    Code(
        "JOB041",
        "schedule may not mean what it seems to",
        "The expression is sound and is applied; it has a known way of surprising people.",
        f'{_RUN}schedule: "0 0 1 * 1"\n',
        f'{_RUN}schedule: "0 0 1 * *"\n',
        severity="warning",
    ),
    Code(
        "JOB042",
        "unknown timezone",
        "Zones are names of the IANA database, as Europe/Berlin. Abbreviations such as CST mean several zones.",
        f"{_RUN}timezone: Europe/Berln\n",
        f"{_RUN}timezone: Europe/Berlin\n",
    ),
    Code(
        "JOB043",
        "has no effect",
        "The field is sound and is applied, and nothing in this job asks for it: often something else is missing. What "
        "comes from a `Defaults` document is not told.",
        f"{_RUN}repeat: 3\n",
        f"{_RUN}schedule: every 10m\nrepeat: 3\n",
        severity="warning",
    ),
    Code(
        "JOB044",
        "jitter longer than the schedule's period",
        "A `spread` this long makes every run lie one slot or more behind. A `random` offset is always less than the "
        "distance to the next slot, whatever is asked for.",
        f"{_RUN}schedule: every 10m\njitter: 30m\n",
        f"{_RUN}schedule: every 10m\njitter: 2m\n",
        severity="warning",
    ),
    Code(
        "JOB045",
        "calendar cannot be used",
        "A date, weekday or time of the calendar is none, or its times are such that a job could never run.",
        "kind: Calendar\nname: holidays\ndates: [2026-13-24]\n",
        "kind: Calendar\nname: holidays\ndates: [2026-12-24]\n",
    ),
    Code(
        "JOB046",
        "condition cannot work",
        "`until` is an expression of CEL over `run`, `job`, `result` and `now`, and is true or false. It is tried with "
        "sample values when the file is read; what a result will hold cannot be known then. docs/conditions.md lists "
        "the fields.",
        f"{_RUN}schedule: every 10m\nuntil: run.status == 'succeeded'\n",
        f"{_RUN}schedule: every 10m\nuntil: run.state == 'succeeded'\n",
    ),
    Code(
        "JOB047",
        "parameter that is not put in",
        "`{{ params.name }}` is replaced in arguments, variables and the working directory, by parameters that the job "
        "has. In a script it never is: a value pasted into a program is how injections are made.",
        "name: hello\nparams: {who: {default: you}}\nrun: {command: [echo, '{{ params.whom }}']}\n",
        "name: hello\nparams: {who: {default: you}}\nrun: {command: [echo, '{{ params.who }}']}\n",
        severity="warning",
    ),
    # several files
    Code(
        "JOB050",
        "defined twice",
        "Two documents have the same project and name, in one file or in two. Neither is applied: which one was meant "
        "cannot be known. The last good version goes on.",
        f"{_RUN}---\n{_RUN}",
        f"{_RUN}---\nproject: other\n{_RUN}",
    ),
    Code(
        "JOB051",
        "named and not there",
        "The job names a job, a pool or a calendar that no file defines. It goes on as it was, and is applied by "
        "itself when a file defines what is named. A job that is named may be unsound itself: its last good version "
        "counts.",
        "printf 'name: world\\nrun: {command: [echo]}\\ndepends_on: [helo]\\n' > jobs/world.yaml; cp hello.yaml jobs",
        "printf 'name: world\\nrun: {command: [echo]}\\ndepends_on: [hello]\\n' > jobs/world.yaml; cp hello.yaml jobs",
        language="sh",
    ),
    Code(
        "JOB052",
        "dependencies in a circle",
        "Each of these jobs waits for a success of the next one, the last for the first: none could ever start. A job "
        "of the circle goes on as it was.",
        f"{_RUN}depends_on: [hello]\n",
        f"{_RUN}depends_on: [{{job: world}}]\n",
    ),
    Code(
        "JOB053",
        "cannot be renamed from this",
        "`renamed_from` moves the history of a job that is no longer in any file to its new name, once.",
        f"{_RUN}renamed_from: hello\n",
        f"{_RUN}renamed_from: good-morning\n",
    ),
    Code(
        "JOB054",
        "several defaults in one folder",
        "Which of the two would win for a field that both name cannot be known. Jobs of the folder and below go on as "
        "they are, and edits of them wait.",
        "kind: Defaults\njob: {timezone: Europe/Berlin}\n---\nkind: Defaults\njob: {timeout: 1h}\n",
        "kind: Defaults\njob: {timezone: Europe/Berlin, timeout: 1h}\n",
    ),
    Code(
        "JOB055",
        "cannot be a default",
        "Some fields are each job's own: what it is called, what it was called before, and what it waits for.",
        "kind: Defaults\njob: {name: hello}\n",
        "kind: Defaults\njob: {project: hello}\n",
    ),
    Code(
        "JOB056",
        "waits for its defaults",
        "The `Defaults` document of the folder, or of one above, cannot be used, and how it was when it could be is "
        "not known. Without it this would be another job, so it is not read; it goes on as it was.",
        "printf 'kind: Defaults\\njob: 3\\n' > jobs/_defaults.yaml; cp hello.yaml jobs",
        "printf 'kind: Defaults\\njob: {timeout: 3m}\\n' > jobs/_defaults.yaml; cp hello.yaml jobs",
        language="sh",
        besides=("JOB032",),
    ),
    # the directory
    Code(
        "JOB060",
        "others can write it",
        "Whoever can write a spec can run programs as the daemon's user. Files and folders should belong to that user "
        "or to root, and be writable for nobody else, as for cron and sshd.",
        "cp hello.yaml jobs/hello.yaml; chmod 666 jobs/hello.yaml",
        "cp hello.yaml jobs/hello.yaml; chmod 644 jobs/hello.yaml",
        severity="warning",
        language="sh",
    ),
    Code(
        "JOB061",
        "still being written",
        "Another program has had the file open for writing for a while. Half a file can be valid, so it is not read "
        "before it is closed. Write a new file beside it and rename it.",
        "exec 9>jobs/hello.yaml; cat hello.yaml >&9",
        "cp hello.yaml jobs/.hello; mv jobs/.hello jobs/hello.yaml",
        severity="warning",
        language="sh",
    ),
    Code(
        "JOB062",
        "symbolic link",
        "Links are not followed: one could lead out of the specs directory. The directory itself may be a link, and "
        "volumes of Kubernetes (`..data`) work.",
        "ln -s ../hello.yaml jobs/hello.yaml",
        "cp hello.yaml jobs/hello.yaml",
        severity="warning",
        language="sh",
    ),
)

CODES: dict[str, Code] = {code.code: code for code in _ALL}
"""All codes, in their order."""
