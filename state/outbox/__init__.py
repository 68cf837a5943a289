"""The outbox: what is to be told to whom, and what became of it. A database of its own, written by the notify process.

`records` is plain data, `schema` the tables, `store` the one writer, `reads` the questions of everybody else.
"""
