"""Codes about what only several documents together show. Read through `specs.codes`."""

from __future__ import annotations

from specs.codes.code import RUN, Code

SHARED = (
    Code(
        "JOB050",
        "defined twice",
        "Two documents have the same project and name, in one file or in two. Neither is applied: which one was meant "
        "cannot be known. The last good version goes on.",
        f"{RUN}---\n{RUN}",
        f"{RUN}---\nproject: other\n{RUN}",
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
        f"{RUN}depends_on: [hello]\n",
        f"{RUN}depends_on: [{{job: world}}]\n",
    ),
    Code(
        "JOB053",
        "cannot be renamed from this",
        "`renamed_from` moves the history of a job that is no longer in any file to its new name, once.",
        f"{RUN}renamed_from: hello\n",
        f"{RUN}renamed_from: good-morning\n",
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
)
