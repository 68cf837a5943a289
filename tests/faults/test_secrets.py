"""A secret value is in no file, answer, message or argument the daemon makes, however the job hands it back."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

from tests.household import Household, eventually

SECRET = 's3cr3t "TOKEN"/with+chars=='
JOB = """\
name: leaky
env: {TOK: {from_file: token}}
run:
  script: |
    printf %s "$TOK" | head -c 7; sleep 0.2; printf %s "$TOK" | tail -c +8; echo; echo "$TOK" >&2
    python3 -c '
    import json, os
    said = {"told": os.environ["TOK"], "sum": 7}
    json.dump(said, open(os.environ["JOBSCTL_RESULT_FILE"], "w"))'
    printf '{"at": "%s"}' s3cr3t > "$JOBSCTL_PROGRESS_FILE"
    exit 3
"""
BROKEN = """\
name: broken
env: {TOK: {from_file: token}}
run: {command: [/nonexistent/program]}
"""


def test_a_secret_shows_nowhere(household: Household, tmp_path: Path) -> None:
    household.commit({"leaky.yaml": JOB, "broken.yaml": BROKEN})
    # Outside the state directory, which is searched below.
    (household.home.root / "token").write_text(SECRET + "\n")
    household.start("--listen", "127.0.0.1:0")
    eventually(lambda: household.job("default/broken"), "the jobs are known")
    for name in ("leaky", "broken"):
        household.jobsctl("trigger", name, "--wait", check=False)
    eventually(household.home.http.exists, "HTTP is up")
    address = json.loads(household.home.http.read_bytes())["listen"]
    (run,) = household.runs("default/leaky")
    assert (run.exit_code, run.result) == (3, {"told": "***", "sum": 7})
    assert run.progress == {"at": "s3cr3t"}

    texts = {"log": household.log()}
    for route in ("jobs", "runs", f"runs/{run.id}", f"runs/{run.id}/logs", f"runs/{run.id}/events"):
        with urllib.request.urlopen(f"http://{address}/api/v1/{route}", timeout=5) as answer:
            texts[route] = answer.read().decode()
    for words in (("run", "leaky"), ("logs", "leaky"), ("events",), ("run", "broken"), ("status", "leaky")):
        done = household.jobsctl(*words, check=False)
        texts[" ".join(words)] = done.stdout + done.stderr
    assert household.stop() == 0
    for path in household.home.state.rglob("*"):
        if path.is_file():
            texts[str(path)] = path.read_bytes().decode("utf-8", "replace")
    escaped = json.dumps(SECRET)[1:-1]
    assert [place for place, text in texts.items() if SECRET in text or escaped in text] == []
