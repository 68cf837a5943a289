"""The Pod of a Job as a program: command, environment, limits, user; and what of a Pod has no place here.

Called by `jobs`. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from cli.importing.draft import Draft, as_script, placeholder
from cli.importing.kubernetes.quantities import write_cpu, write_memory
from cli.importing.nodes import Fields, Node, Unexpected, fields_of, get, items_of, text_of, truth_of, whole_of

_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,255}")
_CREDENTIAL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}")
_REFERENCE = re.compile(r"\$(\$|\(([A-Za-z_.-][A-Za-z0-9_.-]*)\))")
_GIVE = "give it as a systemd credential (LoadCredential=NAME:FILE), or write {from_file: path} or {from_env: NAME}"


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Of a Pod and its container: what is read here, and what means nothing without a cluster, or is its default anyway.
_POD_READ = words(
    "containers initContainers restartPolicy securityContext activeDeadlineSeconds terminationGracePeriodSeconds"
)
_POD_QUIET = words("dnsPolicy schedulerName imagePullSecrets enableServiceLinks preemptionPolicy volumes")
_POD_LOST = words(
    "serviceAccountName serviceAccount automountServiceAccountToken nodeSelector nodeName affinity tolerations "
    "topologySpreadConstraints priorityClassName priority hostNetwork hostPID hostIPC hostAliases hostUsers hostname "
    "subdomain dnsConfig runtimeClassName shareProcessNamespace overhead os readinessGates resourceClaims "
    "schedulingGates setHostnameAsFQDN ephemeralContainers resources"
)
_CONTAINER_READ = words("name image command args env envFrom workingDir resources securityContext volumeMounts")
_CONTAINER_QUIET = words("imagePullPolicy terminationMessagePath terminationMessagePolicy ports stdin stdinOnce tty")
_CONTAINER_LOST = words("livenessProbe readinessProbe startupProbe lifecycle volumeDevices resizePolicy restartPolicy")
_SECURITY_READ = frozenset(["runAsUser", "runAsGroup"])
_SECURITY_QUIET = words(
    "runAsNonRoot allowPrivilegeEscalation readOnlyRootFilesystem capabilities seccompProfile fsGroupChangePolicy "
    "seLinuxOptions procMount appArmorProfile windowsOptions"
)


@dataclass(frozen=True, slots=True)
class Config:
    """ConfigMaps and Secrets among the documents, by `namespace/name`."""

    maps: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    secrets: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The keys only: a value would end up in the repository."""


def add_program(draft: Draft, pod: Fields, namespace: str, config: Config) -> None:
    """Fill `run` and `env` from a Pod's spec, and say what was left out. Raises Unexpected."""
    containers = [fields_of(each, "containers") for each in items_of(get(pod, "containers"), "containers")]
    container = containers[0] if containers else None
    if container is None:
        raise Unexpected(pod, "the Pod has no `containers`", "a Job needs one container at least")
    image = text_of(get(container, "image"), "image") or "none"
    draft.suspended.append(
        f"it ran in the container image {image}, and containers cannot be run yet: make its program work on this "
        "machine, then delete this"
    )
    draft.note(
        "lost",
        "image",
        "jobsctl cannot run containers yet: the job is written with its program, and suspended",
        get(container, "image") or container,
        hint="install the program on this machine, look at paths and user, and delete `suspend`",
    )
    environment = _Environment(draft, namespace, config)
    environment.read(container)
    _add_command(draft, container, image, environment)
    if environment.made:
        draft.tree["env"] = environment.made
        draft.warn_of_secrets(get(container, "env") or container)
    if (directory := text_of(get(container, "workingDir"), "workingDir")) is not None:
        draft.run()["working_dir"] = directory
    _add_limits(draft, container)
    _add_user(draft, pod, container)
    _say_the_rest(draft, pod, container, len(containers))


def _add_command(draft: Draft, container: Fields, image: str, environment: _Environment) -> None:
    node = get(container, "command")
    command = [text_of(each, "command") or "" for each in items_of(node, "command")]
    args = [text_of(each, "args") or "" for each in items_of(get(container, "args"), "args")]
    command, args = ([environment.expand(each, container) for each in texts] for texts in (command, args))
    if command:
        draft.run().update(as_script([*command, *args]))
        return
    given = f" with the arguments: {' '.join(args)}" if args else ""
    given = " ".join(given.split())[:600]
    draft.run().update(placeholder(f"{draft.tree['name']}: write here what the image {image} runs {given}".strip()))
    draft.note(
        "lost",
        "command",
        "there is none: the container runs the entrypoint of its image, which the manifest does not say",
        container,
        hint=f"see `docker image inspect {image} --format '{{{{.Config.Entrypoint}}}} {{{{.Config.Cmd}}}}'`",
    )


class _Environment:
    """`env` and `envFrom`, with `$(NAME)` expanded as the kubelet does where the value is known."""

    def __init__(self, draft: Draft, namespace: str, config: Config) -> None:
        self.draft, self.namespace, self.config = draft, namespace, config
        self.made: dict[str, str | dict[str, str]] = {}

    def read(self, container: Fields) -> None:
        for node in items_of(get(container, "envFrom"), "envFrom"):
            if (source := fields_of(node, "envFrom")) is not None:
                self._add_all(source)
        for node in items_of(get(container, "env"), "env"):
            if (entry := fields_of(node, "env")) is not None:
                self._add(entry)

    def expand(self, text: str, node: Node) -> str:
        """`$(NAME)` of a variable with a known value; `$$` stands for one dollar.

        Source: k8s.io/kubernetes third_party/forked/golang/expansion/expand.go.
        """
        unknown: list[str] = []

        def value(found: re.Match[str]) -> str:
            if found[1] == "$":
                return "$"
            known = self.made.get(found[2])
            if isinstance(known, str):
                return known
            if known is not None:
                unknown.append(found[0])
            return found[0]

        made = _REFERENCE.sub(value, text)
        if unknown:
            why = "Kubernetes puts the value of the variable there; here its text stays"
            self.draft.note("lost", ", ".join(unknown), why, node, hint="let a shell do it, as `${NAME}`")
        return made

    def _add(self, entry: Fields) -> None:
        name = text_of(get(entry, "name"), "env.name") or ""
        if not _ENV_NAME.fullmatch(name):
            self.draft.note("lost", f"env {name}", "a variable's name has letters, digits and `_` here", entry)
            return
        source = fields_of(get(entry, "valueFrom"), "valueFrom")
        if source is None:
            value = entry.entries.get("value")
            self.made[name] = self.expand(text_of(value, "value") or "", entry) if value is not None else ""
            return
        for kind, add in (
            ("secretKeyRef", self._secret),
            ("configMapKeyRef", self._config),
            ("fieldRef", self._field),
        ):
            if (reference := fields_of(get(source, kind), kind)) is not None:
                add(name, reference)
                return
        kinds = ", ".join(source.entries) or "valueFrom"
        self.draft.note("lost", f"{kinds} of {name}", "only the cluster knows the value", entry)

    def _secret(self, name: str, reference: Fields) -> None:
        credential = f"{text_of(get(reference, 'name'), 'name')}.{text_of(get(reference, 'key'), 'key')}"
        if not _CREDENTIAL.fullmatch(credential):
            credential = name
        self.made[name] = {"credential": credential}
        why = "a secret of the cluster is a credential of the same name here; without it the run does not start"
        if truth_of(get(reference, "optional"), "optional"):
            why += " (it was optional: delete the variable where there is none)"
        self.draft.note("changed", "secretKeyRef", why, reference, hint=_GIVE)

    def _config(self, name: str, reference: Fields) -> None:
        wanted = text_of(get(reference, "name"), "name") or ""
        key = text_of(get(reference, "key"), "key") or ""
        known = self.config.maps.get(f"{self.namespace}/{wanted}", {}).get(key)
        if known is not None:
            self.made[name] = known
            return
        self.made[name] = {"from_env": name}
        why = "the value is in a ConfigMap that is not among the files; it is taken from the daemon's environment"
        self.draft.note(
            "changed", "configMapKeyRef", why, reference, hint="write the value, or import the ConfigMap too"
        )

    def _field(self, name: str, reference: Fields) -> None:
        path = text_of(get(reference, "fieldPath"), "fieldPath") or ""
        if path == "metadata.namespace":
            self.made[name] = self.namespace
            return
        hint = "$JOBSCTL_RUN_ID names a run here" if path in ("metadata.name", "metadata.uid") else None
        self.draft.note("lost", f"{path} in {name}", "there is no Pod whose field it is", reference, hint=hint)

    def _add_all(self, source: Fields) -> None:
        prefix = text_of(get(source, "prefix"), "prefix") or ""
        if (reference := fields_of(get(source, "configMapRef"), "configMapRef")) is not None:
            what = text_of(get(reference, "name"), "name") or ""
            known = self.config.maps.get(f"{self.namespace}/{what}")
            if known is not None:
                self.made.update(
                    {prefix + key: value for key, value in known.items() if _ENV_NAME.fullmatch(prefix + key)}
                )
            else:
                why = "its keys are not known: the ConfigMap is not among the files"
                hint = "add its variables to `env`, or import the ConfigMap with the CronJob"
                self.draft.note("lost", f"envFrom ConfigMap {what}", why, reference, hint=hint)
        if (reference := fields_of(get(source, "secretRef"), "secretRef")) is not None:
            what = text_of(get(reference, "name"), "name") or ""
            keys = self.config.secrets.get(f"{self.namespace}/{what}")
            usable = sorted(key for key in keys or () if _ENV_NAME.fullmatch(prefix + key))
            if usable and all(_CREDENTIAL.fullmatch(f"{what}.{key}") for key in usable):
                self.made.update({prefix + key: {"credential": f"{what}.{key}"} for key in usable})
                why = "secrets of the cluster are credentials of the same names here"
                self.draft.note("changed", f"envFrom Secret {what}", why, reference, hint=_GIVE)
            else:
                why = "its keys are not known: only the cluster has the Secret"
                hint = "add each variable to `env`, as NAME: {credential: name}"
                self.draft.note("lost", f"envFrom Secret {what}", why, reference, hint=hint)


def _add_limits(draft: Draft, container: Fields) -> None:
    limits = fields_of(get(fields_of(get(container, "resources"), "resources"), "limits"), "limits")
    if limits is None:
        return
    made: dict[str, str | int | float] = {}
    for name, node in limits.entries.items():
        text = text_of(node, name) or ""
        written = write_memory(text) if name == "memory" else write_cpu(text) if name == "cpu" else None
        if written is not None:
            made[name] = written
        elif name in ("memory", "cpu"):
            raise Unexpected(node, f"`{text}` is no amount", "like 512Mi of memory, 500m or 2 of cpu")
        else:
            draft.note("lost", f"limits.{name}", "there is no such limit here", node)
    if made:
        draft.run()["limits"] = made


def _add_user(draft: Draft, pod: Fields, container: Fields) -> None:
    own = fields_of(get(container, "securityContext"), "securityContext")
    shared = fields_of(get(pod, "securityContext"), "securityContext")
    for name, ours in (("runAsUser", "user"), ("runAsGroup", "group")):
        number = whole_of(get(own, name) or get(shared, name), name)
        if number is not None:
            draft.run()[ours] = str(number)
    others = [name for context in (own, shared) if context is not None for name in context.entries]
    others = [name for name in dict.fromkeys(others) if name not in _SECURITY_READ | _SECURITY_QUIET]
    if others and (own or shared):
        why = "a program of this machine has no such settings"
        draft.note("lost", f"securityContext {', '.join(others)}", why, own or shared)


def _say_the_rest(draft: Draft, pod: Fields, container: Fields, containers: int) -> None:
    if containers > 1:
        why = "the first container is the job; the others are left out, and would have to be jobs of their own"
        draft.note("lost", "containers", why, get(pod, "containers"))
    if items_of(get(pod, "initContainers"), "initContainers"):
        why = "what runs before the program is left out"
        hint = "put it before the program in one script, or make it a job that this one `depends_on`"
        draft.note("lost", "initContainers", why, get(pod, "initContainers"), hint=hint)
    mounts = [fields_of(each, "volumeMounts") for each in items_of(get(container, "volumeMounts"), "volumeMounts")]
    paths = [text_of(get(mount, "mountPath"), "mountPath") or "" for mount in mounts]
    if paths:
        why = "what the cluster mounts is not there on this machine"
        draft.note("lost", f"volumes at {', '.join(paths)}", why, get(container, "volumeMounts"), hint="put it there")
    for fields, read, quiet, lost, what in (
        (pod, _POD_READ, _POD_QUIET, _POD_LOST, "a Pod"),
        (container, _CONTAINER_READ, _CONTAINER_QUIET, _CONTAINER_LOST, "a container"),
    ):
        say_lost(draft, fields, lost, f"means something to {what} only")
        say_unknown(draft, fields, read | quiet | lost, what)


def say_lost(draft: Draft, fields: Fields, names: frozenset[str], why: str) -> None:
    """One note about the fields of `names` that are there."""
    found = [name for name in fields.entries if name in names and get(fields, name) is not None]
    if found:
        draft.note("lost", ", ".join(found), why, fields.entries[found[0]])


def say_unknown(draft: Draft, fields: Fields, known: frozenset[str], what: str) -> None:
    """One note about the fields that Kubernetes has not."""
    found = [name for name in fields.entries if name not in known]
    if found:
        why = f"not a field of {what}: Kubernetes ignores it too, or refuses the document"
        draft.note("lost", ", ".join(found), why, fields.entries[found[0]])
