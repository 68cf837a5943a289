"""Amounts of memory and processors as Kubernetes writes them. Called by `container`. Pure."""

from __future__ import annotations

import re
from decimal import Decimal

_QUANTITY = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(?:(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)|[eE]([-+]?[0-9]{1,2}))?")
_UNITS = {"n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "": Decimal(1)}
for _power, _letter in enumerate("kMGTPE", start=1):
    _UNITS[_letter] = Decimal(1000) ** _power
    _UNITS[f"{_letter.upper()}i"] = Decimal(1024) ** _power


def read_quantity(text: str) -> Decimal | None:
    """`512Mi`, `100m`, `1.5`, `12e6`; None for what is no quantity.

    Source: k8s.io/apimachinery, pkg/api/resource/quantity.go: a decimal with a suffix or an exponent.
    """
    found = _QUANTITY.fullmatch(text)
    if found is None:
        return None
    if found[3] is not None:
        return Decimal(found[1]) * Decimal(10) ** int(found[3])
    return Decimal(found[1]) * _UNITS[found[2] or ""]


def write_memory(text: str) -> str | int | None:
    """Our `limits.memory`: the text itself where we read it alike, else bytes; None for what is no quantity."""
    amount = read_quantity(text)
    if amount is None or amount < 1:
        return None
    return text if re.fullmatch(r"[0-9]+(\.[0-9]+)?(k|M|G|T|Ki|Mi|Gi|Ti)", text) else int(amount)


def write_cpu(text: str) -> float | int | None:
    """Our `limits.cpu`: processors; None for what is no quantity."""
    amount = read_quantity(text)
    if amount is None or amount <= 0:
        return None
    return int(amount) if amount == int(amount) else round(float(amount), 3)
