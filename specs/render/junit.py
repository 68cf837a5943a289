"""JUnit's XML, as Jenkins and GitLab read it: a test case per file, which fails when the file has an error.

The form is jenkinsci/xunit-plugin's junit-10.xsd. Read through `specs.render`.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from specs.diagnostic import Diagnostic, Severity
from specs.render.text import concise, full, visible


def suites(diagnostics: list[Diagnostic], files: Sequence[str], *, strict: bool) -> str:
    """One suite. `files`: all that were checked, also those without findings; `strict`: warnings are failures."""
    by_path: dict[str, list[Diagnostic]] = {path: [] for path in sorted(files)}
    for each in diagnostics:
        by_path.setdefault(each.path, []).append(each)
    failed = {path for path, found in by_path.items() if any(_fails(each, strict) for each in found)}
    counts = f'tests="{len(by_path)}" failures="{len(failed)}" errors="0"'
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuites name="jobsctl" {counts}>',
        f'  <testsuite name="jobsctl validate" {counts} skipped="0">',
        *(line for path, found in by_path.items() for line in _case(path, found, strict)),
        "  </testsuite>",
        "</testsuites>",
    ]
    return "\n".join(lines) + "\n"


def _case(path: str, found: list[Diagnostic], strict: bool) -> list[str]:
    start = f"    <testcase classname={_attribute('jobsctl.validate')} name={_attribute(path)}"
    if not found:
        return [f"{start}/>"]
    lines = [f"{start}>"]
    failures = [each for each in found if _fails(each, strict)]
    others = [each for each in found if not _fails(each, strict)]
    if failures:
        first = failures[0]
        more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
        said = _attribute(f"{first.line}:{first.column}: {first.message}{more}")
        kinds = _attribute(", ".join(sorted({each.code for each in failures})))
        lines.append(f"      <failure type={kinds} message={said}>{escape(full(failures, False))}</failure>")
    if others:
        lines.append(f"      <system-out>{escape(concise(others, False))}</system-out>")
    return [*lines, "    </testcase>"]


def _fails(diagnostic: Diagnostic, strict: bool) -> bool:
    return strict or diagnostic.severity is Severity.ERROR


def _attribute(text: str) -> str:
    """Quoted. XML has no way to write most control characters, and `visible` has none."""
    return quoteattr(visible(text))
