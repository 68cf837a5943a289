"""A daemon that can be killed: launches what its argument says, prints every message, acknowledges nothing.

`python -m tests.running.driver <home> <json: [[run id, [argv], {more of Launch}], ...]>`
"""

from __future__ import annotations

import json
import select
import sys
from pathlib import Path

from runners.base import Launch
from runners.supervised import SupervisedRunner
from tests.running.rig import PATH


def main(home: Path, launches: list[tuple[str, list[str], dict[str, float]]]) -> None:
    runner = SupervisedRunner(home / "supervisors")
    sys.stdout.write(f"name {runner.name}\n")
    runner.launch(
        [
            Launch(
                run_id=run_id,
                run_dir=str(home / "runs" / "default" / "job" / run_id),
                argv=argv,
                env={"PATH": PATH, "JOBSCTL_RUN_ID": run_id},
                working_dir="/",
                output_max=1 << 20,
                **more,
            )
            for run_id, argv, more in launches
        ]
    )
    sys.stdout.write("handed over\n")
    sys.stdout.flush()
    while True:
        select.select([runner], [], [])
        for message in runner.poll():
            sys.stdout.write(f"{type(message).__name__} {message.run_id}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))
