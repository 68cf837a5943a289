"""What people type who come from kubectl, systemctl, cron, docker or a shell: only to say what it is called here.

Read by `cli.main` when there is no such command. They are no commands: one thing has one name.
"""

from __future__ import annotations

OTHER_NAMES = {
    "add": ("apply",), "check": ("validate", "doctor"), "config": ("explain",), "convert": ("import",),
    "create": ("apply", "init"), "dashboard": ("top",), "disable": ("suspend",), "dump": ("backup",),
    "edit": ("apply",), "enable": ("resume",), "exec": ("trigger",), "fix": ("doctor",), "get": ("list", "describe"),
    "health": ("status", "doctor"), "history": ("runs",), "info": ("describe",), "inspect": ("describe",),
    "jobs": ("list",), "kill": ("cancel",), "lint": ("validate",), "log": ("logs",), "ls": ("list",),
    "migrate": ("import",), "new": ("init",), "pause": ("suspend",), "preview": ("plan",), "ps": ("top", "runs"),
    "reload": ("apply",), "remove": ("delete",), "rerun": ("trigger",), "retry": ("trigger",), "rm": ("delete",),
    "save": ("backup",), "serve": ("daemon",), "show": ("describe", "list"), "start": ("trigger", "daemon"),
    "stats": ("metrics",), "stop": ("cancel",), "sync": ("apply",), "tail": ("logs",), "test": ("validate", "plan"),
    "unpause": ("resume",), "unsuspend": ("resume",), "up": ("daemon",), "watch": ("top",),
}  # fmt: skip
"""Word -> commands, the likeliest first."""
