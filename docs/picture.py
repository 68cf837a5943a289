"""Draws docs/demo.svg: what `jobsctl` really prints on a terminal, for a home made of examples/quickstart.

Run after the output has changed: `.venv/bin/python docs/picture.py`. Nothing in the picture is written by hand: each
command runs on a pseudo-terminal and its bytes, colours included, are rendered by rich.
"""

from __future__ import annotations

import io
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
from fcntl import ioctl
from html import escape, unescape
from pathlib import Path
from termios import TIOCSWINSZ

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "examples"))
from demo import JOBSCTL, Demo, failed, succeeded  # noqa: E402 the demo is a program beside this one, not a package

COLUMNS = 104
# No web font: a picture in a README must not make the reader's browser ask somebody else for anything.
FORMAT = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)


def on_terminal(home: Path, *command: str | Path) -> str:
    """What a command prints when it stands on a terminal of COLUMNS columns, escape sequences included."""
    leader, follower = pty.openpty()
    ioctl(follower, TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
    env = os.environ | {"TERM": "xterm-256color", "COLUMNS": str(COLUMNS), "JOBSCTL_HOME": str(home)}
    env.pop("NO_COLOR", None)
    process = subprocess.Popen(command, cwd=home, env=env, stdin=follower, stdout=follower, stderr=follower)
    os.close(follower)
    out = b""
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:  # EIO: the last one that had the terminal open is gone
            break
        if not part:
            break
        out += part
    os.close(leader)
    process.wait()
    return out.decode().replace("\r\n", "\n")


def in_columns(text: re.Match[str]) -> str:
    """One SVG text element per column of text.

    Some renderers drop outer blanks, and no other font is as wide as the one meant: over a whole line both add up.
    """
    start, x, middle, length, rest, content = text.groups()
    content = unescape(content)
    cell = float(length) / len(content)
    elements = []
    for column in re.finditer(r"[^\s\xa0]+([\s\xa0][^\s\xa0]+)*", content):
        place, width = float(x) + column.start() * cell, len(column[0]) * cell
        elements.append(f"{start}{place:.1f}{middle}{width:.1f}{rest}{escape(column[0])}</text>")
    return "".join(elements)


def main() -> None:
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    with tempfile.TemporaryDirectory() as directory:
        demo = Demo(Path(directory, "jobs"), None)

        def show(line: str, *command: str | Path) -> None:
            console.print(Text.assemble(("$ ", "bold green"), (line, "bold")))
            console.print(Text.from_ansi(on_terminal(demo.home, *command)))

        def jobsctl(*arguments: str) -> None:
            show(" ".join(["jobsctl", *arguments]), JOBSCTL, *arguments)

        demo.make_repository()
        demo.start_daemon()
        try:
            demo.show_until(failed("import-orders"))
            demo.show_until(succeeded("report"), seconds=40)
            jobsctl("list")
            show("cat jobs/hello.yaml", "cat", "jobs/hello.yaml")
            demo.edit("jobs/hello.yaml", "every 3s", "evry 3s", "Say hello differently")
            demo.show_until(lambda event: event["reason"] == "invalid")
            jobsctl("validate")
            demo.show_until(succeeded("hello"))
            jobsctl("logs", "hello")
            jobsctl("run", "report")
        finally:
            demo.close()
    svg = console.export_svg(title="jobsctl", code_format=FORMAT)
    svg = re.sub(r'(<text[^>]* x=")([\d.]+)("[^>]* textLength=")([\d.]+)("[^>]*>)([^<]*)</text>', in_columns, svg)
    # The place of the temporary home says nothing to a reader.
    (ROOT / "docs" / "demo.svg").write_text(svg.replace(f"{directory}/", "~/"))


if __name__ == "__main__":
    main()
