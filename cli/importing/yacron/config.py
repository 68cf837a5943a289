"""A yacron configuration as it stands: files that include others, defaults, and jobs with both merged in.

Called by `reader`. Source: gjcarneiro/yacron, yacron/config.py (`mergedicts`, `parse_config_string`). Opens no file
itself: included ones come from a function.
"""

from __future__ import annotations

import os.path
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cli.importing.imported import SourceText
from cli.importing.nodes import (
    Fields,
    Items,
    Node,
    Scalar,
    Unexpected,
    fields_of,
    get,
    is_null,
    items_of,
    read_nodes,
    text_of,
)
from cli.importing.recognizing import help_for, not_yaml, system_of
from specs.diagnostic import Diagnostic

Load = Callable[[str], SourceText | None]
"""The file at a path; None when it cannot be read."""

DEFAULTS: dict[str, Any] = {
    "shell": "/bin/sh",
    "concurrencyPolicy": "Allow",
    "utc": "true",
    "timezone": None,
    "failsWhen": {"producesStdout": "false", "producesStderr": "true", "nonzeroReturn": "true", "always": "false"},
    "onFailure": {
        "retry": {"maximumRetries": "0", "initialDelay": "1", "maximumDelay": "300", "backoffMultiplier": "2"},
    },
    "environment": [],
    "env_file": None,
    "executionTimeout": None,
    "killTimeout": "30",
    "captureStderr": "true",
    "enabled": "true",
}
"""What a job has that nobody gave it. Reports, statsd and yacron's own log have no default that matters."""
_DEEPEST = 16


@dataclass(frozen=True, slots=True)
class ConfiguredJob:
    """One entry of `jobs`."""

    source: SourceText
    own: Fields
    """As it is written."""
    merged: Fields
    """With all defaults."""


@dataclass(slots=True)
class Config:
    """A file and all it includes."""

    jobs: list[ConfiguredJob] = field(default_factory=list)
    defaults: Fields | None = None
    unreadable: list[Diagnostic] = field(default_factory=list)
    sections: list[tuple[SourceText, str, Node]] = field(default_factory=list)
    """`web` and `logging`, which are not about jobs."""


def read_config(source: SourceText, load: Load, *, above: tuple[str, ...] = ()) -> Config:
    """The configuration of a file. `above`: the files that include it."""
    config = Config()
    if (stranger := not_yaml(source)) is not None:
        config.unreadable.append(stranger)
        return config
    documents, findings = read_nodes(source)
    config.unreadable += findings
    try:
        for document in documents[:1]:
            _add(config, source, document, load, above)
        if len(documents) > 1:
            raise Unexpected(documents[1], "yacron reads one document of a file", "delete the `---` or split the file")
    except Unexpected as error:
        config.unreadable.append(error.finding(source))
    return config


def _add(config: Config, source: SourceText, document: Node, load: Load, above: tuple[str, ...]) -> None:
    top = fields_of(document, "the configuration")
    if (
        top is None
        or system_of(top) in ("kubernetes", "term-llm")
        or not {"jobs", "defaults", "include", "web", "logging"} & set(top.entries)
    ):
        help = "it has `jobs`, `defaults`, `include`, `web` or `logging`"
        raise Unexpected(document, "this is no yacron configuration", help_for(document, help))
    for name, node in top.entries.items():
        if name in ("web", "logging"):
            config.sections.append((source, name, node))
        elif name not in ("jobs", "defaults", "include"):
            raise Unexpected(node, f"yacron has no section `{name}`", "jobs, defaults, include, web or logging")
    defaults = _made(DEFAULTS)
    assert isinstance(defaults, Fields)
    for node in items_of(get(top, "include"), "include"):
        included = _included(source, node, load, above)
        config.jobs += included.jobs
        config.unreadable += included.unreadable
        config.sections += included.sections
        if included.defaults is not None:
            defaults = merge(defaults, included.defaults)
    if (own := fields_of(get(top, "defaults"), "defaults")) is not None:
        defaults = merge(defaults, own)
    config.defaults = defaults
    for node in items_of(get(top, "jobs"), "jobs"):
        try:
            job = fields_of(node, "jobs")
            assert job is not None
            config.jobs.append(ConfiguredJob(source, job, merge(defaults, job)))
        except Unexpected as error:
            config.unreadable.append(error.finding(source))


def _included(source: SourceText, node: Node, load: Load, above: tuple[str, ...]) -> Config:
    name = text_of(node, "include") or ""
    folder = "" if source.path == "-" else os.path.dirname(source.path)
    path = os.path.normpath(os.path.join(folder, name))
    if path in above or path == os.path.normpath(source.path) or len(above) >= _DEEPEST:
        raise Unexpected(node, f"`{name}` is included by itself")
    found = load(path)
    if found is None:
        raise Unexpected(node, f"the included file {path} cannot be read", "run the import where its files are")
    return read_config(found, load, above=(*above, os.path.normpath(source.path)))


def merge(first: Fields, second: Fields) -> Fields:
    """`mergedicts`: mappings are merged, lists joined, everything else is the second's."""
    entries = dict(first.entries)
    for name, node in second.entries.items():
        before = entries.get(name)
        if isinstance(before, Fields) and isinstance(node, Fields):
            entries[name] = merge(before, node)
        elif isinstance(before, Fields) and is_null(node):
            continue
        elif isinstance(before, Items) and isinstance(node, Items):
            entries[name] = Items(line=node.line, column=node.column, path=node.path, items=before.items + node.items)
        else:
            entries[name] = node
    places = {**first.places, **second.places}
    return Fields(line=second.line, column=second.column, path=second.path, entries=entries, places=places)


def _made(value: Any) -> Node:
    """Nodes of a default, which stand nowhere: line 0."""
    if isinstance(value, Mapping):
        entries = {name: _made(each) for name, each in value.items()}
        return Fields(line=0, column=0, entries=entries, places={})
    if isinstance(value, list):
        return Items(line=0, column=0, items=tuple(map(_made, value)))
    return Scalar(line=0, column=0, text=value or "")
