"""A job while a reader works on it: its tree, and what is said about it.

Called by the readers of systems that write YAML. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cli.importing.cronfields import Meaning, write_schedule
from cli.importing.imported import Imported, Level, Note, Origin, Rule, SourceText, Tree
from cli.importing.nodes import Fields, Node, comment_above, comment_beside
from specs.secrets import holds_secret


@dataclass
class Draft:
    """One job, and the file it is from."""

    source: SourceText
    node: Node
    """Where the job begins: the place of notes that have none of their own."""
    tree: dict[str, Any] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    remarks: dict[tuple[str, ...], str] = field(default_factory=dict)
    rule: Rule | None = None
    no_rule: str = ""
    documents: list[Tree] = field(default_factory=list)
    """What it needs besides itself."""
    suspended: list[str] = field(default_factory=list)
    """Reasons why it must not run yet, each a clause."""

    def note(self, level: Level, what: str, why: str, node: Node | None = None, *, hint: str | None = None) -> None:
        """Say something, at `node` or where the job begins. The same words about the same line are said once."""
        at = node if node is not None and node.line else self.node
        made = Note(level, what, why, Origin(at.path or self.source.path, at.line), hint)
        if made not in self.notes:
            self.notes.append(made)

    def remark(self, name: str, fields: Fields, node: Node, key: str = "schedule") -> None:
        """Keep what is commented above and beside `key` of `fields` as a comment above the field `name`."""
        above = comment_above(self.source, fields.places[key][0]) if key in fields.places else ""
        if name in self.tree and (text := "\n".join(filter(None, [above, comment_beside(self.source, node)]))):
            self.remarks[(name,)] = text

    def add_times(self, system: str, original: str, meaning: Meaning, zone: str, node: Node) -> None:
        """The schedule of a system that follows the wall clock. `original`: its five fields."""
        if not meaning.ever():
            why = f"it never comes, and {system} never starts it: the job has no schedule"
            self.note("changed", original, why, node)
            return
        written = write_schedule(original.replace("?", "*"), meaning, zone, self.tree["name"])
        self.tree.update(written.fields)
        schedule = written.fields["schedule"]
        if written.calendar is not None:
            self.documents.append(written.calendar)
            why = f"{system} wants both day fields to match: the schedule has the one, a calendar the other"
            self.note(
                "info", original, why, node, hint="slots on other days are recorded as skipped, reason `calendar`"
            )
        elif schedule != " ".join(original.split()):
            self.note("info", original, f"written as `{schedule}`, which means here what {system} means by it", node)
        if "dst" in written.fields:
            why = (
                f"{system} skips times in the hour lost in spring, and runs those of the repeated one twice: `dst` too"
            )
            self.note("info", "timezone", why, node, hint="delete `dst` to run exactly once on those nights")

    def run(self) -> dict[str, Any]:
        """The `run` of the tree, made when it is not there."""
        made: dict[str, Any] = self.tree.setdefault("run", {})
        return made

    def warn_of_secrets(self, node: Node) -> None:
        """Say which variables hold what looks like a secret: it stands in the job file in clear, and is committed."""
        plain = {name: value for name, value in self.tree.get("env", {}).items() if isinstance(value, str)}
        if names := [name for name, value in plain.items() if holds_secret(name, value)]:
            self.note(
                "changed",
                ", ".join(names),
                "what looks like a secret was copied in clear",
                node,
                hint="write `{from_env: NAME}`, `{from_file: path}` or `{credential: name}` instead of the value",
            )

    def done(self) -> Imported:
        """The job as the others need it."""
        if self.suspended:
            self.tree["suspend"] = {"reason": "; ".join(self.suspended)}
        self.remarks = {path: text for path, text in self.remarks.items() if path[0] in self.tree}
        return Imported(
            self.tree,
            Origin(self.source.path, self.node.line),
            rule=self.rule,
            no_rule=self.no_rule,
            notes=tuple(self.notes),
            comments=tuple(self.comments),
            remarks=self.remarks,
            documents=tuple(self.documents),
        )


def placeholder(message: str) -> dict[str, str]:
    """A `run` that does nothing but fail, and says why: where the program is not known. `message` is one line."""
    quoted = message.replace("'", "'\\''")
    return {"script": f"echo '{quoted}' >&2\nexit 78\n"}


def as_script(command: list[str]) -> dict[str, Any]:
    """`run` of an argv: a script of several lines for a shell is written as one, which can be read."""
    shells = ("sh", "bash", "dash", "ash", "ksh", "zsh")
    if len(command) < 3 or "\n" not in command[-1].strip("\n") or command[0].rpartition("/")[2] not in shells:
        return {"command": command}
    *before, flags, text = command
    if not (flags.startswith("-") and flags.endswith("c") and not flags.startswith("--")):
        return {"command": command}
    if any(not each.startswith(("-", "+")) for each in before[1:-1]) or (len(before) > 1 and before[-1] == "--"):
        return {"command": command}
    others = [flags[:-1]] if len(flags) > 2 else []
    shell = before[0] if before[0].startswith("/") else f"/bin/{before[0]}"
    return {"script": text if text.endswith("\n") else text + "\n", "interpreter": [shell, *before[1:], *others]}
