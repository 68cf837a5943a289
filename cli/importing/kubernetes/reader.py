"""From manifests to jobs: which documents are CronJobs and Jobs, and what else they need of the stream.

Called by the subcommand. Opens no file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cli.importing.draft import Draft
from cli.importing.imported import Import, Imported, Note, Origin, SourceText, unreadable
from cli.importing.kubernetes.container import Config
from cli.importing.kubernetes.jobs import ENVSUBST, HELM, add_cron_job, add_job, add_metadata
from cli.importing.naming import Names, slug
from cli.importing.nodes import (
    Fields,
    Items,
    Node,
    Scalar,
    Unexpected,
    comment_above,
    fields_of,
    get,
    read_nodes,
    text_of,
)
from cli.importing.recognizing import help_for, not_yaml
from specs.diagnostic import Diagnostic

_MARK = re.compile(r"\{\{")
_GROUPS = ("batch/v1", "batch/v1beta1", "batch/v2alpha1")
_LISTS = ("List", "CronJobList", "JobList", "ConfigMapList", "SecretList")
_RENDERED_ELSEWHERE = {
    "Kustomization": "build it first: kubectl kustomize DIR | jobsctl import kubernetes -",
    "Template": "process it first: oc process -f FILE | jobsctl import kubernetes -",
}


@dataclass(frozen=True, slots=True)
class _Object:
    """One Kubernetes object of a stream."""

    source: SourceText
    fields: Fields
    kind: str
    api: str
    name: str
    namespace: str

    @property
    def is_job(self) -> bool:
        return self.kind in ("CronJob", "Job") and self.api in _GROUPS

    @property
    def identity(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


def read_kubernetes(sources: Sequence[SourceText], *, zone: str | None) -> Import:
    """The jobs of all files, which are read as one stream: a ConfigMap of one serves the CronJobs of another.

    `zone`: of the cluster's controller, when somebody said it.
    """
    reader = _Reader(zone)
    for source in sources:
        reader.add(source)
    return reader.result()


class _Reader:
    def __init__(self, zone: str | None) -> None:
        self.zone = zone
        self.objects: list[_Object] = []
        self.unreadable: list[Diagnostic] = []
        self.notes: list[Note] = []
        self.names = Names()

    def add(self, source: SourceText) -> None:
        """One file. What is wrong with a part of it is noted, and the rest is read."""
        if (stranger := not_yaml(source)) is not None:
            self.unreadable.append(stranger)
            return
        documents, findings = read_nodes(source)
        self.unreadable += [_explained(source, finding) for finding in findings]
        if not documents and not findings:
            self.unreadable.append(
                unreadable(source, 1, 1, "there is nothing in it", help="name a file with manifests")
            )
        for document in documents:
            for node in _flat(document):
                try:
                    self.objects.append(_object(source, node))
                except Unexpected as error:
                    self.unreadable.append(error.finding(source))

    def result(self) -> Import:
        """All jobs, in the order of the files."""
        wanted = [each for each in self.objects if each.is_job]
        config = _config(self.objects)
        others: dict[str, list[_Object]] = {}
        for each in self.objects:
            if not each.is_job and each.kind not in ("ConfigMap", "Secret"):
                others.setdefault(each.kind, []).append(each)
        for kind, found in others.items():
            self._leave_out(kind, found)
        latest = {each.identity: each for each in wanted}
        jobs: list[Imported] = []
        for each in wanted:
            if latest[each.identity] is not each:
                why = f"there is a later {each.identity}, and `kubectl apply` lets the last one win"
                self._note(each, "lost", each.identity, why)
            elif _owner(each) == "CronJob":
                why = "a CronJob made this Job: it is one of its runs"
                self._note(each, "info", each.identity, why)
            elif (job := self._job(each, config)) is not None:
                jobs.append(job)
        if not jobs and not self.unreadable and self.objects:
            first = self.objects[0]
            self._note(first, "lost", "no jobs", "there is no CronJob and no Job in these files")
        return Import(tuple(jobs), tuple(self.unreadable), tuple(self.notes))

    def _leave_out(self, kind: str, found: list[_Object]) -> None:
        first = found[0]
        if kind in ("CronJob", "Job"):
            why = f"its apiVersion is {first.api}, and Kubernetes' own is batch/v1: it was left out"
            self._note(first, "lost", f"{kind} {first.name}", why)
            return
        names = ", ".join(each.name for each in found[:3]) + (", ..." if len(found) > 3 else "")
        self._note(first, "info", f"{kind} {names}", "not a CronJob or a Job: it was left out")

    def _note(self, each: _Object, level: str, what: str, why: str) -> None:
        made = Note("lost" if level == "lost" else "info", what, why, Origin(each.source.path, each.fields.line))
        self.notes.append(made)

    def _job(self, each: _Object, config: Config) -> Imported | None:
        project = slug(each.namespace)
        name = self.names.take(each.name, f"{each.name}-{project}")
        draft = Draft(each.source, each.fields, {"name": name})
        if project not in ("", "default"):
            draft.tree["project"] = project
        if name != each.name:
            taken = "another job has its name" if name != slug(each.name) else "names here have a-z, 0-9 and `-`"
            draft.note("changed", each.name, f"named {name}: {taken}")
        comment = comment_above(each.source, each.fields.line)
        if comment:
            draft.tree["description"] = comment[:4096]
        try:
            add_metadata(draft, fields_of(get(each.fields, "metadata"), "metadata"))
            if each.kind == "CronJob":
                add_cron_job(draft, each.fields, each.namespace, self.zone, config)
            else:
                add_job(draft, each.fields, each.namespace, config)
        except Unexpected as error:
            self.unreadable.append(error.finding(each.source))
            return None
        return draft.done()


def _explained(source: SourceText, finding: Diagnostic) -> Diagnostic:
    """A file that is no YAML because it is a template: say so, at the first mark of one."""
    if (mark := _MARK.search(source.text)) is None:
        return finding
    line = source.text.count("\n", 0, mark.start()) + 1
    column = mark.start() - (source.text.rfind("\n", 0, mark.start()) + 1) + 1
    return unreadable(source, line, column, "this is a Helm template, not a manifest", help=HELM, end=column + 2)


def _flat(document: Node) -> Iterator[Node]:
    """The document, or the items of a list of objects."""
    if isinstance(document, Fields) and text_of(_scalar(document, "kind"), "kind") in _LISTS:
        node = document.entries.get("items")
        yield from node.items if isinstance(node, Items) else ()
        return
    yield document


def _scalar(fields: Fields, name: str) -> Node | None:
    node = get(fields, name)
    return None if isinstance(node, Fields | Items) else node


def _object(source: SourceText, node: Node) -> _Object:
    """Raises Unexpected for what is no Kubernetes object."""
    fields = fields_of(node, "a manifest")
    kind = None if fields is None else text_of(get(fields, "kind"), "kind")
    if fields is None or kind is None:
        kustomize = fields is not None and {"resources", "bases", "patches", "images"} & set(fields.entries)
        usual = help_for(node, "a manifest has `apiVersion`, `kind` and `metadata`")
        help = _RENDERED_ELSEWHERE["Kustomization"] if kustomize else usual
        raise Unexpected(node, "this is no Kubernetes manifest: it has no `kind`", help)
    if kind in _RENDERED_ELSEWHERE:
        raise Unexpected(node, f"a {kind} is made into manifests by another tool", _RENDERED_ELSEWHERE[kind])
    if kind in _LISTS:
        raise Unexpected(node, "a list within a list", "write its items out")
    metadata = fields_of(get(fields, "metadata"), "metadata")
    name_node = get(metadata, "name") or get(metadata, "generateName")
    name = (text_of(name_node, "name") or "").rstrip("-")
    if not name and kind in ("CronJob", "Job"):
        raise Unexpected(metadata or fields, f"the {kind} has no `metadata.name`")
    namespace_node = get(metadata, "namespace")
    namespace = text_of(namespace_node, "namespace") or "default"
    for each, text in ((name_node, name), (namespace_node, namespace)):
        if each is not None and kind in ("CronJob", "Job") and re.search(r"\{\{|\$\{?[A-Za-z_]", text):
            helm = "{{" in text
            message = f"`{text}` is a Helm template" if helm else f"`{text}` is not filled in"
            raise Unexpected(each, message, HELM if helm else ENVSUBST)
    return _Object(source, fields, kind, text_of(get(fields, "apiVersion"), "apiVersion") or "", name, namespace)


def _owner(each: _Object) -> str | None:
    """The kind of the object that made this one."""
    metadata = each.fields.entries.get("metadata")
    references = metadata.entries.get("ownerReferences") if isinstance(metadata, Fields) else None
    for node in references.items if isinstance(references, Items) else ():
        if isinstance(node, Fields) and isinstance(kind := node.entries.get("kind"), Scalar):
            return kind.text
    return None


def _config(objects: Sequence[_Object]) -> Config:
    maps: dict[str, Mapping[str, str]] = {}
    secrets: dict[str, frozenset[str]] = {}
    for each in objects:
        tables = [each.fields.entries.get(name) for name in ("data", "stringData")]
        found = [table for table in tables if isinstance(table, Fields)]
        if each.kind == "ConfigMap":
            maps[f"{each.namespace}/{each.name}"] = {
                key: value.text for table in found for key, value in table.entries.items() if isinstance(value, Scalar)
            }
        elif each.kind == "Secret":
            secrets[f"{each.namespace}/{each.name}"] = frozenset(key for table in found for key in table.entries)
    return Config(maps, secrets)
