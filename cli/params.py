"""The inputs of a run: `--param NAME=VALUE`, held against what the job declares. Used by `trigger`.

The daemon checks them again: the spec may have changed when it comes to the request.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from cli.errors import UsageError
from specs.policies import Param


def read_params(given: Iterable[str]) -> dict[str, str]:
    """`{"day": "monday"}` of `day=monday`; a value may hold `=` and may be empty.

    Raises:
        UsageError: no `=`, no name, or a name twice.
    """
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError(f"--param {text}: write it as NAME=VALUE")
        if name in found:
            raise UsageError(f"--param {name} is given twice")
        found[name] = value
    return found


def check_params(identity: str, given: Mapping[str, str], declared: Mapping[str, Param]) -> None:
    """Whether the job takes these values, and none is missing.

    Raises:
        UsageError: what is wrong with the first that is, and what the job takes.
    """
    takes = f"{identity} takes {', '.join(declared)}" if declared else f"{identity} declares no `params`"
    for name, value in given.items():
        param = declared.get(name)
        if param is None:
            near = difflib.get_close_matches(name, declared, n=1)
            raise UsageError(f"--param {name}: {takes}", hint=f"did you mean {near[0]}?" if near else None)
        if (why := param.refusal(value)) is not None:
            hint = f"{name}: {param.description}" if param.description else f"see `params` of {identity}"
            raise UsageError(f"--param {name}={value}: {name} {why}", hint=hint)
    missing = [name for name, param in declared.items() if param.default is None and name not in given]
    if missing:
        needs = " and ".join(missing)
        example = " ".join(f"--param {name}=..." for name in missing)
        raise UsageError(f"{identity} needs {needs}, which {'has' if len(missing) == 1 else 'have'} no default",
                         hint=f"jobsctl trigger {identity} {example}")  # fmt: skip
