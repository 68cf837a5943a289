"""Which system a file is of, when it was handed to the importer of another. Called by the readers. Pure."""

from __future__ import annotations

import re

from cli.importing.imported import SourceText, unreadable
from cli.importing.nodes import Fields, Items, Node
from specs.diagnostic import Diagnostic

# Blanks, not white space: what can match in one way only is matched in linear time.
_ABOVE = r"(?:[ \t]*[#;].*\n|[ \t]*\n|[A-Z_]+[ \t]*=.*\n)*"
_SECTION = re.compile(rf"{_ABOVE}\[(?:Unit|Timer|Service|Install)\][ \t]*$", re.MULTILINE)
_ENTRY = re.compile(rf"{_ABOVE}[ \t]*(?:@[a-z]+|[0-9*][0-9*/,-]*[ \t]+[0-9*]\S*(?:[ \t]+[0-9A-Za-z*]\S*){{3}})[ \t]+\S")


def not_yaml(source: SourceText) -> Diagnostic | None:
    """The finding about a crontab or a unit file of systemd; None for anything else."""
    system = "systemd" if _SECTION.match(source.text) else "crontab" if _ENTRY.match(source.text) else None
    if system is None:
        return None
    return unreadable(source, 1, 1, f"this is a file for {system}", help=f"jobsctl import {system} FILE")


_YAML = (
    ("kubernetes", re.compile(r"^(?:- )?(?:apiVersion|kind):", re.MULTILINE)),
    ("term-llm", re.compile(r"""^[ \t{[-]*"?(?:runner_type|trigger_type)"?[ \t]*:""", re.MULTILINE)),
    ("yacron", re.compile(r"^jobs:[ \t]*$", re.MULTILINE)),
)


def not_crontab(source: SourceText) -> Diagnostic | None:
    """The finding about a file of another system; None when nothing speaks for any. For texts without a cron entry."""
    system = "systemd" if _SECTION.match(source.text) else None
    system = system or next((name for name, pattern in _YAML if pattern.search(source.text)), None)
    if system is None:
        return None
    return unreadable(source, 1, 1, f"this is a file for {system}", help=f"jobsctl import {system} FILE")


def help_for(node: Node, usual: str) -> str:
    """What to do with a document that the reader cannot use: the command that can, or what is expected here."""
    system = system_of(node)
    if system == "jobsctl":
        return "this is a job file of jobsctl already"
    return f"it looks like {system}: jobsctl import {system} FILE" if system else usual


def system_of(node: Node) -> str | None:
    """`kubernetes`, `yacron`, `term-llm`, or `jobsctl` for a job file of ours; None when nothing speaks for any."""
    if isinstance(node, Items):
        return system_of(node.items[0]) if node.items else None
    if not isinstance(node, Fields):
        return None
    keys = set(node.entries)
    if "runner_type" in keys or "trigger_type" in keys:
        return "term-llm"
    if {"name", "run"} <= keys:
        return "jobsctl"
    if {"apiVersion", "kind"} <= keys:
        return "kubernetes"
    for name in ("jobs", "data", "items"):
        if isinstance(members := node.entries.get(name), Items) and (found := system_of(members)):
            return found
    if keys & {"jobs", "include", "defaults"}:
        return "yacron"
    return "yacron" if {"name", "command", "schedule"} <= keys else None
