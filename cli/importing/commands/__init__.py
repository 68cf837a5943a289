"""The subcommands of `jobsctl import`, one per system. Light: each imports its reader when it is called."""
