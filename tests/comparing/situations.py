"""The rows of situations.yaml, checked for what every row must have. Read by the tests and the page's generator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML

FILE = Path(__file__).with_name("situations.yaml")
SYSTEMS = ("Kubernetes CronJob", "systemd timers", "anacron", "cronie", "Nomad", "Airflow")


@dataclass(frozen=True, slots=True)
class Situation:
    """One row; see the head of the file."""

    id: str
    group: str
    situation: str
    system: str
    answer: str
    source: str
    ours: str
    start: str
    jobs: Mapping[str, str]
    story: Sequence[str | Mapping[str, Mapping[str, str | None]]]
    rows: Mapping[str, list[str]]
    why: str = ""
    documents: str = ""
    """Pools and calendars, as YAML."""
    copies: int = 0
    """So many further jobs like `a`, named a-1, a-2 ..."""

    def __post_init__(self) -> None:
        assert self.system in SYSTEMS, self.id
        assert self.rows, f"{self.id}: a row that expects nothing proves nothing"


def load() -> list[Situation]:
    """All rows, in the order of the file."""
    return [Situation(**row) for row in YAML(typ="safe", pure=True).load(FILE.read_text(encoding="utf-8"))]
