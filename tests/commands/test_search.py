"""`jobsctl search`: what is found, in which order, and what of it is shown."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from status.search import parse_query, search


def job(name: str, more: str = "") -> str:
    return f"name: {name}\nrun: {{command: [run-it]}}\n{more}"


@pytest.fixture
def house(known):
    texts = {
        "backup-db": "description: Copies the ledger.\nlabels: {team: data}\n",
        "ship": "description: Takes the backup to another site.\ntags: [offsite]\n",
        "cafe": "description: Zählt die Tassen im Café.\nannotations: {owner: Zoë}\n",
        "hidden": "env: {TOKEN: s3cr3t-backup-word}\n",
    }
    for name, more in texts.items():
        known.job(job(name, more), path=f"{name}.yaml")
    known.job("name: dump\nproject: ops\nrun: {script: \"set -e\\npg_dump --clean 'ledger'\\n\"}\n", path="dump.yaml")
    return known


@pytest.mark.parametrize(
    ("words", "found"),
    [
        pytest.param(["backup"], ["default/backup-db", "default/ship"], id="name before description"),
        pytest.param(["back"], ["default/backup-db", "default/ship"], id="beginning of a word"),
        pytest.param(["ackup"], [], id="not the middle of a word"),
        pytest.param(["BACKUP", "site"], ["default/ship"], id="all words, any case"),
        pytest.param(["CAFÉ"], ["default/cafe"], id="accents asked for"),
        pytest.param(["zahlt"], ["default/cafe"], id="accents not asked for"),
        pytest.param(["zoe"], ["default/cafe"], id="annotation"),
        pytest.param(["offsite"], ["default/ship"], id="tag"),
        pytest.param(["team=data"], ["default/backup-db"], id="label as it is written"),
        pytest.param(["ops"], ["ops/dump"], id="project"),
        pytest.param(["pg_dump"], ["ops/dump"], id="script"),
        pytest.param(["dump clean"], ["ops/dump"], id="a phrase"),
        pytest.param(["clean dump"], [], id="a phrase has an order"),
        pytest.param(['"the ledger"'], ["default/backup-db"], id="a phrase in quotes of its own"),
        pytest.param(["clean", "dump"], ["ops/dump"], id="words have none"),
        pytest.param(["s3cr3t"], [], id="the value of a variable is never found"),
        pytest.param(["TOKEN"], [], id="nor its name"),
        pytest.param(["-n", "1", "backup"], ["default/backup-db"], id="limit"),
        pytest.param(["-p", "ops", "ledger"], ["ops/dump"], id="of a project"),
        pytest.param(["-l", "team", "backup"], ["default/backup-db"], id="of a label"),
    ],
)
def test_what_is_found_best_first(house, jobsctl, words, found):
    done = jobsctl("search", *words, "-o", "name")
    assert (done.code, done.out.split()) == (0, [f"job/{identity}" for identity in found])


def test_the_match_is_marked_and_the_best_scores_one(house, jobsctl):
    assert jobsctl("search", "site").out == ("default/ship\n    description: Takes the backup to another **site**.\n")
    data = json.loads(jobsctl("search", "backup", "-o", "json", "-n", "1").out)
    assert data["total"] == 2
    (hit,) = data["items"]
    assert (hit["job"], hit["score"]) == ("default/backup-db", 1.0)
    assert hit["snippet"] == {"field": "description", "text": "Copies the ledger.", "matches": []}
    (hit,) = json.loads(jobsctl("search", "clean", "-o", "json").out)["items"]
    text = hit["snippet"]["text"]
    assert [text[first:last] for first, last in hit["snippet"]["matches"]] == ["clean"]


def test_on_a_terminal_the_match_is_bold(house, jobsctl, monkeypatch):
    monkeypatch.setattr("cli.searching.wants_color", lambda settings: True)
    assert "another \x1b[1msite\x1b[0m." in jobsctl("search", "site").out


def test_nothing_found_and_nothing_to_search_for(house, jobsctl):
    done = jobsctl("search", "zebra")
    assert (done.code, done.out) == (0, "")
    assert "No job has zebra" in done.err
    assert jobsctl("search", "***").code == 2


@pytest.mark.parametrize("words", [["psql"], ["h7Gq2xabcd"], ["psql", "h7Gq2xabcd"]])
def test_a_secret_that_stands_in_clear_is_not_shown(known, jobsctl, words):
    known.job("name: a\nrun: {command: [psql, --password, h7Gq2xabcd]}\n", path="a.yaml")
    known.job("name: b\ndescription: psql\nrun: {script: 'PGPASSWORD=h7Gq2xabcd psql'}\n", path="b.yaml")
    done = jobsctl("search", *words)
    assert "default/a" in done.out
    assert "default/b" in done.out
    assert "h7Gq2xabcd" not in done.out + jobsctl("search", *words, "-o", "json").out
    if words == ["psql"]:
        assert "**psql** --password ***" in done.out


@pytest.mark.parametrize("limit", [1, 5])
def test_who_must_not_read_specs_does_not_find_a_secret_out_letter_by_letter(limit):
    specs = [
        ("p/a", b'{"name":"a","description":"nightly h7","run":{"command":["psql","--password","h7Gq2xabcd"]}}'),
        ("p/b", b'{"name":"b","description":"nightly","run":{"script":"PGPASSWORD=h7Gq2xabcd psql"}}'),
    ]

    def found(words, **how):
        hits, total = search(specs, parse_query(words), limit=limit, **how)
        assert len(hits) == min(limit, total)
        return total

    assert found("h7gq") == 2
    for words in ("h7gq", "h7gq2xabcd", "psql h7gq", "nightly h7g"):
        assert found(words, secrets=False) == 0
    assert found("nightly h7", secrets=False) == 1
    assert found("psql", secrets=False) == 2


def test_a_control_character_of_a_spec_does_not_reach_the_terminal(known, jobsctl):
    known.job(job("evil", 'description: "red \\e[31m alert \\x02x\\x03"\n'))
    assert "\x1b" not in jobsctl("search", "alert").out


SPECS = [
    ("default/alpha", b'{"name":"alpha","description":"one two","run":{"command":["a"]}}'),
    ("default/beta", '{"name":"beta","description":"zwölf","run":{"script":"x"}}'.encode()),
]


@settings(derandomize=True, max_examples=60)
@given(st.text(alphabet=st.one_of(st.sampled_from("\"*()^:+-{} ANDORNEAR'\\;,"), st.characters()), max_size=40))
def test_no_text_is_syntax(text):
    search(SPECS, parse_query(text), limit=5)


WORDS = st.sampled_from(["ab", "abc", "b", "xyz", "x", "é"])


@settings(derandomize=True, max_examples=60)
@given(st.lists(st.lists(WORDS, max_size=4), max_size=6), st.lists(WORDS, min_size=1, max_size=3))
def test_found_is_what_has_every_word_at_the_beginning_of_one(texts, words):
    """Against a plain search; the letters-first filter must not lose one."""
    specs = [
        (f"p/{number}", b'{"description":"' + " ".join(text).encode() + b'"}') for number, text in enumerate(texts)
    ]

    def folded(word: str) -> str:
        return word.replace("é", "e")

    expected = {
        f"p/{number}"
        for number, text in enumerate(texts)
        if all(any(folded(own).startswith(folded(word)) for own in [*text, "p"]) for word in words)
    }
    hits, total = search(specs, parse_query(" ".join(words)), limit=100)
    assert {hit.identity for hit in hits} == expected
    assert total == len(expected)


def test_it_loads_nothing_heavy():
    loaded = "import sys, cli.commands.search, status.search, state.reads, cli.output; print('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True).stdout == "False\n"
