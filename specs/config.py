"""The daemon's own settings: `jobsctl.yaml` in a home. Optional; every setting has a default and its reason.

Read by the daemon and the command line. The same reader and the same messages as for specs.
"""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, ValidationError, WithJsonSchema, field_validator
from pydantic_core import PydanticCustomError

from specs.diagnostic import Diagnostic, InvalidSpec
from specs.document import Document, read_documents
from specs.environment import EnvValue
from specs.expression import ScheduleError
from specs.fields import Duration
from specs.findings import findings_of
from specs.strict import Strict
from specs.text import Place, Source, decode
from specs.zones import find_zone

FILE = "jobsctl.yaml"
_HOST = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9._-]{0,252}")
_PATTERN = r"^(\*\.)?[A-Za-z0-9]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?$"
_NETWORK = r"^([A-Za-z0-9_.][A-Za-z0-9._-]{0,252}|[0-9A-Fa-f:.]+(/[0-9]{1,3})?)$"
_PAGE = r"^https?://[!-~]+$"
_NAME = r"^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$"
_LISTEN = re.compile(r"(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})")


class PruneLimit(Strict):
    """How many jobs may go in one look: the greater of both. More is a mistake until somebody confirms it."""

    jobs: Annotated[int, Field(ge=0, le=1_000_000)] = Field(3, description="This many may always go.", examples=[10])
    share: Annotated[float, Field(ge=0, le=1)] = Field(
        0.3, description="This share of all jobs may go.", examples=[0.5]
    )


def is_address(value: str) -> bool:
    """Whether HTTP can be told to listen there: `HOST:PORT`."""
    found = _LISTEN.fullmatch(value)
    return found is not None and int(found[1]) <= 65535


def is_loopback(listen: str) -> bool:
    """Whether only this machine can reach an address: `HOST:PORT`."""
    host = listen.rpartition(":")[0].removeprefix("[").removesuffix("]")
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class Http(Strict):
    """The read-only HTTP endpoint. On loopback unless somebody decides otherwise, and then it asks for tokens."""

    listen: str = Field(
        "127.0.0.1:8787", description="Host and port; port 0 takes a free one.", examples=["0.0.0.0:8787", "[::1]:8787"]
    )
    tokens: Annotated[str, Field(min_length=1, max_length=4096)] | None = Field(
        None,
        description="File of the tokens readers need, absolute or relative to the home; `jobsctl token` writes it.",
        examples=["tokens", "/etc/jobsctl/tokens"],
    )
    names: Annotated[list[Annotated[str, StringConstraints(pattern=_NAME)]], Field(max_length=64)] = Field(
        default_factory=list,
        description="Further names it is called by: a request whose Host is none of its own is refused.",
        examples=[["jobs.example.com"]],
    )
    url: Annotated[str, StringConstraints(pattern=_PAGE)] | None = Field(
        None,
        description="Address at which people reach the web page, for links in notifications.",
        examples=["https://jobs.example.com"],
    )
    insecure: bool = Field(
        False, description="Serve on an address that others reach without asking for tokens.", examples=[True]
    )

    @field_validator("listen")
    @classmethod
    def _address(cls, value: str) -> str:
        if not is_address(value):
            raise PydanticCustomError("listen", "is `host:port`, as 127.0.0.1:8787 or [::1]:8787")
        return value


class Retention(Strict):
    """How long finished runs are kept, in rows and files. A job's latest run and active ones always are."""

    max_runs: Annotated[int, Field(ge=1, le=10_000_000)] = Field(1000, description="Per job.", examples=[100])
    max_age: Duration = Field(30 * 86_400.0, description="Since the end of the run.", examples=["90d"])


def _is_network(value: str) -> str:
    """A host, or addresses as `ipaddress` reads them."""
    try:
        ip_network(value)
    except ValueError:
        if not _HOST.fullmatch(value):
            raise PydanticCustomError("network", "is a host or addresses, as hooks.internal or 10.0.0.0/8") from None
    return value


class Metrics(Strict):
    """What Prometheus is told at /metrics."""

    max_jobs: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        20_000,
        description="Jobs that get series of their own, about 20 each. When there are more, only projects have series.",
        examples=[5000],
    )


Network = Annotated[
    str,
    AfterValidator(_is_network),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": _NETWORK,
            "patternErrorMessage": "a host or addresses, as hooks.internal or 10.0.0.0/8",
        }
    ),
]


class Callbacks(Strict):
    """Where callbacks may go. No job file can widen it."""

    hosts: Annotated[list[Annotated[str, StringConstraints(pattern=_PATTERN)]], Field(max_length=256)] | None = Field(
        None,
        description="Only these: names, or `*.` and a name for all below it. Default: every public host.",
        examples=[["hooks.example.com", "*.example.org"]],
    )
    private: Annotated[list[Network], Field(max_length=256)] = Field(
        default_factory=list,
        description="Hosts and addresses that may be reached although they are not public.",
        examples=[["127.0.0.1", "10.1.0.0/16", "hooks.internal"]],
    )
    ports: Annotated[list[Annotated[int, Field(ge=1, le=65_535)]], Field(min_length=1, max_length=64)] = Field(
        [80, 443], description="Ports that may be reached.", examples=[[443, 8443]]
    )


class Ping(Strict):
    """A request made at regular times, so that somebody else notices when the daemon is gone."""

    url: EnvValue = Field(
        description="Where, as a check of Healthchecks or Cronitor.",
        examples=["https://hc.example.com/ping/nightly", {"from_file": "/etc/jobsctl/ping-url"}],
    )
    every: Duration = Field(60.0, description="How often.", examples=["5m"])


class Config(Strict):
    """What `jobsctl.yaml` says."""

    specs: Annotated[str, Field(min_length=1, max_length=4096)] = Field(
        "jobs",
        description="The specs directory: absolute, or relative to the home.",
        examples=["jobs", "/srv/repository/jobs"],
    )
    timezone: str = Field(
        "UTC",
        description="Zone of jobs that name none. UTC: no nights with 23 or 25 hours.",
        examples=["Europe/Berlin"],
    )
    resync: Duration = Field(
        60.0, description="Full sweeps, for what the watcher lost. A sweep of 10,000 files: 50 ms.", examples=["5m"]
    )
    prune_limit: PruneLimit = Field(
        PruneLimit(), description="How many jobs may vanish in one look.", examples=[{"jobs": 10, "share": 0.5}]
    )
    prune_grace: Duration = Field(
        2.0, description="How long a job must be gone: git unlinks and creates.", examples=["10s"]
    )
    http: Http | None = Field(
        Http(),
        description="The read-only HTTP endpoint; `null` switches it off.",
        examples=[{"listen": "127.0.0.1:9000"}, None],
    )
    callbacks: Callbacks = Field(
        Callbacks(), description="Where callbacks may go.", examples=[{"hosts": ["hooks.example.com"]}]
    )
    ping: Ping | None = Field(
        None,
        description="A request made while the daemon works. Default: none.",
        examples=[{"url": "https://hc.example.com/ping/nightly"}],
    )
    metrics: Metrics = Field(Metrics(), description="What Prometheus is told.", examples=[{"max_jobs": 5000}])
    retention: Retention = Field(Retention(), description="How long history is kept.", examples=[{"max_age": "90d"}])


def load_config(home_root: Path) -> Config:
    """The settings of a home; defaults when there is no `jobsctl.yaml`. Raises `InvalidSpec`."""
    path = home_root / FILE
    try:
        if path.is_fifo():  # which would be waited for
            raise OSError(0, "is not a regular file")
        data = path.read_bytes()
    except FileNotFoundError:
        return Config()
    except OSError as error:
        raise InvalidSpec(
            (Diagnostic("JOB001", f"cannot be read: {error.strerror}", FILE, help="look at its owner and mode"),)
        ) from error
    return parse_config(data, FILE)


def parse_config(data: bytes, path: str) -> Config:
    """The settings in `data`. Raises `InvalidSpec` with every finding."""
    source = decode(data, path)
    documents, findings = read_documents(source)
    if findings:
        raise InvalidSpec(tuple(findings))
    if not documents:
        return Config()
    if len(documents) > 1:
        place = Place(documents[1].line, 1)
        raise InvalidSpec((source.finding("JOB013", "the settings are one document", place, help="remove the second"),))
    document = documents[0]
    try:
        config = Config.model_validate(document.value)
    except ValidationError as error:
        zone = document.value.get("timezone") if isinstance(document.value, dict) else None
        wrong = _wrong_zone(source, document, str(zone)) if isinstance(zone, str) else ()
        found = [*wrong, *findings_of(error, document, Config)]
        raise InvalidSpec(tuple(sorted(found, key=lambda each: (each.line, each.column)))) from None
    if wrong := _wrong_zone(source, document, config.timezone):
        raise InvalidSpec(wrong)
    return config


def _wrong_zone(source: Source, document: Document, name: str) -> tuple[Diagnostic, ...]:
    try:
        find_zone(name)
    except ScheduleError as error:
        return (source.finding("JOB042", error.message, document.place(("timezone",)), help=error.help),)
    return ()
