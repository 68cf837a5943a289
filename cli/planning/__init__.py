"""What a change of the files would do: for `plan`, `diff` and `apply`.

`sides` reads the files and what they are compared with (`before`), `compare` makes of both a `plan`: each job's
verdict, its instants and nights (`effects`), what differs (`fields`), and the same of pools, calendars and defaults
(`documents`). `table`, `markdown` and `views` show it, in the words of `words`. Only `sides` opens anything.
"""
