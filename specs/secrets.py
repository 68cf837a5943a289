"""Secrets written in clear: which texts are one. The lint (`specs.lint.clear`), plans and imports ask here.

Pure. Two signs: a variable is called like a secret and holds a literal, or a text has the shape of a known token.
Shapes are those the issuers document (prefixes made to be found); a reference, a path or a placeholder is no secret.
What is found is a place in a text: nothing here returns or prints the secret itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple


class Secret(NamedTuple):
    """A stretch of a text."""

    start: int
    end: int
    what: str
    """What it seems to be: `a GitHub token`."""


_SHAPES: tuple[tuple[str, str], ...] = (
    ("a private key", r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----[^-]*"),
    ("an AWS access key", r"(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z2-7]{16}(?![A-Za-z0-9])"),
    ("a GitHub token", r"(?<![A-Za-z0-9])(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})"),
    ("a GitLab token", r"(?<![A-Za-z0-9])glpat-[A-Za-z0-9_.-]{20,}"),
    ("a Slack token", r"(?<![A-Za-z0-9])xox[abeoprs]-[A-Za-z0-9-]{10,}"),
    ("a Slack webhook", r"https://hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9+/]{24,}"),
    ("a Stripe key", r"(?<![A-Za-z0-9])[rs]k_live_[A-Za-z0-9]{16,}"),
    ("a Google API key", r"(?<![A-Za-z0-9])AIza[A-Za-z0-9_-]{35}"),
    ("an Anthropic key", r"(?<![A-Za-z0-9])sk-ant-[A-Za-z0-9_-]{20,}"),
    ("an OpenAI key", r"(?<![A-Za-z0-9])sk-(?:proj-|svcacct-)[A-Za-z0-9_-]{32,}"),
    ("an OpenAI key", r"(?<![A-Za-z0-9])sk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}"),
    ("an npm token", r"(?<![A-Za-z0-9])npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])"),
    ("a PyPI token", r"(?<![A-Za-z0-9])pypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{30,}"),
    ("a webhook's key", r"(?<![A-Za-z0-9])whsec_[A-Za-z0-9+/]{24,}={0,2}"),
    ("a SendGrid key", r"(?<![A-Za-z0-9])SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}"),
    ("a signed web token", r"(?<![A-Za-z0-9])eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
)
_TOKEN = re.compile("|".join(f"(?P<shape{index}>{pattern})" for index, (_, pattern) in enumerate(_SHAPES)))
_URL = re.compile(r"""[A-Za-z][A-Za-z0-9+.-]*://[^\s/:@'"<>]*:(?P<value>[^\s/@'"<>]+)@[^\s/@'"]""")
_HEADER = re.compile(r"(?i)authorization:\s*(?:bearer|basic|token)\s+(?P<value>[A-Za-z0-9._~+/=-]{8,})")

_QUALIFIERS = (
    "ACCESS|ACCOUNT|ADMIN|API|APP|AUTH|BOT|CLIENT|CONSUMER|CRYPT|DECRYPTION|DEPLOY|ENCRYPTION|HMAC|JWT|LICENSE|MASTER|"
    "PRIVATE|SECRET|SERVER|SERVICE|SESSION|SHARED|SIGNING|SSH|STORAGE|WEBHOOK"
)
_PASSWORD_NAME = re.compile(r"(?i)(?:.*(?:PASSWORD|PASSWD|PASSPHRASE|[_-]PWD|[_-]PASS)|PASS)[_-]?\d*")
_SECRET_NAME = re.compile(rf"(?i)(?:.*(?:SECRET|TOKEN|APIKEY)|(?:.*[_-])?(?:{_QUALIFIERS})[_-]?KEY)[_-]?\d*")
_KEY_NAME = re.compile(r"(?i)(?:.*[_-])?(?:KEY|CREDENTIALS?)[_-]?\d*")
_NO_SECRET_NAME = re.compile(
    r"(?i).*(?:PUBLIC|PUB)[_-]?KEY|(?:.*[_-])?(?:ALLOW|REQUIRE|RESET|CHECK|PROMPT|DISABLE|ENABLE|NO|EMPTY|USE|ROTATE)"
    r"[_-].*|(?:.*[_-])?(?:MAX|MIN|NUM|PAD|EOS|BOS|UNK|STOP|NEXT|START|END|MASK|SEP|CLS)[_-]?TOKEN"
)
_REFERENCE = re.compile(
    r"""(?x)
      .*(?: \$[{(] | ` | \{\{ | %\( ).*                                    # filled in by a shell or a template
    | (?: .*[^A-Za-z0-9] )? \$ [A-Za-z0-9_@] .*
    | (?: [./~]*/ | [A-Za-z]:\\ ) [^\s]* (?: / | \. ) [^\s]*               # a path
    | /[A-Za-z0-9._-]+
    | (?: https?|file|env|vault|op|arn|ssm|awssm|gs|s3|sops|secretsmanager|secret|keyring|pass ) :.*  # kept elsewhere
    | ENC\[.*
    """,
    re.DOTALL,
)
_PLACEHOLDER = re.compile(
    r"""(?ix)
      <.*> | \[.*\] | \*+ | \.+ | -+ | _+ | \#+ | x{3,} | 0+
    | true | false | yes | no | on | off | y | n | none | null | nil | undefined | unset | empty | default | auto
    | enabled? | disabled? | optional | required | prompt | ask | file | env | stdin
    | change[-_ ]?(?:me|it|this).* | replace[-_ ]?(?:me|with|this).* | your[-_ ].* | my[-_ ]?(?:secret|password|token)
    | redacted | masked | hidden | placeholder | todo | fixme | tbd | dummy | fake | example | .*example
    """
)
_TOKEN_SERVICES = frozenset(
    {
        "bark", "discord", "feishu", "flock", "gchat", "gotify", "guilded", "ifttt", "lark", "line", "mailgun", "mmost",
        "msteam", "opsgenie", "pagerduty", "pagertree", "pbul", "pover", "prowl", "pushdeer", "rocket",
        "schan", "sendgrid", "signl4", "simplepush", "slack", "spike", "splunk", "tgram", "twilio", "victorop", "webex",
        "workflow", "wxteam", "zulip",
    }
)  # fmt: skip
"""Schemes of apprise, without an `s` at the end, whose addresses are little else than tokens."""
_RANDOM = re.compile(r"(?=[^\d]*\d)(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9+/=_.~-]{16,}")
_WORDS = re.compile(r"[a-z]+(?:[-_./:][a-z]+)+")
_OPTION = re.compile(r"--?(?P<name>[A-Za-z][A-Za-z0-9_-]*)(?:=(?P<value>.+))?", re.DOTALL)
_IN_SCRIPT = re.compile(
    r"""(?mx)
    (?: ^ | (?<=[\s;&|(]) )
    (?: --? (?P<option>[A-Za-z][A-Za-z0-9_-]*) (?: = | [ \t]+ )
      | (?: export [ \t]+ )? (?P<name>[A-Za-z_][A-Za-z0-9_]*) = )
    (?: "(?P<double>[^"\n]*)" | '(?P<single>[^'\n]*)' | (?P<plain>[^\s;&|)'"]+) )
    """
)


def variable_holds_secret(name: str, value: str) -> bool:
    """Whether a variable with this name and literal value is a secret in clear."""
    if not value or _NO_SECRET_NAME.fullmatch(name) or _REFERENCE.fullmatch(value) or _PLACEHOLDER.fullmatch(value):
        return False
    if _PASSWORD_NAME.fullmatch(name):
        return len(value) > 1 and not value.isspace()
    if _SECRET_NAME.fullmatch(name):
        if len(value) < 4 or value.isdecimal() or any(letter.isspace() for letter in value):
            return False
        return not _WORDS.fullmatch(value)  # `db-credentials`: the name of one
    return _KEY_NAME.fullmatch(name) is not None and _RANDOM.fullmatch(value) is not None


def holds_secret(name: str, value: str) -> bool:
    """As `variable_holds_secret`, or because a secret is part of the value, whatever the variable is called."""
    return variable_holds_secret(name, value) or any(True for _ in secrets_in_text(value))


def secrets_in_text(text: str) -> Iterator[Secret]:
    """Tokens of known shapes, passwords in URLs and credentials in HTTP headers, wherever they stand."""
    for found in _TOKEN.finditer(text):
        shape = int((found.lastgroup or "shape0").removeprefix("shape"))
        if not found[0].endswith("EXAMPLE"):  # those of the issuers' documentation
            yield Secret(*found.span(), _SHAPES[shape][0])
    for pattern, what in ((_URL, "the password of a URL"), (_HEADER, "the credential of a request")):
        for found in pattern.finditer(text):
            if not _literal(found["value"]) or _TOKEN.search(found["value"]):
                continue
            yield Secret(*found.span("value"), what)


def secret_in_address(text: str) -> Secret | None:
    """What is secret of an address a message is sent to: a password, a token of a known service, or a random part."""
    for found in secrets_in_text(text):
        return found
    scheme, _, rest = text.partition("://")
    start = len(scheme) + 3
    if scheme.lower().rstrip("s") in _TOKEN_SERVICES and rest and not _REFERENCE.fullmatch(rest):
        return Secret(start, len(text), "the token of a service")
    for part in re.finditer(r"[^/:@?&=]+", rest):
        if _RANDOM.fullmatch(part[0]) and "." not in part[0]:
            return Secret(start + part.start(), start + part.end(), "what seems to be a token")
    return None


def secrets_in_script(text: str) -> Iterator[Secret]:
    """As `secrets_in_text`, and variables and options that are called like a secret."""
    known = list(secrets_in_text(text))
    yield from known
    for found in _IN_SCRIPT.finditer(text):
        name = found["name"] or found["option"]
        group = next(each for each in ("double", "single", "plain") if found[each] is not None)
        start, end = found.span(group)
        literal = start < end and (group == "single" or "$" not in found[group])
        seen = any(start < each.end and each.start < end for each in known)
        if literal and not seen and variable_holds_secret(name, found[group]):
            yield Secret(start, end, f"the value of `{name}`")


def secrets_in_arguments(arguments: list[str]) -> Iterator[tuple[int, Secret]]:
    """The same in the arguments of a program: with the index of the argument."""
    for index, argument in enumerate(arguments):
        known = list(secrets_in_script(argument) if "\n" in argument or " " in argument else secrets_in_text(argument))
        yield from ((index, each) for each in known)
        option = _OPTION.fullmatch(argument)
        if option is None or known:
            continue
        value, at, start = option["value"], index, option.start("value")
        if value is None and index + 1 < len(arguments) and not arguments[index + 1].startswith("-"):
            value, at, start = arguments[index + 1], index + 1, 0
        if value and variable_holds_secret(option["name"], value) and not any(secrets_in_text(value)):
            yield at, Secret(start, start + len(value), f"the value of `{argument[: option.end('name')]}`")


def _literal(value: str) -> bool:
    return not (_REFERENCE.fullmatch(value) or _PLACEHOLDER.fullmatch(value))
