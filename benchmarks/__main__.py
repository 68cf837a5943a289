"""`python -m benchmarks`: runs the sections, each in a process of its own, prints a table for each.

A section that fails, or takes longer than it may, gives a line that says so; the others go on. Whatever a section left
behind (it should be nothing) is found by the path of its work directory, which no other process can have in its name.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import machine, processes, report
from benchmarks.figures import Figure, not_measured
from benchmarks.sections import SECTIONS, Section
from benchmarks.workshop import BUILD, CHECKOUT, MEMORY_DISK


def main() -> int:
    """The exit code: 0, also when targets are missed; 1 when a section did not end as it should."""
    options = _options()
    chosen = [section for section in SECTIONS if not options.only or section.name in options.only]
    if options.list:
        for section in chosen:
            print(f"{section.name:10} {section.title}")
        return 0
    (BUILD / "work").mkdir(parents=True, exist_ok=True)
    about = machine.describe(BUILD)
    print("\n".join(f"{name:12} {value}" for name, value in about.items()), flush=True)
    began, results, sound = time.monotonic(), {}, True
    for section in chosen:
        print(f"\n## {section.title} ({section.name})", flush=True)
        figures, ended_well, seconds = run_section(section, quick=options.quick)
        sound &= ended_well
        results[section.name] = figures
        print(report.table(figures))
        print(f"({seconds:.0f} s)", flush=True)
    everything = [figure for figures in results.values() for figure in figures]
    print(f"\n{report.summary(everything)}; {time.monotonic() - began:.0f} s in all")
    if options.json:
        data = {name: [figure.as_json() for figure in figures] for name, figures in results.items()}
        options.json.write_text(json.dumps({"machine": about, "sections": data}, indent=1), encoding="utf-8")
    if options.markdown:
        options.markdown.write_text(_page(about, chosen, results), encoding="utf-8")
    return 0 if sound else 1


def run_section(section: Section, *, quick: bool) -> tuple[list[Figure], bool, float]:
    """Its figures, whether it ended by itself and without an error, and how long it took in seconds."""
    work = Path(tempfile.mkdtemp(prefix=f"{section.name}-", dir=BUILD / "work"))
    # A repository of its own: the product would else follow the checkout's, and wait when somebody commits there.
    subprocess.run(["git", "init", "--quiet", str(work)], check=True, timeout=10)
    began = time.monotonic()
    command = [sys.executable, "-m", "benchmarks.section", section.name, str(work), *(["--quick"] if quick else [])]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=CHECKOUT, start_new_session=True, text=True)
    problem = ""
    try:
        output, _ = child.communicate(timeout=section.quick_limit if quick else section.limit)
        if child.returncode != 0:
            problem = f"the section ended with exit code {child.returncode}"
    except subprocess.TimeoutExpired:
        child.terminate()  # its `finally` clauses end what it started
        problem = f"stopped after {time.monotonic() - began:.0f} s"
        try:
            output, _ = child.communicate(timeout=15)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            output, _ = child.communicate()
    except BaseException:
        child.terminate()
        child.wait(timeout=15)
        raise
    finally:
        processes.end(processes.naming(str(work)))
        shutil.rmtree(work, ignore_errors=True)
        for folder in MEMORY_DISK.glob(f"{work.name}-*"):
            processes.end(processes.naming(str(folder)))
            shutil.rmtree(folder, ignore_errors=True)
    figures = [Figure.from_json(json.loads(line)) for line in output.splitlines() if line.startswith("{")]
    if problem:
        figures.append(not_measured("the rest of this section", problem))
    return figures, not problem, time.monotonic() - began


def _page(about: dict[str, str], chosen: list[Section], results: dict[str, list[Figure]]) -> str:
    everything = [figure for figures in results.values() for figure in figures]
    lines = [report.PREFACE, report.summary(everything).capitalize() + ".", "", "| | |", "| --- | --- |"]
    lines += [f"| {name} | {value} |" for name, value in about.items()]
    for section in chosen:
        lines += ["", f"## {section.title}", "", f"`python -m benchmarks --only {section.name}`", ""]
        lines.append(report.markdown(results[section.name]))
    return "\n".join(lines) + "\n"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="smaller numbers, about three minutes, fewer rivals")
    parser.add_argument("--only", action="append", metavar="NAME", help="this section; may be given again")
    parser.add_argument("--list", action="store_true", help="the sections")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures there")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="also write the tables there")
    options = parser.parse_args()
    unknown = set(options.only or ()) - {section.name for section in SECTIONS}
    if unknown:
        parser.error(f"no section {', '.join(sorted(unknown))}; `--list` shows them")
    return options


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
