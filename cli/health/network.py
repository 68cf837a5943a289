"""Where the daemon serves HTTP, and who can reach it; the systemd unit that keeps it running."""

from __future__ import annotations

import errno
import os
import re
import shlex
import socket
from collections.abc import Iterator
from pathlib import Path

import orjson

from cli.health.finding import Check, Finding, Patient, ok, problem, warning


def check_port(patient: Patient) -> Iterator[Finding]:
    """Whether HTTP is served where the settings say, by us, and to whom."""
    http = patient.config.http
    if http is None or patient.config_error:
        return
    host, _, port = http.listen.rpartition(":")
    host = host.strip("[]")
    served = _served(patient)
    if patient.alive:
        listen = patient.heartbeat.text("listen") if patient.heartbeat else None
        if served is None and listen is None and _taken(host, int(port)):
            yield problem(
                f"HTTP is not served: another program listens on {http.listen}",
                "set another `http.listen` in jobsctl.yaml, or end that program; then restart the daemon",
            )
        elif served is None:
            yield warning("HTTP is not served yet, or not wanted by this daemon", "its log says why (--listen none?)")
        else:
            yield ok(f"HTTP on {served}")
    elif port != "0" and _taken(host, int(port)):
        yield warning(f"another program listens on {http.listen}", "set another `http.listen` in jobsctl.yaml")
    if host not in ("localhost", "::1") and not host.startswith("127."):
        yield warning(
            f"HTTP listens on {http.listen}: whoever reaches it reads every job's runs and output, without a password",
            "listen on 127.0.0.1 and let a proxy ask who it is",
        )


def _served(patient: Patient) -> str | None:
    try:
        said = orjson.loads(patient.home.http.read_bytes())
    except (OSError, ValueError):
        return None
    return str(said.get("listen") or said.get("url") or said) if isinstance(said, dict) else None


def _taken(host: str, port: int) -> bool:
    """Whether an address cannot be had. Binds it for a moment, without listening."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as there:
        there.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            there.bind((host, port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def check_unit(patient: Patient) -> Iterator[Finding]:
    """A systemd unit for this home: what it starts is there, it starts at boot, and runs survive a restart."""
    for unit in _units(patient):
        # Drop-ins come after it, and the last word counts (systemd.unit(5)).
        parts = [unit, *sorted(unit.with_name(f"{unit.name}.d").glob("*.conf"))]
        text = "\n".join(map(patient.text, parts))
        settings = dict(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE))
        command = shlex.split(settings.get("ExecStart", ""))
        program = command[0].lstrip("-@:+!") if command else ""
        if not program or not os.access(program, os.X_OK):
            yield problem(f"{unit} starts {program or 'nothing'}, which is not there", "mend ExecStart=")
        if settings.get("KillMode") not in ("process", "none"):
            yield problem(
                f"{unit} has no KillMode=process: each restart of the service kills what runs", "add KillMode=process"
            )
        if not any((unit.parent / wants / unit.name).is_symlink() for wants in _WANTS):
            yield warning(f"{unit.name} is not started at boot", f"systemctl enable {unit.name}")
        yield ok(f"{unit} is there")


_WANTS = ("multi-user.target.wants", "default.target.wants")


def _units(patient: Patient) -> list[Path]:
    """Units that start a jobsctl daemon, of the machine and of this user."""
    folders = [patient.etc / "systemd/system"]
    if "HOME" in os.environ and patient.etc == Path("/etc"):
        folders.append(Path(os.environ["HOME"], ".config/systemd/user"))
    found = []
    for folder in folders:
        for unit in sorted(folder.glob("*.service")):
            if re.search(r"^ExecStart=.*jobsctl.*\bdaemon\b", patient.text(unit), re.MULTILINE):
                found.append(unit)
    return found


CHECKS = (
    Check("http", "whether HTTP is served where jobsctl.yaml says, and who can reach it", check_port),
    Check("unit", "systemd units that start jobsctl: program, KillMode, started at boot", check_unit),
)
