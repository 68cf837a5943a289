"""git-mirror against real bare repositories, http-poller against a real HTTP server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.examples.conftest import Site
from tests.examples.repository import git
from tests.examples.servers import WebServer


@pytest.fixture
def work(site: Site, tmp_path: Path) -> Path:
    """A clone of the shop's origin with one commit pushed."""
    clone = tmp_path / "work"
    git(tmp_path, "clone", "--quiet", f"file://{site.origins}/shop.git", str(clone))
    (clone / "README").write_text(f"{tmp_path}\n")
    git(clone, "add", ".")
    git(clone, "commit", "--quiet", "--message", "Add a file")
    git(clone, "push", "--quiet", "--force", "origin", "HEAD:main")
    return clone


def refs(repository: Path) -> str:
    return git(repository, "for-each-ref", "--format=%(refname) %(objectname)")


def test_mirror_follows_new_changed_and_deleted_refs(site: Site, work: Path) -> None:
    git(work, "push", "--quiet", "origin", "HEAD:refs/heads/feature")
    first = site.run("git-mirror")
    assert first.succeeded, first.output
    assert "refs/heads/feature" in refs(site.mirrors / "shop.git")

    git(work, "push", "--quiet", "origin", ":refs/heads/feature")
    git(work, "commit", "--quiet", "--amend", "--message", "Rewritten")
    git(work, "push", "--quiet", "--force", "origin", "HEAD:main", "HEAD:refs/tags/v1")
    second = site.run("git-mirror")

    assert second.succeeded, second.output
    assert refs(site.mirrors / "shop.git") == refs(site.origins / "shop.git")
    assert "ok   shop: 2 refs" in second.output


def test_one_lost_origin_fails_the_job_but_the_others_are_mirrored(site: Site, work: Path) -> None:
    lost = site.origins / "billing.git"
    away = lost.rename(site.origins / "elsewhere.git")
    try:
        ended = site.run("git-mirror")
    finally:
        away.rename(lost)
    assert not ended.succeeded
    assert "FAIL billing: could not be mirrored from" in ended.output
    assert "ok   shop" in ended.output
    assert "1 repositories not mirrored" in ended.output
    assert refs(site.mirrors / "shop.git") == refs(site.origins / "shop.git")


@pytest.fixture
def rates(site: Site, web: WebServer) -> Iterator[WebServer]:
    web.status, web.delay, web.body = 200, 0.0, b'{"rates": {"EUR": 1}}'
    yield web
    web.status, web.delay, web.body = 200, 0.0, b"{}"


def test_poller_keeps_a_document_once_and_then_asks_conditionally(site: Site, rates: WebServer) -> None:
    rates.body = b'{"rates": {"EUR": 2}}'
    first = site.run("http-poller")
    assert first.succeeded, first.output
    assert (first.outputs / "document.json").read_bytes() == rates.body == (site.rates / "latest.json").read_bytes()

    asked = len(rates.conditional)
    second = site.run("http-poller")
    assert second.succeeded, second.output
    assert "HTTP 304" in second.output
    assert second.result is not None
    assert second.result["changed"] is False
    assert list(second.outputs.iterdir()) == []
    assert len(rates.conditional) == asked + 1


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        pytest.param(503, b"", "HTTP 503 Service Unavailable", id="server in trouble"),
        pytest.param(200, b"<html>", "not JSON: ", id="a page instead of JSON"),
        pytest.param(200, b'{"rate": 1}', "the document has no 'rates'", id="another document"),
        pytest.param(200, b'["rates"]', "the document has no 'rates'", id="a list"),
    ],
)
def test_poller_fails_on_a_bad_answer_and_keeps_the_last_good_document(
    site: Site, rates: WebServer, status: int, body: bytes, message: str
) -> None:
    assert site.run("http-poller").succeeded
    good = (site.rates / "latest.json").read_bytes()
    rates.status, rates.body = status, body
    ended = site.run("http-poller")
    assert not ended.succeeded
    assert message in ended.output
    assert (site.rates / "latest.json").read_bytes() == good


def test_slow_answer_fails_but_its_document_is_kept(site: Site, rates: WebServer) -> None:
    rates.body, rates.delay = b'{"rates": {"EUR": 3}}', 1.1
    ended = site.run("http-poller")
    assert not ended.succeeded
    assert "is slower than 1 s" in ended.output
    assert (site.rates / "latest.json").read_bytes() == rates.body
