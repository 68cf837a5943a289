"""Moving in: from the job files of other systems to ours. Called by `jobsctl import`; see docs/moving-in.md."""
