"""Moving in: from the job files of other systems to ours. Called by `jobsctl import`; docs/moving-in.md tells people."""
