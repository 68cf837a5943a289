"""Configurations of yacron. Called by `jobsctl import yacron`."""
