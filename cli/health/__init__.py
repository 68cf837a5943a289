"""What `jobsctl doctor` looks at: one file per subject, in each a few small functions that tell what is wrong.

`finding` says what a check is and what it is given, `checks` lists all of them. They work with the daemon down and with
a broken database: what cannot be read is a finding, never a traceback. They change nothing; a finding may carry the
change that mends it, for `doctor --fix`.
"""
