"""Telling people: views, status files, the read-only HTTP API, metrics. Reads `state` and `specs`, never `reconciler`."""
