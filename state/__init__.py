"""What is known: records, the SQLite store, run files on disk, the requests inbox.

Imports `specs` only; knows nothing of `runners`.
"""
