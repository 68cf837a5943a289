"""Where the daemon serves HTTP, and who can reach it; the systemd unit that keeps it running."""

from __future__ import annotations

import errno
import os
import re
import shlex
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import orjson

from cli.health.finding import Check, Finding, Patient, ok, problem, warning
from specs.config import is_loopback
from status.server.tokens import parse_tokens, read_tokens, wrong_lines


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
    if http.tokens is None and not is_loopback(http.listen):
        said = "" if http.insecure else "; the daemon refuses to start so"
        yield warning(
            f"HTTP listens on {http.listen}: whoever reaches it reads all runs and output without a token{said}",
            "set `http.tokens: tokens` and make one with `jobsctl token create NAME`, or listen on 127.0.0.1",
        )


def check_tokens(patient: Patient) -> Iterator[Finding]:
    """The file of tokens: there, readable to the daemon, writable to nobody else, every line understood."""
    http = patient.config.http
    if http is None or http.tokens is None or patient.config_error:
        return
    path = patient.home.root / http.tokens
    try:
        text, status = read_tokens(path), path.stat()
    except FileNotFoundError:
        yield warning(f"{path} is not there: nobody can read over HTTP", "jobsctl token create NAME")
        return
    except OSError as error:
        yield problem(f"{path} cannot be read ({error.strerror}): nobody can read over HTTP", "mend its owner and mode")
        return
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        yield problem(f"{path} can be written by others: they can let themselves in", f"chmod go-w {path}")
    elif status.st_mode & (stat.S_IRGRP | stat.S_IROTH):
        yield warning(f"{path} can be read by others: they see who has tokens, and their hashes", f"chmod go-r {path}")
    for line in wrong_lines(text):
        yield warning(
            f"{path}:{line} is not a token: it grants nothing", "`jobsctl token create NAME` writes such lines"
        )
    if tokens := parse_tokens(text):
        yield ok(f"{len(tokens)} tokens in {path}")
    else:
        yield warning(f"{path} has no token: nobody can read over HTTP", "jobsctl token create NAME")


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
    Check("tokens", "the file of tokens: there, every line understood, written by nobody else", check_tokens),
    Check("unit", "systemd units that start jobsctl: program, KillMode, started at boot", check_unit),
)
