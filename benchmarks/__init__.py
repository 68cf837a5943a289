"""How fast it is, beside what it could be: `python -m benchmarks` (`make bench`).

Every figure is a ratio to a reference that ran in the same minutes on the same machine, interleaved with ours; the targets
are tables 11 and 12 of the project's limits. Not part of the wheel; imports every room, nothing imports it.
"""
