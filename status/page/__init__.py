"""The web page: plain HTML from templates, made in the status process. `routes` mounts it, a module per page answers.

Jinja2 and the pages' modules are loaded with the first page that is asked for: a daemon that nobody looks at does not
pay for them. Nothing here writes, and nothing here imports `reconciler` or `cli`.
"""
