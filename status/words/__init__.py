"""Words and numbers for people, one wording for all: command line, page, notifications. Pure; nothing here is JSON."""
