"""The picture of the database that the status process keeps in memory, and the status files, made from it."""
