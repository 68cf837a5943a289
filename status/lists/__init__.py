"""What is asked page by page: jobs, runs, events, logs, outputs. A module per list; called by `status.api`."""
