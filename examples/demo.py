"""`make demo`: a git repository made of examples/quickstart, a daemon on it, and what happens, live.

Plays a small story (a job fails, somebody is told, it is repaired by a commit; a bad commit; a daemon that is killed
while a job runs), then goes on showing until Ctrl-C, or for DEMO_SECONDS in all. All of it is below one temporary
directory, and removed.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

QUICKSTART = Path(__file__).with_name("quickstart")
JOBSCTL = Path(sys.executable).with_name("jobsctl")
COLOR = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
Event = dict[str, Any]


class TimeUp(Exception):
    """Raised when DEMO_SECONDS are over."""


def paint(code: str, text: str) -> str:
    return f"\033[{code}m{text}\033[0m" if COLOR else text


def say(text: str) -> None:
    print(paint("1", f"\n== {text}"), flush=True)


def succeeded(job: str) -> Callable[[Event], bool]:
    """Whether an event is the good end of a run of `job`."""
    return lambda event: event["job"] == f"default/{job}" and event["reason"] == "succeeded"


def failed(job: str) -> Callable[[Event], bool]:
    """Whether an event is the bad end of a run of `job`; its reason says how."""
    return lambda event: event["job"] == f"default/{job}" and event["type"] == "Warning" and event["run"] is not None


class Phone(BaseHTTPRequestHandler):
    """Takes notifications, as the program on somebody's phone would, and shows them."""

    def do_POST(self) -> None:
        told = json.loads(self.rfile.read(int(self.headers["content-length"])))
        print(paint("35", f"  [ops is told]  {told['title']}"), flush=True)
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing of requests."""


class Demo:
    """One repository, one daemon, one feed of events."""

    def __init__(self, home: Path, seconds: float | None) -> None:
        self.home = home
        self.end = None if seconds is None else time.monotonic() + seconds
        self.daemon: subprocess.Popen[bytes] | None = None
        self.seen = 0
        self.phone = HTTPServer(("127.0.0.1", 0), Phone)
        threading.Thread(target=self.phone.serve_forever, daemon=True).start()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.listen = f"127.0.0.1:{listener.getsockname()[1]}"

    def play(self) -> None:
        """The story. Each step waits for what it announces, so it is as quick as the machine."""
        self.make_repository()
        self.start_daemon()
        self.show_where_to_look()
        say("Four jobs of the first commit; one of them is wrong")
        bad = self.show_until(failed("import-orders"))
        if bad:
            self.command("logs", str(bad["run"]))

        say("Somebody was told, sees the wrong file name and repairs it by a commit")
        self.edit("jobs/import-orders.yaml", "data/order.csv", "data/orders.csv", "Read the file that exists")
        good = self.show_until(succeeded("import-orders"))
        if good:
            self.command("logs", str(good["run"]))

        say("Somebody commits a mistake: the last good version goes on, and the message says where")
        self.edit("jobs/hello.yaml", "every 3s", "evry 3s", "Say hello differently")
        self.show_until(lambda e: e["reason"] == "invalid", seconds=5)
        self.command("validate")
        self.show_until(succeeded("hello"))
        self.edit("jobs/hello.yaml", "evry 3s", "every 3s", "Revert")

        say("The daemon is killed with SIGKILL while `report` runs; the run goes on, the next daemon finds it")
        self.command("trigger", "report")
        self.show_until(lambda e: e["job"] == "default/report" and e["reason"] == "started")
        self.kill_daemon()
        self.start_daemon()
        self.show_until(succeeded("report"))
        self.command("run", "report")
        self.command("list")

        say(
            "That was the story. It goes on until Ctrl-C; edit, commit, look around"
            if self.end is None
            else "It goes on"
        )
        self.show_where_to_look()
        self.show_until(lambda e: False, seconds=float("inf"))

    def make_repository(self) -> None:
        shutil.copytree(QUICKSTART, self.home)
        (self.home / "jobsctl.yaml").write_text(f"http:\n  listen: {self.listen}\n")
        (self.home / "jobs" / "notify.yaml").write_text(
            f"""# Who is told: here a program of the demo; `jobsctl explain notifier.urls` names 130 services.
kind: Notifier
name: ops
group: 1s
urls: ["json://127.0.0.1:{self.phone.server_port}"]
---
kind: Defaults
job:
  notify: [{{to: ops}}]
"""
        )
        self.git("init", "--quiet")
        self.commit("Our first jobs")

    def git(self, *arguments: str) -> str:
        identity = ["-c", "user.name=Demo", "-c", "user.email=demo@example.com", "-c", "init.defaultBranch=main"]
        command = ["git", "-C", str(self.home), *identity, "-c", "commit.gpgsign=false", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def commit(self, message: str) -> None:
        self.git("add", ".")
        self.git("commit", "--quiet", "--message", message)
        print(
            paint("36", f"$ git commit -m {message!r}    # {self.git('rev-parse', '--short', 'HEAD').strip()}"),
            flush=True,
        )

    def edit(self, name: str, old: str, new: str, message: str) -> None:
        path = self.home / name
        text = path.read_text()
        assert old in text, f"{name} has no {old!r}"
        path.write_text(text.replace(old, new))
        for line in self.git("diff", "--unified=0", "--", name).splitlines():
            if line.startswith(("-", "+")) and not line.startswith(("---", "+++")):
                print(paint("31" if line[0] == "-" else "32", f"  {line}"))
        self.commit(message)

    def start_daemon(self) -> None:
        """Starts it and waits until it answers the command line."""
        with (self.home.with_name("daemon.log")).open("ab") as out:
            command = [JOBSCTL, "--home", self.home, "daemon"]
            self.daemon = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        print(paint("36", f"$ jobsctl daemon    # pid {self.daemon.pid}"), flush=True)
        give_up = time.monotonic() + 20
        while self.ask("list") is None:
            if self.daemon.poll() is not None or time.monotonic() > give_up:
                sys.exit("the daemon did not start:\n" + (self.home.with_name("daemon.log")).read_text())
            self.rest(0.1)

    def kill_daemon(self) -> None:
        assert self.daemon is not None
        self.daemon.kill()
        self.daemon.wait()
        print(paint("36", f"$ kill -9 {self.daemon.pid}"), flush=True)
        self.rest(1.0)

    def ask(self, *arguments: str) -> Any:
        """What a command says as JSON; None when it cannot answer yet."""
        command = [JOBSCTL, "--home", self.home, "-o", "json", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def command(self, *arguments: str) -> None:
        """Runs a command as a person would, indented."""
        print(paint("36", f"$ jobsctl {' '.join(arguments)}"), flush=True)
        command = [JOBSCTL, "--home", self.home, *arguments]
        done = subprocess.run(
            command, cwd=self.home, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        for line in done.stdout.splitlines():
            print(f"    {line}", flush=True)

    def show_until(self, wanted: Callable[[Event], bool], *, seconds: float = 30) -> Event | None:
        """Prints events as they come; the first one that is wanted, or None after `seconds`."""
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            for event in self.new_events():
                if event["reason"] != "created":
                    print(self.line(event), flush=True)
                if wanted(event):
                    return event
            self.rest(0.5)
        return None

    def new_events(self) -> Iterator[Event]:
        for event in (self.ask("events", "--after", str(self.seen)) or {}).get("items", []):
            self.seen = event["id"]
            yield event

    @staticmethod
    def line(event: Event) -> str:
        who = (event["job"] or "").removeprefix("default/")
        color = "31" if event["type"] == "Warning" else "32" if event["reason"] == "succeeded" else "0"
        return f"  {event['time'][11:19]}  {who:16} {paint(color, event['message'])}"

    def show_where_to_look(self) -> None:
        print(
            f"""
  Look around, in a second terminal:
    export JOBSCTL_HOME={self.home}
    {JOBSCTL} list
    {JOBSCTL} logs -f report
    {JOBSCTL} runs --status failed
    $EDITOR $JOBSCTL_HOME/jobs/hello.yaml     # the daemon follows the files
    {JOBSCTL} deliveries                      # who was told what
  In a browser:
    http://{self.listen}/
    http://{self.listen}/api/v1/jobs
    http://{self.listen}/metrics""",
            flush=True,
        )

    def rest(self, seconds: float) -> None:
        if self.end is not None and time.monotonic() + seconds > self.end:
            raise TimeUp
        time.sleep(seconds)

    def close(self) -> None:
        """Ends the runs, then the daemon: a run would outlive it."""
        self.phone.shutdown()
        self.phone.server_close()
        if self.daemon is None or self.daemon.poll() is not None:
            return
        for job in (self.ask("list") or {}).get("items", []):
            self.ask("suspend", job["metadata"]["identity"])
            self.ask("cancel", job["metadata"]["identity"])
        self.daemon.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.daemon.wait(15)
        self.daemon.kill()
        self.daemon.wait()


def main() -> None:
    if not shutil.which("git"):
        sys.exit("the demo needs git")
    for number in (signal.SIGINT, signal.SIGTERM):  # SIGINT too: a shell's background jobs ignore it
        signal.signal(number, signal.default_int_handler)
    seconds = os.environ.get("DEMO_SECONDS")
    with tempfile.TemporaryDirectory(prefix="jobsctl-demo-", ignore_cleanup_errors=True) as directory:
        demo = Demo(Path(directory, "jobs-repository"), float(seconds) if seconds else None)
        try:
            demo.play()
        except (TimeUp, KeyboardInterrupt):
            say("The end: stopping the daemon and removing everything")
        finally:
            demo.close()


if __name__ == "__main__":
    main()
