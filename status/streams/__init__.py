"""Streams of events and logs as server-sent events: one reader for all who follow, bounded for each.

`routes` answers requests; `events` and `logs` follow the database and log files; `feed` hands what they find to
everybody who follows; `connection` is one client; `clients` bounds and keeps alive all of them. Not imported by
anything below `status.api`.
"""
