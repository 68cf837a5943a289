"""JOB078: a callback that goes out unencrypted. Called by `specs.lint`. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from specs.lint.concern import Concern, Subject


def receiver_concerns(subject: Subject) -> Iterator[Concern]:
    """An `http://` address that stands in the file; one from outside is not known here."""
    callback = subject.job.callback
    if callback is None or not isinstance(callback.url, str) or not callback.url.lower().startswith("http://"):
        return
    yield Concern(
        "JOB078",
        "the callback goes over a connection that is not encrypted: whoever is on the way reads what is sent",
        "write `https://`; where the network is your own, `# jobsctl: ignore[JOB078]` says that it is meant",
        (("callback", "url"),),
        span=(0, len("http://")),
    )
