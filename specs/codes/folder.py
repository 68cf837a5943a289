"""Codes about the specs directory and the files in it, as the file system has them. Read through `specs.codes`."""

from __future__ import annotations

from specs.codes.code import Code

FOLDER = (
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
