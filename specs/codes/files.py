"""Codes about a file as a whole: can it be read, and what kind of documents are in it. Read through `specs.codes`."""

from __future__ import annotations

from specs.codes.code import RUN, Code

FILES = (
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
        f"{RUN}# a very, very long file\n",
        RUN,
        repeat=12_000,
    ),
    Code(
        "JOB003",
        "not UTF-8",
        "Spec files are UTF-8 text. The place is the first byte that cannot be.",
        f"{RUN}description: Café\n",
        f"{RUN}description: Café\n",
        encoding="latin-1",
    ),
    Code(
        "JOB004",
        "control or invisible character",
        "Control characters can drive a terminal, and invisible ones can show a reviewer another text than the one "
        "that runs. Where one is meant, it is written as an escape in double quotes. NUL cannot be given to a program.",
        f"{RUN}description: red \x1b[31m\n",
        f'{RUN}description: "red \\x1b[31m"\n',
    ),
    Code(
        "JOB005",
        "syntax error",
        "The file is not YAML (or JSON). Nothing of it is applied; the jobs it defined before go on.",
        'name: hello\nrun: {command: [echo, "hello]}\n',
        RUN,
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
        f"{RUN}description: !!str 12\n",
        f'{RUN}description: "12"\n',
    ),
    Code(
        "JOB008",
        "directive",
        "`%YAML` and `%TAG` change what the rest of a file means. Specs are YAML 1.2, always.",
        f"%YAML 1.1\n---\n{RUN}",
        f"---\n{RUN}",
    ),
    Code(
        "JOB009",
        "key given twice",
        "Of two equal keys one would win silently.",
        f"{RUN}timeout: 5m\ntimeout: 1h\n",
        f"{RUN}timeout: 1h\n",
    ),
    Code(
        "JOB010",
        "key is not a text",
        "A plain `1`, `true` or `null` is a number, a truth value, nothing. As a key it goes in quotes.",
        f"{RUN}labels: {{1: first}}\n",
        f'{RUN}labels: {{"1": first}}\n',
    ),
    Code(
        "JOB011",
        "nested too deep",
        "A document has at most 24 levels; no field needs more than five.",
        f"{RUN}tags: {'[' * 30}{']' * 30}\n",
        f"{RUN}tags: [nightly]\n",
    ),
    Code(
        "JOB012",
        "too many values",
        "A document has at most 20,000 values.",
        f"{RUN}tags:\n- a\n",
        f"{RUN}tags:\n- a\n",
        repeat=20_001,
    ),
    Code(
        "JOB013",
        "document is not a mapping",
        "A document is a mapping that begins with keys such as `name:`. Several jobs in one file are several "
        "documents, with `---` between them, not a list. The settings in `jobsctl.yaml` are one document.",
        "- name: hello\n  run: {command: [echo, hello]}\n",
        f"{RUN}---\nname: world\nrun: {{command: [echo, world]}}\n",
    ),
    Code(
        "JOB014",
        "number too long",
        "A number has at most 40 characters. A longer one is a text, and goes in quotes.",
        f"{RUN}grace: {'9' * 50}\n",
        f'{RUN}description: "{"9" * 50}"\n',
    ),
    Code(
        "JOB020",
        "not built yet",
        "jobsctl's design has this, this version does not. It is refused by name, so that nobody relies on it.",
        "name: hello\nrun: {type: container, image: alpine}\n",
        RUN,
    ),
    Code(
        "JOB021",
        "unknown kind",
        "`kind` says what a document is. It is `Job` when left out.",
        f"kind: Jobb\n{RUN}",
        f"kind: Job\n{RUN}",
    ),
)
