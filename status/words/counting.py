"""Numbers with their nouns, for people. Used by the command line, the page and what is told to people. Pure."""

from __future__ import annotations


def counted(number: int, word: str) -> str:
    """`1 job`, `2 jobs`."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
