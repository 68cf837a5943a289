"""Whom to tell of a job, and how: the `Notifier` document, and the parts `notify` and `callback` of a Job.

Read by `specs.model`, `specs.resources` and `specs.links`. What processes read afterwards is `specs.stored`: this needs
pydantic. Addresses and keys are opened by who sends, never here.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from specs.environment import VALUE_SHAPE, FromCredential, FromEnv, FromFile
from specs.fields import Duration, Name, Text
from specs.signingkey import InvalidSecret, key_of
from specs.strict import Strict

Occasion = Literal["failure", "recovery", "missed", "still_failing", "slow", "skipped", "success"]
"""What a notifier is told of."""
Ending = Literal["succeeded", "failed", "cancelled", "expired", "skipped"]
"""The terminal states of a run."""


_ADDRESS = r"^[A-Za-z][A-Za-z0-9+.-]*://\S*$"
_ENDPOINT = r"^https?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?([/?][!-\[\]-~]*)?$"

_KEY = r"^\s*whsec_[A-Za-z0-9+/]{32,86}={0,2}\s*$"


def _address(value: str) -> str:
    if not re.fullmatch(_ADDRESS, value):
        raise PydanticCustomError("notifier_url", "must be an address as `slack://...` or `mailto://...`")
    return value


def _endpoint(value: str) -> str:
    if not re.fullmatch(_ENDPOINT, value):
        raise PydanticCustomError("callback_url", "must be an address as https://example.com/hook")
    return value


Address = Annotated[
    str,
    AfterValidator(_address),
    WithJsonSchema({"type": "string", "pattern": _ADDRESS, "patternErrorMessage": "an address is like mailto://..."}),
]
"""As apprise reads them; which services there are only apprise knows."""
Endpoint = Annotated[
    str,
    AfterValidator(_endpoint),
    WithJsonSchema(
        {"type": "string", "pattern": _ENDPOINT, "patternErrorMessage": "an address is like https://example.com/hook"}
    ),
]
AddressValue = Annotated[
    Annotated[Address, Tag("=text")]
    | Annotated[FromFile, Tag("=from_file")]
    | Annotated[FromEnv, Tag("=from_env")]
    | Annotated[FromCredential, Tag("=credential")],
    VALUE_SHAPE,
]
EndpointValue = Annotated[
    Annotated[Endpoint, Tag("=text")]
    | Annotated[FromFile, Tag("=from_file")]
    | Annotated[FromEnv, Tag("=from_env")]
    | Annotated[FromCredential, Tag("=credential")],
    VALUE_SHAPE,
]


def _one_or_more(value: Any) -> str | None:
    return "=list" if isinstance(value, list) else "=text"


Recipients = Annotated[
    Annotated[Name, Tag("=text")] | Annotated[list[Name], Field(min_length=1, max_length=32), Tag("=list")],
    Discriminator(_one_or_more),
]


class NotifyRule(Strict):
    """Who is told what of a job."""

    to: Recipients = Field(
        description="A `Notifier`, or several, by name.", examples=["ops-slack", ["ops-slack", "ops-mail"]]
    )
    on: Annotated[list[Occasion], Field(min_length=1, max_length=7)] = Field(
        ["failure", "recovery", "missed"],
        description="`failure`: its last attempt did not succeed, told once until it succeeds. `recovery`: it succeeds "
        "again. `missed`: it did not succeed by its deadline. `still_failing`: every `failures` more. `slow`: a run "
        "lasts longer than `slower_than`. `skipped`: a slot did not run. `success`: each one.",
        examples=[["failure", "recovery"], ["slow"]],
    )
    failures: Annotated[int, Field(ge=1, le=1000)] = Field(
        3, description="With `still_failing`: told again each time so many more runs have failed.", examples=[10]
    )
    slower_than: Duration | None = Field(
        None, description="With `slow`: told once when a run lasts longer.", examples=["45m"]
    )

    @model_validator(mode="after")
    def _slower_than_what(self) -> NotifyRule:
        if "slow" in self.on and self.slower_than is None:
            raise PydanticCustomError("notify_rule", "`on: [slow]` needs `slower_than`")
        return self


def _key(value: str) -> str:
    try:
        key_of(value)
    except InvalidSecret as error:
        raise PydanticCustomError("callback_secret", "is no signing key: it {why}", {"why": str(error)}) from None
    return value


Key = Annotated[
    str,
    AfterValidator(_key),
    WithJsonSchema({"type": "string", "pattern": _KEY, "patternErrorMessage": "a key is `whsec_` and base64"}),
]
"""In clear: a warning of the lint."""
KeyValue = Annotated[
    Annotated[Key, Tag("=text")]
    | Annotated[FromFile, Tag("=from_file")]
    | Annotated[FromEnv, Tag("=from_env")]
    | Annotated[FromCredential, Tag("=credential")],
    VALUE_SHAPE,
]
SecretValue = Annotated[
    Annotated[KeyValue, Tag("=one")] | Annotated[list[KeyValue], Field(min_length=1, max_length=8), Tag("=list")],
    Discriminator(lambda value: "=list" if isinstance(value, list) else "=one"),
]


class Callback(Strict):
    """A URL that is sent the end of every run, signed as Standard Webhooks says."""

    url: EndpointValue = Field(
        description="Where it goes: `https://...`, or a secret from outside.",
        examples=["https://example.com/hooks/jobs", {"from_file": "/etc/jobsctl/hook-url"}],
    )
    secret: SecretValue = Field(
        description="The key it is signed with, `whsec_` and base64; of several, it is signed with each.",
        examples=[{"from_file": "/etc/jobsctl/hook-key"}, [{"credential": "hook-new"}, {"credential": "hook-old"}]],
    )
    on: Annotated[list[Ending], Field(min_length=1, max_length=5)] = Field(
        ["succeeded", "failed", "cancelled", "expired", "skipped"],
        description="Which ends are sent.",
        examples=[["failed", "expired"]],
    )


class Rate(Strict):
    """A bound on messages, over any stretch of time."""

    max: Annotated[int, Field(ge=1, le=10_000)] = Field(20, description="Messages within `per`.", examples=[5])
    per: Duration = Field(3600.0, description="In any stretch of this length.", examples=["10m", "1d"])


class QuietHours(Strict):
    """A part of certain weekdays in which nothing is sent; what comes then is sent together at its end."""

    days: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        None,
        description="Weekdays on which they begin, as `mon-fri` or `sat,sun`; default: every day.",
        examples=["mon-fri"],
    )
    from_: Annotated[str, Field(max_length=5)] | None = Field(
        None, alias="from", description='Local time "22:00"; default: the day\'s beginning.', examples=["22:00"]
    )
    to: Annotated[str, Field(max_length=5)] | None = Field(
        None,
        description='Local time "07:00", not included; before `from`: on the next day. Default: the day\'s end.',
        examples=["07:00"],
    )


class Template(Strict):
    """Words of your own. `{{ name }}` is filled in; docs/notifications.md lists the names."""

    title: Annotated[str, Field(min_length=1, max_length=256)] | None = Field(
        None, description="Default: jobsctl's own.", examples=["[{{ project }}] {{ title }}"]
    )
    body: Annotated[str, Field(min_length=1, max_length=4096)] | None = Field(
        None, description="Default: jobsctl's own.", examples=["{{ body }}\nRunbook: https://example.com/{{ name }}"]
    )


class Notifier(Strict):
    """Where messages about jobs go. Jobs name it in `notify`."""

    apiVersion: Literal["jobsctl/v1"] = Field(
        "jobsctl/v1", description="Version of this shape; may be omitted.", examples=["jobsctl/v1"]
    )
    kind: Literal["Notifier"] = Field(description="What the document is.", examples=["Notifier"])
    name: Name = Field(description="Unique among notifiers.", examples=["ops-slack"])
    description: Text = Field("", description="For people.", examples=["The channel of those on call."])
    urls: Annotated[list[AddressValue], Field(min_length=1, max_length=32)] = Field(
        description="Addresses as apprise writes them; each is sent every message. What holds a password or token "
        "comes from outside.",
        examples=[[{"from_file": "/etc/jobsctl/slack-url"}], ["mailto://localhost?to=ops@example.com"]],
    )
    group: Duration = Field(
        30.0, description="What comes within this time of the first goes as one message.", examples=["5m"]
    )
    rate: Rate = Field(Rate(), description="How many messages at most.", examples=[{"max": 5, "per": "10m"}])
    quiet_hours: QuietHours | None = Field(
        None, description="When nothing is sent.", examples=[{"from": "22:00", "to": "07:00"}]
    )
    digest: Annotated[str, Field(max_length=256)] | None = Field(
        None,
        description="A schedule, at which a summary of the time since the last one is sent: of the jobs that name this "
        "notifier, or of all when none does.",
        examples=["daily at 08:00", "0 8 * * mon"],
    )
    timezone: str | None = Field(
        None, description="IANA zone of `quiet_hours` and `digest`; default: the daemon's.", examples=["Europe/Berlin"]
    )
    template: Template | None = Field(
        None, description="Words of your own.", examples=[{"title": "[{{ project }}] {{ title }}"}]
    )
