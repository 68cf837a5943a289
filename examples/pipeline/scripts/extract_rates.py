"""Fetch exchange rates. Stands for a request; RATES_FILE, where set, is what the bank published."""

import json
import os
import sys
from pathlib import Path

source = os.environ.get("RATES_FILE")
rates = json.loads(Path(source).read_text()) if source else {"EUR": 1.0, "USD": 0.92}
Path(os.environ["JOBSCTL_OUTPUT_DIR"], "rates.json").write_text(json.dumps(rates))
Path(os.environ["JOBSCTL_RESULT_FILE"]).write_text(json.dumps(rates))
if not rates:
    print("nothing new was published")
    sys.exit(3)
print(", ".join(f"1 {name} = {rate} EUR" for name, rate in rates.items()))
