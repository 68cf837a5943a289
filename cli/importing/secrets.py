"""What looks like a secret in an imported job: it would be committed in clear. Called by the readers. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

_NAME = re.compile(
    r"PASS(?:W(?:OR)?D|PHRASE)?|SECRET|TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CREDENTIAL|(?:^|_)PWD?$", re.IGNORECASE
)
_IN_COMMAND = re.compile(r"(?:^|\s)([A-Za-z_][A-Za-z0-9_]*)=(?=['\"]?[^\s$'\"])")


def secret_names(env: Mapping[str, str], command: str = "") -> list[str]:
    """Names of variables with a literal value that is likely to be a secret: of `env`, and set within `command`."""
    named = [name for name, value in env.items() if value and is_secret(name, value)]
    return named + [found[1] for found in _IN_COMMAND.finditer(command) if is_secret(found[1], "x")]


def is_secret(name: str, value: str) -> bool:
    """`PGPASSWORD`, `API_TOKEN`; not a path of a file with the secret, nor a variable."""
    return _NAME.search(name) is not None and not value.startswith(("/", "$", "~")) and "FILE" not in name.upper()
