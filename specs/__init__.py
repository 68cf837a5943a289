"""Desired state: what a job is, how files become jobs, and what is wrong with a file.

The lowest room of the house: it imports nothing of ours. Everything above reads it.
"""
