"""Fetch one day's orders. Stands for a query of the shop: here the orders follow from the day."""

import csv
import os
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

asked = sys.argv[1]
day = datetime.now(UTC).date() - timedelta(days=1) if asked == "yesterday" else date.fromisoformat(asked)
path = Path(os.environ["JOBSCTL_OUTPUT_DIR"], "orders.csv")
with path.open("w", newline="") as file:
    rows = csv.writer(file)
    rows.writerow(["id", "day", "currency", "amount"])
    for number in range(1, 21):
        currency = "USD" if number % 3 == 0 else "EUR"
        rows.writerow([f"{day:%Y%m%d}-{number}", day, currency, (day.day * 7 + number * 13) % 200 + 1])
print(f"{day}: 20 orders")
