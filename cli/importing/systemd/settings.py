"""The settings of a `.service` that are not commands: user, folder, variables, limits, time limits, retries. Pure.

Source: systemd.service(5), systemd.exec(5), systemd.resource-control(5). Called by `service`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from cli.importing.imported import Level, Note
from cli.importing.systemd.spans import INFINITY, read_span, write_span
from cli.importing.systemd.unitfile import Setting, Unit
from cli.importing.systemd.words import BadCommand, specifiers, split
from specs.secrets import holds_secret

SANDBOX = re.compile(
    r"Protect\w+|Private\w+|Restrict\w+|NoNewPrivileges|Capability\w+|AmbientCapabilities|SystemCall\w+|ReadWritePaths|"
    r"ReadOnlyPaths|InaccessiblePaths|ExecPaths|NoExecPaths|BindPaths|BindReadOnlyPaths|MemoryDenyWriteExecute|"
    r"LockPersonality|RemoveIPC|DynamicUser|RootDirectory|RootImage|IPAddress\w+|DevicePolicy|DeviceAllow|TemporaryFileSystem|"
    r"SecureBits|KeyringMode|ProcSubset|NetworkNamespacePath"
)
_SILENT = frozenset(
    (
        "Type", "Description", "Documentation", "SyslogIdentifier", "KillMode", "KillSignal", "SendSIGKILL",
        "StandardInput", "Slice", "LogRateLimitIntervalSec", "LogRateLimitBurst",
    )
)  # fmt: skip
_EXIT_NAMES = {
    "SUCCESS": 0, "FAILURE": 1, "INVALIDARGUMENT": 2, "NOTIMPLEMENTED": 3, "NOPERMISSION": 4, "NOTINSTALLED": 5,
    "NOTCONFIGURED": 6, "NOTRUNNING": 7, "USAGE": 64, "DATAERR": 65, "NOINPUT": 66, "NOUSER": 67, "NOHOST": 68,
    "UNAVAILABLE": 69, "SOFTWARE": 70, "OSERR": 71, "OSFILE": 72, "CANTCREAT": 73, "IOERR": 74, "TEMPFAIL": 75,
    "PROTOCOL": 76, "NOPERM": 77, "CONFIG": 78,
}  # fmt: skip
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,255}")


@dataclass
class Draft:
    """A service on its way to a job."""

    unit: Unit
    user: str | None = None
    home: str | None = None
    run: dict[str, Any] = field(default_factory=dict)
    limits: dict[str, Any] = field(default_factory=dict)
    env: dict[str, Any] = field(default_factory=dict)
    tree: dict[str, Any] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    """`EnvironmentFile=` as written, with a `-` where it may be missing."""
    niceness: list[str] = field(default_factory=list)
    """Words before the command: `nice -n 10`, `ionice -c idle`."""
    notes: list[Note] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    """Lines above the job."""

    def note(self, level: Level, setting: Setting, why: str, hint: str | None = None) -> None:
        self.notes.append(Note(level, f"{setting.key}=", why, setting.origin, hint))

    def text(self, setting: Setting) -> str:
        """The value with its specifiers replaced."""
        value, unknown = specifiers(setting.value, self.unit, self.user, self.home)
        for each in dict.fromkeys(unknown):
            self.note("lost", setting, f"{each} is known to the running systemd only; it stands there as it is")
        return value


def read_settings(draft: Draft) -> None:
    """Every setting of [Service] but the commands; what is not carried over is noted with its reason."""
    _account(draft)
    _environment(draft)
    sandbox: list[Setting] = []
    for setting in draft.unit.keys("Service"):
        if SANDBOX.fullmatch(setting.key):
            sandbox += [setting] if setting.value.lower() not in ("no", "false", "0", "off") else []
        elif setting.key in _READERS:
            _READERS[setting.key](draft, setting)
        elif setting.key not in _HANDLED and setting.key not in _SILENT and not setting.key.startswith("Exec"):
            draft.note("lost", setting, _WHY.get(setting.key, "there is nothing like it in a job"))
    if sandbox:
        names = ", ".join(dict.fromkeys(each.key for each in sandbox))
        draft.notes.append(
            Note("lost", "the sandbox", f"{names}; jobsctl isolates by user and limits only", sandbox[0].origin,
                 "a container image can hold the program instead, or systemd-run can start it")
        )  # fmt: skip
    if draft.limits:
        draft.run["limits"] = draft.limits


def _account(draft: Draft) -> None:
    draft.run["working_dir"] = "/"
    folder = draft.unit.get("Service", "WorkingDirectory")
    if folder is not None:
        path = draft.text(folder).removeprefix("-")
        if path == "~" and draft.home is None:
            draft.note("changed", folder, "the home of its user is not known here", "set `run.working_dir`")
        else:
            draft.run["working_dir"] = draft.home if path == "~" else path
        if folder.value.startswith("-"):
            draft.note("changed", folder, "it may not be missing: the run fails then")
    for key, name in (("User", "user"), ("Group", "group")):
        setting = draft.unit.get("Service", key)
        if setting is not None:
            draft.run[name] = draft.text(setting)


def _environment(draft: Draft) -> None:
    for setting in draft.unit.all("Service", "Environment"):
        try:
            words = split(setting.value)
        except BadCommand as error:
            draft.note("lost", setting, f"it cannot be read: {error}")
            continue
        for word, _ in words:
            name, equals, value = word.partition("=")
            if not equals or not _VARIABLE.fullmatch(name):
                draft.note("lost", setting, f"{word!r} is no NAME=value")
                continue
            draft.env[name] = specifiers(value, draft.unit, draft.user, draft.home)[0]
            if holds_secret(name, value):
                draft.note("info", setting, f"{name} looks like a secret, and would stand in a repository in clear",
                           f"use `env: {{{name}: {{from_file: ...}}}}` or a credential")  # fmt: skip
    for setting in draft.unit.all("Service", "PassEnvironment"):
        for name in setting.value.split():
            if _VARIABLE.fullmatch(name):
                draft.env[name] = {"from_env": name}
            else:
                draft.note("lost", setting, f"{name!r} is no name of a variable")
    for setting in draft.unit.all("Service", "EnvironmentFile"):
        draft.files.append(draft.text(setting))
        draft.note("changed", setting, "the script reads the file as the shell does: with `$` replaced in values, and "
                   "quotes around blanks", "write its variables into `env:`, secrets as `from_file`")  # fmt: skip


def _umask(draft: Draft, setting: Setting) -> None:
    if re.fullmatch(r"0?[0-7]{3}", setting.value):
        draft.run["umask"] = setting.value
    else:
        draft.note("lost", setting, "an umask has three octal digits")


def _timeout(draft: Draft, setting: Setting) -> None:
    """`TimeoutStartSec=` limits the run of a oneshot, `RuntimeMaxSec=` that of the other types."""
    kind = draft.unit.get("Service", "Type")
    oneshot = kind is not None and kind.value == "oneshot"
    span = read_span(setting.value)
    if setting.key == "TimeoutStopSec" or (setting.key == "TimeoutSec" and span):
        if span and span != INFINITY:
            draft.tree["grace"] = write_span(span)
        if setting.key == "TimeoutStopSec":
            return
    if not span or span == INFINITY:
        return
    if oneshot != (setting.key == "RuntimeMaxSec"):
        draft.tree["timeout"] = write_span(span)
    else:
        what = "a oneshot has no time limit after its start" if oneshot else "it limits the start, which no job has"
        draft.note("info", setting, f"without effect on this job: {what}")


def _bytes(draft: Draft, setting: Setting) -> None:
    found = re.fullmatch(r"(\d+)([KMGT]?)", setting.value.upper())
    if found is not None:
        draft.limits["memory"] = f"{found[1]}{found[2]}i" if found[2] else int(found[1])
    elif setting.value != "infinity":
        draft.note("lost", setting, "a share of the machine's memory cannot be said; `limits.memory` has bytes")


def _cpu(draft: Draft, setting: Setting) -> None:
    found = re.fullmatch(r"(\d+)%", setting.value)
    if found is not None and int(found[1]):
        share = int(found[1]) / 100
        draft.limits["cpu"] = int(share) if share == int(share) else share


def _number(name: str) -> Any:
    def read(draft: Draft, setting: Setting) -> None:
        value = setting.value.rpartition(":")[2]
        if value.isdecimal() and int(value):
            draft.limits[name] = int(value)
        elif value != "infinity":
            draft.note("lost", setting, "only a number can be said")

    return read


def _nice(draft: Draft, setting: Setting) -> None:
    draft.niceness = ["nice", "-n", setting.value, *draft.niceness]


def _ionice(draft: Draft, setting: Setting) -> None:
    names = {"1": "realtime", "2": "best-effort", "3": "idle"}
    draft.niceness += ["ionice", "-c", names.get(setting.value, setting.value)]


def _ionice_level(draft: Draft, setting: Setting) -> None:
    level = setting.value
    if "ionice" in draft.niceness:
        draft.niceness += ["-n", level]
    else:
        draft.niceness += ["ionice", "-c", "best-effort", "-n", level]


def _restart(draft: Draft, setting: Setting) -> None:
    if setting.value == "no":
        return
    delay = draft.unit.get("Service", "RestartSec")
    span = (read_span(delay.value) if delay is not None else None) or 0.1
    span = min(span, 86_400)
    burst = draft.unit.get("Unit", "StartLimitBurst")
    attempts = int(burst.value) if burst is not None and burst.value.isdecimal() and int(burst.value) else 5
    draft.tree["retry"] = {"attempts": max(2, attempts), "delay": write_span(max(span, 0.1)), "jitter": 0}
    why = f"systemd starts it again without end, or {attempts} times in a while; here are {max(2, attempts)} attempts"
    if setting.value in ("always", "on-success"):
        why = (
            "after a success nothing is started again before the next slot; after a failure there are as many attempts"
        )
    draft.note("changed", setting, why)


def _success(draft: Draft, setting: Setting) -> None:
    codes = {0}
    for word in setting.value.split():
        code = int(word) if word.isdecimal() else _EXIT_NAMES.get(word.removeprefix("EX_"))
        if code is None or code > 255:
            draft.note("lost", setting, f"{word} is no exit code: a run that a signal ends has failed")
        else:
            codes.add(code)
    draft.tree["success_codes"] = sorted(codes)


def _output(draft: Draft, setting: Setting) -> None:
    if setting.value.startswith(("file:", "append:", "truncate:")):
        draft.note("changed", setting, "jobsctl keeps the output itself: see `jobsctl logs`",
                   f"redirect within a script where {setting.value.partition(':')[2]} is needed")  # fmt: skip


def _remain(draft: Draft, setting: Setting) -> None:
    if setting.value.lower() in ("1", "yes", "true", "on"):
        draft.note("changed", setting, "systemd takes it for active after it has ended, and does not start it again; "
                   "jobsctl runs every slot")  # fmt: skip


_READERS: dict[str, Any] = {
    "UMask": _umask,
    "TimeoutStartSec": _timeout, "TimeoutStopSec": _timeout, "TimeoutSec": _timeout, "RuntimeMaxSec": _timeout,
    "MemoryMax": _bytes, "MemoryLimit": _bytes,
    "CPUQuota": _cpu,
    "TasksMax": _number("pids"), "LimitNOFILE": _number("nofile"),
    "Nice": _nice, "IOSchedulingClass": _ionice, "IOSchedulingPriority": _ionice_level,
    "Restart": _restart,
    "SuccessExitStatus": _success,
    "StandardOutput": _output, "StandardError": _output,
    "RemainAfterExit": _remain,
}  # fmt: skip
_HANDLED = frozenset(
    [
        "User",
        "Group",
        "WorkingDirectory",
        "Environment",
        "EnvironmentFile",
        "PassEnvironment",
        "RestartSec",
        "StartLimitBurst",
    ]
)
_WHY = {
    "MemoryHigh": "jobsctl has one limit, `limits.memory`, past which the run is killed",
    "CPUWeight": "jobsctl shares the processors evenly; `limits.cpu` is a hard limit",
    "IOWeight": "jobsctl shares the disks evenly",
    "LoadCredential": "jobsctl hands secrets over as variables: `env: {NAME: {credential: ...}}`",
    "SetCredential": "jobsctl hands secrets over as variables: `env: {NAME: {from_file: ...}}`",
    "CPUSchedulingPolicy": "begin the command with `chrt`",
    "LoadCredentialEncrypted": "jobsctl hands secrets over as variables: `env: {NAME: {credential: ...}}`",
    "OOMScoreAdjust": "begin the command with `choom`",
    "PIDFile": "jobsctl follows the program it started, not a file",
    "UnsetEnvironment": "a job gets only the variables it names, and PATH, HOME, LANG and TZ",
    "StateDirectory": "jobsctl makes no folders for a job, but the run's own `$JOBSCTL_OUTPUT_DIR`",
    "RuntimeDirectory": "jobsctl makes no folders for a job, but the run's own `$JOBSCTL_OUTPUT_DIR`",
    "CacheDirectory": "jobsctl makes no folders for a job, but the run's own `$JOBSCTL_OUTPUT_DIR`",
    "LogsDirectory": "jobsctl makes no folders for a job; it keeps the output itself",
    "RestartPreventExitStatus": "say with `retry.exit_codes` which codes are tried again",
    "SupplementaryGroups": "a user's own groups are used",
}
