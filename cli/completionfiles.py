"""Where shells look for completions of a user by themselves. Used by `completion --install`."""

from __future__ import annotations

import os
from pathlib import Path


def place_of(shell: str) -> tuple[Path, str]:
    """The file of `bash`, `zsh` or `fish`, and what is left to do.

    Source: bash-completion's README ("$XDG_DATA_HOME/bash-completion/completions"), zshcompsys(1) (files named `_...`
    in a folder of fpath), fish's manual ("Where to put completions").
    """
    home = Path(os.environ.get("HOME") or Path.home())
    data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local/share")
    config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    match shell:
        case "bash":
            return data / "bash-completion/completions/jobsctl", (
                "new shells have it, where the package bash-completion is installed; "
                "else put `source <(jobsctl completion bash)` into ~/.bashrc"
            )
        case "zsh":
            folder = data / "zsh/site-functions"
            return folder / "_jobsctl", (
                f"put `fpath+=({folder})` into ~/.zshrc, before `autoload -U compinit && compinit`; "
                "new shells have it then"
            )
        case _:
            return config / "fish/completions/jobsctl.fish", "new shells have it"


def write_script(path: Path, script: str) -> None:
    """Whole or not at all. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    spare = path.with_name(f".{path.name}.tmp")
    spare.write_text(script, encoding="utf-8")
    spare.replace(path)
