"""certificate-expiry against a real TLS endpoint whose certificate changes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.examples.conftest import Site
from tests.examples.servers import Authority, TlsServer


@pytest.fixture(autouse=True)
def restored(endpoint: TlsServer) -> Iterator[None]:
    good = endpoint.pem
    yield
    endpoint.pem = good


def test_a_trusted_certificate_with_time_left_passes(site: Site, endpoint: TlsServer) -> None:
    ended = site.run("certificate-expiry")
    assert ended.succeeded, ended.output
    assert f"ok   127.0.0.1:{endpoint.port}: " in ended.output
    assert ended.result is not None
    assert 88 < ended.result["certificates"][0]["days_left"] <= 90


@pytest.mark.parametrize(
    ("days", "message"),
    [
        pytest.param(-1, "certificate has expired", id="expired"),
        pytest.param(5, "expires in 5.0 days, on ", id="expires soon"),
    ],
)
def test_a_certificate_short_of_time_fails_with_the_reason(
    site: Site, endpoint: TlsServer, authority: Authority, days: int, message: str
) -> None:
    endpoint.pem = authority.issue(f"days{days}", days=days)
    ended = site.run("certificate-expiry")
    assert not ended.succeeded
    assert f"FAIL 127.0.0.1:{endpoint.port}: {message}" in ended.output
    assert "1 of 1 certificates need attention" in ended.output


def test_a_certificate_of_another_authority_fails(
    site: Site, endpoint: TlsServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    stranger = Authority(tmp_path_factory.mktemp("stranger") / "ca")
    endpoint.pem = stranger.issue("stranger", days=90)
    ended = site.run("certificate-expiry")
    assert not ended.succeeded
    assert "unable to get local issuer certificate" in ended.output or "self-signed" in ended.output
