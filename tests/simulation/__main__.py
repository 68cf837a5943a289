"""`python -m tests.simulation`: play the stories of many seeds; of one that breaks a rule, print a minimal one.

`make simulate SEED=.. DAYS=..` calls it. Without a seed it takes one from the system, and prints it.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from pathlib import Path

from click import echo

from tests.simulation.clock import DAY
from tests.simulation.shrinking import shrink
from tests.simulation.story import Outcome, Story, play
from tests.simulation.telling import tell

EPISODE = 30.0
"""Days of one house: a failure is found in a story of this length, and made shorter."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, help="of the first house; the next ones count up")
    parser.add_argument("--days", type=float, default=1000, help="simulated days in all, of houses of 30 days")
    parser.add_argument("--story", type=Path, help="play this file instead")
    parser.add_argument("--save", type=Path, help="where to write the minimal story of a failure")
    parser.add_argument("--seconds", type=float, default=90, help="how long to try to make a failing story shorter")
    parser.add_argument("--tell", action="store_true", help="print the story of the seed, and play nothing")
    given = parser.parse_args(arguments)
    if given.story is not None:
        story = Story.load(given.story)
        echo("\n".join(story.lines()))
        return report(story, play(story), given.seconds, None)
    seed = secrets.randbelow(1_000_000) if given.seed is None else given.seed
    if given.tell:
        echo("\n".join(tell(seed, EPISODE).lines()))
        return 0
    echo(f"simulating {given.days:g} days from seed {seed}")
    began, worked, days, passes, houses = time.monotonic(), time.process_time(), 0.0, 0, 0
    while days < given.days:
        story = tell(seed + houses, EPISODE)
        outcome = play(story)
        if outcome.violation is not None:
            return report(story, outcome, given.seconds, given.save)
        days += outcome.time / DAY
        passes += outcome.passes
        houses += 1
    took, worked = time.monotonic() - began, time.process_time() - worked
    rate, pure = days / took * 60, days / worked * 60
    echo(f"{days:.0f} days of {houses} houses, {passes} passes of the loop, in {took:.1f} s")
    echo(f"{rate:.0f} days a minute ({pure:.0f} a minute of processor time)")
    return 0


def report(story: Story, outcome: Outcome, seconds: float, save: Path | None) -> int:
    """Print what broke, and the shortest story that breaks it."""
    if outcome.violation is None:
        echo(f"no rule is broken ({outcome.time / DAY:.1f} days, {outcome.passes} passes)")
        return 0
    echo(f"seed {story.seed}, day {outcome.time / DAY:.1f}: {outcome.violation}")
    echo(f"making {outcome.actions} actions fewer, at most {seconds:g} s ...")
    minimal, last = shrink(story, outcome, seconds=seconds)
    echo(f"\n{last.violation}\n")
    for number, line in enumerate(minimal.lines()):
        echo(f"  {number:3}  {line}")
    echo(f"\nagain: make simulate SEED={story.seed} DAYS={EPISODE:g}")
    if save is not None:
        minimal.save(save)
        echo(f'the short one: make simulate ARGS="--story {save}"')
    return 1


if __name__ == "__main__":
    sys.exit(main())
