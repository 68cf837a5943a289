"""`graph`: who follows whom, as a tree, as DOT that graphviz reads, and as data."""

from __future__ import annotations

import json
import subprocess
from itertools import pairwise

import pytest

from cli.graph import dot_lines, text_lines
from cli.output import Cell
from state.records import RunState
from status.graph import Edge, Graph, graph_of
from tests.commands.conftest import HOUR, MINUTE, NOW
from tests.commands.dot_grammar import read_dot
from tests.commands.telling import record_of
from tests.components import program


@pytest.fixture
def chain(known):
    """extract -> clean, load -> report (a diamond) -> mail, which also needs what no file defines; and a loner."""

    def job(name: str, extra: str = "schedule: hourly\n", **fields):
        return known.job(f"name: {name}\n{extra}run: {{command: [a]}}\n", path=f"{name}.yaml", **fields)

    extract = job("extract")
    clean = job("clean", "depends_on: [extract]\n", next_at=None)
    job("load", "depends_on: [extract]\n", next_at=None)
    job("report", "depends_on: [clean, load]\n", next_at=None)
    job("mail", "depends_on: [report, {job: gone, max_age: 6h}]\n", next_at=None)
    job("loner")
    known.run(extract, ago=10 * MINUTE)
    known.run(clean, ago=5 * MINUTE, state=RunState.FAILED)


TREE = """\
default/extract  active, succeeded 9m58s ago
├─ default/clean  failed 4m58s ago
│  └─ default/report  pending; waits for default/clean, default/load  (also after default/load)
│     └─ default/mail  pending; waits for default/report, default/gone  (also after default/gone)
└─ default/load  pending
   └─ default/report  (above)
default/gone  no file defines it
└─ default/mail  (not older than 6h00m)  (above)
"""


class TestText:
    def test_a_tree_with_states_fan_in_and_a_diamond(self, jobsctl, chain):
        done = jobsctl("graph")
        assert (done.code, done.out, done.err) == (0, TREE, "")

    def test_one_job_with_what_it_follows_and_what_follows_it(self, jobsctl, chain):
        out = jobsctl("graph", "clean").out
        assert out.splitlines()[:3] == [
            "default/extract  active, succeeded 9m58s ago",
            "├─ default/clean *  failed 4m58s ago",
            "│  └─ default/report  pending; waits for default/clean, default/load  (also after default/load)",
        ]

    def test_a_job_without_any_is_told(self, jobsctl, chain):
        done = jobsctl("graph", "loner")
        assert (done.code, done.out) == (0, "")
        assert done.err == "default/loner depends on nothing, and nothing on it.\n"

    def test_no_dependency_at_all_is_told(self, jobsctl, known):
        known.job()
        done = jobsctl("graph")
        assert (done.code, done.out, done.err) == (0, "", "No job depends on another one.\n")

    def test_a_project_is_shown_with_its_neighbours(self, jobsctl, known, chain):
        known.job(
            "name: x\nproject: other\nrun: {command: [a]}\ndepends_on: [default/load]\n", path="x.yaml", next_at=None
        )
        out = jobsctl("graph", "-p", "other", "-o", "name").out
        assert out == "job/default/load\njob/other/x\n"

    def test_a_chain_of_thousands_does_not_exhaust_the_stack(self):
        names = [f"default/j{n}" for n in range(5000)]
        graph = Graph(dict.fromkeys(names), tuple(Edge(a, b, None, True) for a, b in pairwise(names)))
        assert len(list(text_lines(graph, NOW, chosen=None, utf8=False))) == 5000

    def test_a_circle_in_an_old_database_is_drawn_and_ends(self):
        jobs = [record_of({"name": a, "schedule": None, "depends_on": [b]}) for a, b in (("a", "b"), ("b", "a"))]
        lines = list(text_lines(graph_of(jobs, NOW, default_timezone="UTC"), NOW, chosen=None, utf8=False))
        shown = [line.text if isinstance(line, Cell) else line for line in lines]
        assert shown[2] == "   `- default/a  (above)"

    def test_off_utf8_it_is_drawn_in_ascii(self):
        jobs = [record_of({"name": name, "schedule": None, "depends_on": ["a"]}) for name in ("b", "c")]
        lines = list(text_lines(graph_of(jobs, NOW, default_timezone="UTC"), NOW, chosen=None, utf8=False))
        assert [(line.text if isinstance(line, Cell) else line)[:3] for line in lines] == ["def", "|- ", "`- "]


class TestDot:
    def test_it_has_every_node_and_edge(self, jobsctl, chain):
        done = jobsctl("graph", "-o", "dot")
        assert done.code == 0
        dot = read_dot(done.out)
        assert list(dot.nodes) == [f"default/{name}" for name in ("clean", "extract", "gone", "load", "mail", "report")]
        assert {(a, b): "style" in attributes for a, b, attributes in dot.edges} == {
            ("default/extract", "default/clean"): False,
            ("default/extract", "default/load"): False,
            ("default/clean", "default/report"): True,
            ("default/load", "default/report"): True,
            ("default/report", "default/mail"): True,
            ("default/gone", "default/mail"): True,
        }
        assert dot.nodes["default/clean"]["label"] == "default/clean\\nfailed 4m58s ago"

    def test_quotes_and_backslashes_stay_inside_their_strings(self):
        hostile = 'default/"] ; evil [label="\\'
        graph = Graph({hostile: None, "default/b": None}, (Edge(hostile, "default/b", None, False),))
        dot = read_dot("\n".join(dot_lines(graph, NOW)))
        assert list(dot.nodes) == [hostile, "default/b"]
        assert [(a, b) for a, b, _ in dot.edges] == [(hostile, "default/b")]

    def test_graphviz_takes_it(self, jobsctl, chain):
        out = jobsctl("graph", "-o", "dot").out
        subprocess.run([program("dot"), "-Tsvg"], input=out.encode(), capture_output=True, check=True, timeout=20)

    @pytest.mark.parametrize("text", ["digraph a {", "digraph a { b -> ; }", 'digraph a { "b" [x=] ; }', "graph a { }"])
    def test_the_judge_of_dot_finds_what_is_wrong(self, text):
        with pytest.raises(ValueError, match="syntax error"):
            read_dot(text)


class TestData:
    def test_nodes_and_edges(self, jobsctl, chain):
        data = json.loads(jobsctl("graph", "-o", "json").out)
        assert (data["apiVersion"], data["kind"]) == ("jobsctl/v1", "Graph")
        nodes = {node.pop("job"): node for node in data["nodes"]}
        assert nodes["default/report"] == {
            "known": True, "phase": "pending", "lastRunState": None, "lastSuccessAt": None,
            "waitsFor": ["default/clean", "default/load"],
        }  # fmt: skip
        assert nodes["default/gone"]["known"] is False
        assert {"from": "default/gone", "to": "default/mail", "maxAgeSeconds": 21600.0, "ready": False} in data["edges"]

    def test_the_choice_of_output_before_the_command_counts_too(self, jobsctl, chain):
        assert json.loads(jobsctl("-o", "json", "graph", "mail").out)["kind"] == "Graph"

    def test_an_unknown_job_is_4(self, jobsctl, chain):
        assert jobsctl("graph", "lod").code == 4

    def test_a_success_that_was_used_is_waited_for_again(self):
        upstream = record_of({"name": "extract"}, last_success_at=NOW - HOUR, last_success_id="r1", last_end_id="r1",
                             anchor_at=NOW - 9 * HOUR)  # fmt: skip
        spec = {"name": "load", "depends_on": ["extract"]}
        for used, ready in ((NOW - 2 * HOUR, True), (NOW - HOUR, False)):
            job = record_of(spec, consumed={"default/extract": used})
            (edge,) = graph_of([upstream, job], NOW, default_timezone="UTC").edges
            assert edge.ready is ready
