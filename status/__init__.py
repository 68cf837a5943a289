"""Telling people: views, status files, the read-only HTTP API, metrics.

Reads `state` and `specs`, never `reconciler`: it runs in a process of its own, so that a reader cannot delay a start.
"""
