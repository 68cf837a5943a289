"""How fast it is, beside what it could be: `python -m benchmarks` (`make bench`).

Every figure is a ratio to a reference that ran in the same minutes on the same machine, interleaved with ours. Targets
are said beside each; `docs/benchmarks.md` has the last figures. Not in the wheel; imports every room,
and nothing imports it.
"""
