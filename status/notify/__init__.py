"""Telling people and programs of what happened: the notify process and the rules it follows.

`occurrences`, `memory`, `judge`, `gathering` and `wording` are pure; `process` runs them.
"""
