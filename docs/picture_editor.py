"""Draws docs/editor.svg: Neovim with yaml-language-server and our schema, as it really looks on a terminal.

Run after `make editor` and with nvim and tmux installed: `.venv/bin/python docs/picture_editor.py`. Nothing in the
picture is written by hand: the server finds the mistake and shows the field, Neovim draws both, tmux keeps the screen.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from picture import FORMAT, ROOT, in_columns
from rich.console import Console
from rich.text import Text

COLUMNS, LINES = 100, 32
SERVER = ROOT / ".editor" / "node_modules" / ".bin" / "yaml-language-server"
PATIENCE = 30.0
"""Seconds for the server to answer on a loaded machine."""

JOB = """\
name: nightly-report
description: Sums up the orders of the day before.
schedule: daily at 02:30
timezone: Europe/Berlin
run:
  command: [make, report]
timeout: 5 minutes
retry:
  attempts: 3
  backoff: exponential
depends_on: [import-orders]
"""

EDITOR = """\
vim.o.termguicolors, vim.o.number, vim.o.ruler, vim.o.laststatus, vim.o.fillchars = true, true, false, 0, "eob: "
vim.cmd([[
  syntax on
  hi Normal guifg=#d8dee9 guibg=NONE
  hi NormalFloat guifg=#d8dee9 guibg=#3b4252
  hi FloatBorder guifg=#88c0d0 guibg=#3b4252
  hi LineNr guifg=#6b7280
  hi Comment guifg=#8a94a6
  hi Identifier guifg=#88c0d0 gui=NONE
  hi Title guifg=#ebcb8b gui=bold
  hi link yamlBlockMappingKey Identifier
  hi String guifg=#a3be8c
  hi Number guifg=#b48ead
  hi Delimiter guifg=#d8dee9
  hi Special guifg=#a3be8c
  hi Visual guibg=#4c566a
  hi DiagnosticVirtualTextError guifg=#ff8f8f
  hi DiagnosticUnderlineError gui=underline guifg=#ff8f8f
]])
local server = vim.lsp.start_client({
  name = "yaml", cmd = { "SERVER", "--stdio" }, root_dir = vim.fn.getcwd(),
  settings = { yaml = { validate = true, hover = true, hoverSchemaSource = false, schemaStore = { enable = false } } },
})
vim.diagnostic.config({ signs = false, virtual_text = { prefix = "■" } })
vim.lsp.handlers["textDocument/hover"] = vim.lsp.with(vim.lsp.handlers.hover, { border = "rounded", max_width = 62 })
vim.api.nvim_create_autocmd("FileType", { pattern = "yaml", callback = function()
  vim.lsp.buf_attach_client(0, server)
  vim.keymap.set("n", "K", vim.lsp.buf.hover, { buffer = true })
end })
"""


class Terminal:
    """A screen that tmux keeps, on a server of its own."""

    def __init__(self, folder: Path) -> None:
        self.tmux = ["tmux", "-S", str(folder / "tmux"), "-f", "/dev/null"]
        self.folder = folder

    def start(self, command: str) -> None:
        size = ["-x", str(COLUMNS), "-y", str(LINES)]
        settings = [
            "set",
            "-g",
            "default-terminal",
            "tmux-256color",
            ";",
            "set",
            "-sa",
            "terminal-overrides",
            ",*:Tc",
            ";",
        ]
        self._run(
            *settings, "set", "-g", "status", "off", ";", "new-session", "-d", *size, "-c", str(self.folder), command
        )

    def type(self, *keys: str) -> None:
        self._run("send-keys", *keys)

    def screen(self, *, colours: bool = False) -> str:
        return self._run("capture-pane", "-p", *(["-e"] if colours else []))

    def wait(self, wanted: Callable[[str], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not wanted(self.screen()):
            if time.monotonic() > end:
                raise SystemExit(f"this did not come:\n{self.screen()}")
            time.sleep(0.1)

    def stop(self) -> None:
        self._run("kill-server")

    def _run(self, *arguments: str) -> str:
        done = subprocess.run([*self.tmux, *arguments], capture_output=True, text=True, check=True)
        return done.stdout


def main() -> None:
    """Make a home, open its job in the editor, ask what `retry.backoff` is, and draw the screen."""
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        subprocess.run([ROOT / ".venv" / "bin" / "jobsctl", "init", home], check=True, capture_output=True)
        job = home / "jobs" / "hello.yaml"
        job.write_text(job.read_text().splitlines(keepends=True)[0] + JOB)
        (home / "init.lua").write_text(EDITOR.replace("SERVER", str(SERVER)))
        terminal = Terminal(home)
        os.environ["HOME"] = directory
        terminal.start(f"nvim -n -u {home / 'init.lua'} {job}")
        try:
            terminal.wait(lambda screen: "duration is like" in screen)
            terminal.type("11G", "w", "K")
            terminal.wait(lambda screen: "How delay grows" in screen.replace("`", ""))
            drawn = terminal.screen(colours=True)
        finally:
            terminal.stop()
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    lines = [Text.from_ansi(line) for line in drawn.splitlines()]
    while not lines[-1].plain.strip():
        lines.pop()
    for line in lines:
        console.print(line, overflow="crop", no_wrap=True)
    svg = console.export_svg(title="nvim jobs/hello.yaml", code_format=FORMAT)
    svg = re.sub(r'(<text[^>]* x=")([\d.]+)("[^>]* textLength=")([\d.]+)("[^>]*>)([^<]*)</text>', in_columns, svg)
    (ROOT / "docs" / "editor.svg").write_text(svg.replace(f"{directory}/", "~/"))


if __name__ == "__main__":
    main()
