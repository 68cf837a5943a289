"""The supervisor: a bare Python process that owns the children, so that they outlive the daemon.

Started by `runners.supervised`, which also imports `wire`, `journal`, `tree`, `cgroup` and `redact` to read what a dead
supervisor left. Nothing here imports anything outside this folder, nor any standard module that is not small: no
enum, re, dataclasses, typing, socket, signal, subprocess. It stays in memory for as long as a run lives.
"""
