"""Turnover by day, as a file to keep and as the run's result."""

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path

with closing(sqlite3.connect(os.environ["DATABASE"])) as database:
    rows = database.execute(
        "SELECT day, count(*), round(sum(euro), 2) FROM orders GROUP BY day ORDER BY day"
    ).fetchall()
table = "".join(f"{day}  {number:>5}  {euro:>10.2f} EUR\n" for day, number, euro in rows)
Path(os.environ["JOBSCTL_OUTPUT_DIR"], "turnover.txt").write_text(table)
Path(os.environ["JOBSCTL_RESULT_FILE"]).write_text(json.dumps({"days": len(rows), "euro": sum(row[2] for row in rows)}))
print(table, end="")
