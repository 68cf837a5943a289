"""SARIF 2.1.0 (OASIS), which code hosts take as the result of a scan. Read through `specs.render`.

The rules are those of the codes that were found, with their explanations and examples; there are no addresses of pages
in it, for where the documentation of an installation is cannot be known here.
"""

from __future__ import annotations

from urllib.parse import quote

import orjson

from specs.codes import CODES
from specs.diagnostic import Diagnostic
from specs.render.fingerprints import fingerprints

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def log(diagnostics: list[Diagnostic]) -> str:
    """One log with one run, also when there are no findings: so a host learns that they are gone."""
    rules = sorted({each.code for each in diagnostics})
    pairs = zip(diagnostics, fingerprints(diagnostics), strict=True)
    run = {
        "tool": {"driver": {"name": "jobsctl", "rules": [_rule(code) for code in rules]}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(each, rules.index(each.code), fingerprint) for each, fingerprint in pairs],
    }
    text = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return orjson.dumps(text, option=orjson.OPT_INDENT_2).decode() + "\n"


def _rule(name: str) -> dict[str, object]:
    code = CODES[name]
    words = "".join(word.capitalize() for word in code.title.replace("'", "").replace(",", "").split())
    example = (
        f"```{code.language}\n{code.bad.rstrip()}\n```\n\nBetter:\n\n```{code.language}\n{code.good.rstrip()}\n```"
    )
    return {
        "id": name,
        "name": "".join(letter for letter in words if letter.isalnum()),
        "shortDescription": {"text": code.title[:1].upper() + code.title[1:]},
        "fullDescription": {"text": code.explanation},
        "help": {
            "text": f"{code.explanation}\n\n{code.bad.rstrip()}\n\nBetter:\n\n{code.good.rstrip()}",
            "markdown": f"{code.explanation}\n\n{example}",
        },
        "defaultConfiguration": {"level": code.severity},
    }


def _result(diagnostic: Diagnostic, rule: int, fingerprint: str) -> dict[str, object]:
    region: dict[str, object] = {"startLine": diagnostic.line, "startColumn": diagnostic.column}
    if diagnostic.end_column is not None:
        region["endColumn"] = diagnostic.end_column
    if diagnostic.source_line is not None:
        region["snippet"] = {"text": diagnostic.source_line}
    help = f"\n{diagnostic.help}" if diagnostic.help else ""
    return {
        "ruleId": diagnostic.code,
        "ruleIndex": rule,
        "level": str(diagnostic.severity),
        "message": {"text": f"{diagnostic.message}{help}"},
        "locations": [
            {"physicalLocation": {"artifactLocation": {"uri": _uri(diagnostic.path)}, "region": region}},
        ],
        "partialFingerprints": {"jobsctl/v1": fingerprint},
    }


def _uri(path: str) -> str:
    """Relative to where the command was called, as paths are; a host takes that for the root of the repository."""
    escaped = quote(path, safe="/", errors="backslashreplace")
    return f"file://{escaped}" if path.startswith("/") else escaped
