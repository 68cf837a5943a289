"""A wrong command line is told in our own words, whatever click says."""

from __future__ import annotations

import click
import pytest

from cli.main import COMMANDS, program


@pytest.mark.parametrize(
    ("arguments", "said", "hint"),
    [
        pytest.param(["runs", "-n", "0"], "--limit: 0 is not in the range 1 to 10000", None, id="out of range"),
        pytest.param(["top", "-n", "0"], "--count: 0 is less than 1", None, id="below the least"),
        pytest.param(["runs", "-n", "x"], "--limit: 'x' is not a whole number", None, id="no number"),
        pytest.param(["logs"], "JOB|RUN is missing", None, id="argument missing"),
        pytest.param(["completion"], "SHELL is missing; choose from: bash, zsh, fish", None, id="choice missing"),
        pytest.param(["status", "a", "b"], "too many words: b", None, id="a word too many"),
        pytest.param(["runs", "--since"], "--since needs a value", None, id="value missing"),
        pytest.param(["runs", "--watch=3"], "--watch takes no value", None, id="value too many"),
        pytest.param(
            ["list", "-o", "xml"],
            "--output: 'xml' is not one of 'table', 'wide', 'json', 'yaml', 'jsonl', 'name'",
            None,
            id="no such choice",
        ),
        pytest.param(
            ["list", "--zzz"],
            "list has no option --zzz",
            "`jobsctl list --help` lists its options",
            id="no such option",
        ),
        pytest.param(["list", "--labels", "x"], "list has no option --labels", "did you mean --label", id="nearly one"),
        pytest.param(
            ["--zzz"], "jobsctl has no option --zzz", "`jobsctl --help` lists its options", id="no global one"
        ),
    ],
)
def test_a_wrong_command_line_is_told_in_our_words(jobsctl, arguments, said, hint):
    done = jobsctl(*arguments)
    assert (done.code, done.out) == (2, "")
    error, told = done.err.splitlines()
    assert error == f"error: {said}"
    assert told.startswith(f"hint: {hint or f'`jobsctl {arguments[0]} --help` shows how it is used'}")


def test_one_thing_has_one_letter_and_one_letter_means_one_thing() -> None:
    """But where other programs taught people better: `-n` of top(1) and tail(1), both `-f` of kubectl."""
    long_names: dict[str, set[str]] = {}
    context = click.Context(program)
    for name in (name for section in COMMANDS.values() for name in section):
        command = program.get_command(context, name)
        assert command is not None
        for option in (param for param in command.params if isinstance(param, click.Option)):
            for short in (text for text in option.opts if len(text) == 2 and text != "-h"):
                long_names.setdefault(short, set()).add(next(text for text in option.opts if len(text) > 2))
    assert {short: names for short, names in long_names.items() if len(names) > 1} == {
        "-n": {"--limit", "--tail", "--count"},
        "-f": {"--follow", "--filename"},
    }
