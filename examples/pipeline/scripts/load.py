"""Load the orders of the run this one follows. Loading a day again replaces it: a repeated run does no harm."""

import csv
import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path

orders = Path(os.environ["JOBSCTL_UPSTREAM_EXTRACT_ORDERS_OUTPUT_DIR"], "orders.csv")
rates = json.loads(Path(os.environ["JOBSCTL_UPSTREAM_EXTRACT_RATES_RESULT_FILE"]).read_text())
with closing(sqlite3.connect(os.environ["DATABASE"])) as database, database:
    database.execute("CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, day TEXT, euro REAL)")
    with orders.open(newline="") as file:
        rows = [(row["id"], row["day"], float(row["amount"]) * rates[row["currency"]]) for row in csv.DictReader(file)]
    database.executemany("INSERT OR REPLACE INTO orders VALUES (?, ?, ?)", rows)
print(f"{len(rows)} orders of run {os.environ['JOBSCTL_UPSTREAM_EXTRACT_ORDERS_RUN_ID']}")
