"""Carrying out one run: the messages every runner speaks, and the runners.

Imports `specs` only; knows nothing of `state`. A run is told to it as a `Launch` and told back as messages.
"""
