"""`jobsctl`: one file per command. Translates between a person and the rooms below; never decides."""
