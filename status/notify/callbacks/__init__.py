"""Callbacks: the end of a run, told to the address its job names, signed as Standard Webhooks 1.0.0 says.

The notify process asks `payload.delivery_of` what an event means (kept in its outbox, with the cursor), and has
`sending.Sender` make one attempt at a delivery that is due; `retrying.outcome_of` says what becomes of it then.
`signing`, `payload`, `retrying`, `addresses`, `url` and `guard` are pure; `exchange` and `sending` open sockets.
Nothing here touches a database, and nothing here imports the reconciler.
"""
