"""GitLab's Code Quality report, which a merge request compares with that of its target branch.

The form is the one of docs.gitlab.com/ci/testing/code_quality (a part of Code Climate's). Read through `specs.render`.
"""

from __future__ import annotations

import orjson

from specs.diagnostic import Diagnostic, Severity
from specs.render.fingerprints import fingerprints


def code_quality(diagnostics: list[Diagnostic]) -> str:
    """A list of issues; `[]` when there are none."""
    pairs = zip(diagnostics, fingerprints(diagnostics), strict=True)
    issues = [_issue(each, fingerprint) for each, fingerprint in pairs]
    return orjson.dumps(issues, option=orjson.OPT_INDENT_2).decode() + "\n"


def _issue(diagnostic: Diagnostic, fingerprint: str) -> dict[str, object]:
    help = f" ({diagnostic.help})" if diagnostic.help else ""
    return {
        "description": f"{diagnostic.message}{help}",
        "check_name": diagnostic.code,
        "fingerprint": fingerprint,
        "severity": "major" if diagnostic.severity is Severity.ERROR else "minor",
        "location": {"path": diagnostic.path, "lines": {"begin": diagnostic.line}},
    }
