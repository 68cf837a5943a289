"""Codes about single fields, and fields of one job that do not go together. Read through `specs.codes`."""

from __future__ import annotations

from specs.codes.code import RUN, Code

FIELDS = (
    Code(
        "JOB030",
        "unknown key",
        "No field of this name exists here. A misspelt field would otherwise be ignored, and its default be used.",
        f"{RUN}timout: 5m\n",
        f"{RUN}timeout: 5m\n",
    ),
    Code(
        "JOB031",
        "key is missing",
        "A job needs at least `name` and `run`.",
        "name: hello\nschedule: every 10m\n",
        f"{RUN}schedule: every 10m\n",
    ),
    Code(
        "JOB032",
        "wrong type",
        "Nothing is converted: `yes` is a text, `8080` is a number. An environment variable, a label and a umask are "
        "texts; quotes make one of a number.",
        f"{RUN}env: {{PORT: 8080}}\n",
        f'{RUN}env: {{PORT: "8080"}}\n',
    ),
    Code(
        "JOB033",
        "value not allowed",
        "The value has the right type and is out of bounds, or not one of the words that are known.",
        f"{RUN}dst: {{gap: run_befor}}\n",
        f"{RUN}dst: {{gap: run_after}}\n",
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
        f"{RUN}timeout: 5 minutes\n",
        f"{RUN}timeout: 5m\n",
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
        f"{RUN}schedule: '@daily'\nend_at: Christmas\n",
        f"{RUN}schedule: '@daily'\nend_at: 2030-12-24T18:00:00Z\n",
    ),
    Code(
        "JOB039",
        "parameter that nobody gives",
        "A job with a schedule or dependencies starts by itself, and then each of its parameters has its default. One "
        "without a default would keep it from ever running.",
        f"{RUN}schedule: every 10m\nparams: {{region: {{}}}}\n",
        f"{RUN}schedule: every 10m\nparams: {{region: {{default: north}}}}\n",
    ),
)
