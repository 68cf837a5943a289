"""What a job's file can make the daemon connect to: what the config allows, checked once, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from status.notify.callbacks.guard import Allowed, Refused, check
from status.notify.callbacks.url import InvalidUrl, parse_url
from tests.callbacks.receiver import Names

PUBLIC = "93.184.216.34"
PLAIN = Allowed()


def public() -> Names:
    return Names([[PUBLIC]])


@pytest.mark.parametrize(
    ("text", "scheme", "host", "port", "target", "authority"),
    [
        ("https://example.com", "https", "example.com", 443, "/", "example.com"),
        ("HTTPS://EXAMPLE.com./Hook?a=b#top", "https", "example.com", 443, "/Hook?a=b", "example.com"),
        ("http://example.com:8080?a", "http", "example.com", 8080, "/?a", "example.com:8080"),
        ("https://example.com:/x", "https", "example.com", 443, "/x", "example.com"),
        ("http://1.2.3.4./x", "http", "1.2.3.4", 80, "/x", "1.2.3.4"),
        ("https://[2606:4700:0:0::1111]:8443/", "https", "2606:4700::1111", 8443, "/", "[2606:4700::1111]:8443"),
        (
            "https://bücher.example/ö?ü",
            "https",
            "xn--bcher-kva.example",
            443,
            "/%C3%B6?%C3%BC",
            "xn--bcher-kva.example",
        ),
        ("https://straße.example/", "https", "xn--strae-oqa.example", 443, "/", "xn--strae-oqa.example"),
        ("http://１２７。０。０．１/", "http", "127.0.0.1", 80, "/", "127.0.0.1"),
        ("https://my_host.example/%2e%2e/a%20b", "https", "my_host.example", 443, "/%2e%2e/a%20b", "my_host.example"),
    ],
)
def test_an_address_has_one_form(text: str, scheme: str, host: str, port: int, target: str, authority: str) -> None:
    url = parse_url(text)
    assert (url.scheme, url.host, url.port, url.target, url.authority) == (scheme, host, port, target, authority)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("", "not of the form", id="nothing"),
        pytest.param("example.com/hook", "not of the form", id="no scheme"),
        pytest.param("ftp://example.com/", "neither http nor https", id="ftp"),
        pytest.param("file:///etc/passwd", "neither http nor https", id="a file"),
        pytest.param("gopher://127.0.0.1:6379/_x", "neither http nor https", id="gopher"),
        pytest.param("unix:///run/docker.sock", "neither http nor https", id="a socket"),
        pytest.param("https://user:word@example.com/", "user name or password", id="a password"),
        pytest.param("https://example.com@evil.example/", "user name or password", id="a name before @"),
        pytest.param("https://evil.example\\@example.com/", "backslash", id="a backslash"),
        pytest.param("https://example.com/a b", "white space", id="a space"),
        pytest.param("https://example.com/\r\nHost: x", "white space", id="a new line"),
        pytest.param("https://example.com/\udc80", "no text", id="bytes that are no text"),
        pytest.param("https://", "no name", id="no host"),
        pytest.param("https://:443/", "no name", id="only a port"),
        pytest.param("https://./", "no name", id="only a dot"),
        pytest.param("https://a..b/", "no name", id="an empty label"),
        pytest.param("https://a b.example/", "white space", id="a space in the host"),
        pytest.param("https://exa%6dple.com/", "no name", id="an escape in the host"),
        pytest.param("https://-a.example/", "no name", id="a hyphen first"),
        pytest.param(f"https://{'a' * 64}.example/", "no name", id="a long label"),
        pytest.param("https://[::1%25eth0]/", "zone id", id="a zone"),
        pytest.param("https://[::1/", "cannot be read", id="half a bracket"),
        pytest.param("https://[127.0.0.1]/", "no IPv6", id="IPv4 in brackets"),
        pytest.param("https://[v1.x]/", "no IPv6", id="an address of the future"),
        pytest.param("https://::1/", "cannot be read", id="no brackets"),
        pytest.param("https://example.com:65536/", "port", id="a port too high"),
        pytest.param("https://example.com:0/", "port", id="port 0"),
        pytest.param("https://example.com:8x/", "cannot be read", id="no port"),
        pytest.param("https://example.com:80:80/", "cannot be read", id="two ports"),
        pytest.param("http://2130706433/", "address 127.0.0.1 in an unusual way", id="decimal"),
        pytest.param("http://0177.0.0.1/", "address 127.0.0.1 in an unusual way", id="octal"),
        pytest.param("http://0x7f.1/", "address 127.0.0.1 in an unusual way", id="hexadecimal"),
        pytest.param("http://0x7F000001/", "address 127.0.0.1 in an unusual way", id="one hexadecimal number"),
        pytest.param("http://127.1/", "address 127.0.0.1 in an unusual way", id="short"),
        pytest.param("http://127.0.0.1../", "no name", id="two dots"),
        pytest.param("http://1.2.3.4.5/", "ends in a number", id="five parts"),
        pytest.param("http://256.1.1.1/", "ends in a number", id="a part too large"),
        pytest.param("http://example.0x7/", "ends in a number", id="a name before a number"),
        pytest.param("https://" + "a" * 2048, "2048", id="too long"),
    ],
)
def test_what_can_be_read_two_ways_is_refused(text: str, words: str) -> None:
    with pytest.raises(InvalidUrl, match=words):
        parse_url(text)
    with pytest.raises(Refused, match="the URL"):
        check(text, PLAIN, public())


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=40), st.from_regex(r"https?://[^/]{0,30}(/.{0,10})?", fullmatch=True)))
def test_no_text_breaks_the_reader_and_what_it_takes_it_takes_again(text: str) -> None:
    try:
        url = parse_url(text)
    except InvalidUrl as error:
        assert len(text) < 6 or text not in str(error)
        return
    assert url.target.isascii() and url.authority.isascii() and " " not in url.target + url.authority
    assert parse_url(f"{url.scheme}://{url.authority}{url.target}") == url


def test_a_public_name_is_resolved_once_and_its_addresses_kept() -> None:
    names = Names([[PUBLIC, "2606:4700::1111", PUBLIC], ["127.0.0.1"]])
    target = check("https://example.com/hook", PLAIN, names)
    assert list(target.addresses) == [PUBLIC, "2606:4700::1111"]
    assert names.asked == ["example.com"]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(["127.0.0.1"], id="ourselves"),
        pytest.param([PUBLIC, "10.0.0.5"], id="one of two is private"),
        pytest.param([PUBLIC] * 9 + ["1.1.1.1", "8.8.8.8", "9.9.9.9", "4.4.4.4", "::1"], id="the last of many"),
        pytest.param(["::ffff:192.168.0.1"], id="mapped"),
        pytest.param(["169.254.169.254"], id="credentials of a cloud"),
        pytest.param(["64:ff9b::7f00:1"], id="NAT64 of ourselves"),
        pytest.param(["fe80::1%lo"], id="link-local, with its interface"),
    ],
)
def test_every_address_of_a_name_must_be_public(answer: list[str]) -> None:
    with pytest.raises(Refused, match=r"example\.com has the address"):
        check("https://example.com/", PLAIN, Names([answer]))


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "10.0.0.1", "169.254.169.254", "[::ffff:127.0.0.1]", "0.0.0.0"])
def test_an_address_is_checked_without_a_resolver(host: str) -> None:
    names = public()
    with pytest.raises(Refused):
        check(f"http://{host}/", PLAIN, names)
    assert names.asked == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param(OSError(-2, "Name or service not known"), "no address of example.com is found", id="unknown"),
        pytest.param([], "has no address", id="none"),
        pytest.param(["nonsense"], "no address", id="nonsense"),
    ],
)
def test_a_name_without_an_address_is_told(answer: list[str] | OSError, words: str) -> None:
    with pytest.raises(Refused, match=words):
        check("https://example.com/", PLAIN, Names([answer]))


@pytest.mark.parametrize(
    ("allowed", "url", "answer", "words"),
    [
        pytest.param(Allowed(), "http://example.com:22/", PUBLIC, "port 22", id="a port nobody allowed"),
        pytest.param(Allowed(ports=[8443]), "https://example.com:8443/", PUBLIC, None, id="a port that is allowed"),
        pytest.param(Allowed(ports=[8443]), "https://example.com/", PUBLIC, "port 443", id="only that port"),
        pytest.param(Allowed(hosts=["hooks.example.com"]), "https://HOOKS.example.com./", PUBLIC, None, id="a host"),
        pytest.param(Allowed(hosts=["hooks.example.com"]), "https://example.com/", PUBLIC, "no pattern", id="another"),
        pytest.param(Allowed(hosts=["*.example.com"]), "https://a.b.example.com/", PUBLIC, None, id="below"),
        pytest.param(Allowed(hosts=["*.example.com"]), "https://example.com/", PUBLIC, "no pattern", id="not itself"),
        pytest.param(Allowed(hosts=["*.example.com"]), "https://evilexample.com/", PUBLIC, "no pattern", id="alike"),
        pytest.param(Allowed(hosts=[]), "https://example.com/", PUBLIC, "no pattern", id="none at all"),
        pytest.param(Allowed(hosts=["hooks.internal"]), "https://hooks.internal/", "10.1.0.1", "private", id="hosts "
                     "alone make nothing public"),
        pytest.param(Allowed(private=["hooks.internal"]), "https://hooks.internal/", "10.1.0.1", None, id="a name"),
        pytest.param(Allowed(private=["hooks.internal"]), "https://other.internal/", "10.1.0.1", "private", id="its "
                     "address by another name"),
        pytest.param(Allowed(private=["10.1.0.0/16"]), "https://x.example/", "10.1.0.1", None, id="a network"),
        pytest.param(Allowed(private=["10.1.0.0/16"]), "https://10.1.0.9/", "", None, id="an address in it"),
        pytest.param(Allowed(private=["127.0.0.1"]), "http://localhost/", "127.0.0.1", None, id="one address"),
        pytest.param(Allowed(private=["127.0.0.1"]), "http://127.0.0.2/", "", "of this machine", id="not the next"),
        pytest.param(Allowed(private=["hooks.internal"]), "http://hooks.internal/", "169.254.169.254", "credentials",
                     id="a name that turned to a cloud's credentials"),
        pytest.param(Allowed(private=["hooks.internal"]), "ftp://hooks.internal/", "10.1.0.1", "neither", id="scheme"),
    ],
)  # fmt: skip
def test_what_the_config_allows(allowed: Allowed, url: str, answer: str, words: str | None) -> None:
    names = Names([[answer]])
    if words is None:
        assert check(url, allowed, names).addresses
    else:
        with pytest.raises(Refused, match=words):
            check(url, allowed, names)
