"""How names, durations and sizes are written, and what plain number each means.

Read by `specs.fields` for the models, and by whoever reads a time or a name without them. Must not import pydantic:
the command line answers before pydantic is loaded.
"""

from __future__ import annotations

import re
from typing import Literal

NAME_PATTERN = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
"""RFC 1123 label, as Kubernetes uses it: safe as a file name, a URL segment and a label value."""

_NAME = re.compile(NAME_PATTERN)
_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(B|k|K|KB|M|MB|G|GB|T|TB|Ki|KiB|Mi|MiB|Gi|GiB|Ti|TiB)?")
_UNITS = {"": 1, "B": 1}
for _power, _letter in enumerate("KMGT", start=1):
    _UNITS |= {_letter: 1000**_power, f"{_letter}B": 1000**_power}
    _UNITS |= {f"{_letter}i": 1024**_power, f"{_letter}iB": 1024**_power}
_UNITS["k"] = 1000


class BadValue(ValueError):
    """Raised for a text that is not written as it must be. `kind` is what it was meant to be."""

    def __init__(self, kind: Literal["name", "duration", "size"], message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


def parse_name(value: object) -> str:
    """A name, whole (`fullmatch`: `$` would let a trailing newline through). Raises `BadValue`, as all of these."""
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise BadValue("name", "a name is 1 to 63 of a-z, 0-9 and '-', and starts and ends with a letter or digit")
    return value


def parse_duration(value: object) -> float:
    """Seconds from `90s`, `15m`, `1h30m`, `2d` or a plain number of seconds. At most 10 years."""
    if isinstance(value, bool):
        raise BadValue("duration", "a duration is like 90s, 15m, 1h30m or 2d, or a number of seconds")
    if isinstance(value, int | float):
        seconds = float(value)
    else:
        found = _DURATION.fullmatch(value) if isinstance(value, str) and value else None
        if found is None:
            raise BadValue("duration", "a duration is like 90s, 15m, 1h30m or 2d, or a number of seconds")
        days, hours, minutes, rest = (float(part or 0) for part in found.groups())
        seconds = days * 86400 + hours * 3600 + minutes * 60 + rest
    if not 0 < seconds <= 315_360_000:
        raise BadValue("duration", "a duration is more than nothing and at most 3650d")
    return seconds


def parse_timeout(value: object) -> float | str:
    """`none`, or seconds as `parse_duration` reads them."""
    return "none" if value == "none" else parse_duration(value)


def parse_size(value: object) -> int:
    """Bytes from `64Mi`, `1.5G`, `800k` or a plain number. At most 1 PiB."""
    if isinstance(value, int) and not isinstance(value, bool):
        size = value
    else:
        found = _SIZE.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            raise BadValue("size", "a size is like 64Mi, 1.5G or 800k, or a number of bytes")
        size = int(float(found[1]) * _UNITS[found[2] or ""])
    if not 0 < size <= 2**50:
        raise BadValue("size", "a size is more than nothing and at most 1 PiB")
    return size


def write_duration(seconds: float) -> str:
    """As people write it: `90s`, `15m`, `1h30m`, `2d`; a fraction of a second is kept to the millisecond.

    `seconds` is positive.
    """
    whole, millis = divmod(round(seconds * 1000), 1000)
    if millis:
        return f"{whole}.{millis:03}".rstrip("0") + "s"
    if whole < 120:
        return "1m" if whole == 60 else f"{whole}s"
    days, rest = divmod(whole, 86_400)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    parts = ((days, "d"), (hours, "h"), (minutes, "m"), (rest, "s"))
    return "".join(f"{number}{unit}" for number, unit in parts if number)


def write_size(count: int) -> str | int:
    """As people write it: `512Mi`, where a power of 1024 divides it; else the number of bytes."""
    for unit, power in (("Gi", 30), ("Mi", 20), ("Ki", 10)):
        if count and count % (1 << power) == 0:
            return f"{count >> power}{unit}"
    return count
