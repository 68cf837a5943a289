"""What is in a run's directory, for the readers: its logs, how far it says it is, the files it left.

Given by `cli.reading.Reading.files`; with `--server` the same is asked over HTTP (`cli.remote.files`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from state.errors import NotFound
from state.logs import Log, streams
from state.runfiles import (
    OutputFile,
    Sample,
    last_series,
    list_outputs,
    open_output,
    read_progress,
    samples_of,
)

if TYPE_CHECKING:
    from status.outputs import KeptFile


class RunDirectory:
    """One run's. It may not be there: the run never started, or was pruned."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def path(self) -> Path:
        return self._path

    @property
    def there(self) -> bool:
        return self._path.is_dir()

    def streams(self) -> tuple[str, ...]:
        """The streams there are logs of, now."""
        return streams(self._path)

    def log(self, stream: str) -> Log:
        """Raises `state.errors.NotFound` when there is none of this stream."""
        return Log(self._path, stream)

    def growing(self, stream: str, *, start: int = 0) -> Growing:
        """What is written to a log from `start` on, as it comes; to be closed."""
        return Growing(self, stream, start=start)

    def progress(self) -> dict[str, Any] | None:
        """What the job wrote into `progress.json` last."""
        return read_progress(self._path)

    def outputs(self) -> list[OutputFile]:
        """The files below `outputs/`."""
        return list_outputs(self._path)

    def output(self, name: str) -> KeptFile | None:
        """One of them, open; None when there is none of this name."""
        from status.outputs import OpenFile

        descriptor = open_output(self._path, name)
        return None if descriptor is None else OpenFile(descriptor)

    def series(self) -> list[Sample]:
        """Every look at the processes of the run."""
        return samples_of(last_series(self._path))

    def usage(self) -> list[Sample]:
        """The last two looks at them; fewer when there were fewer."""
        return samples_of(last_series(self._path, 2))


class Growing:
    """New bytes of a log as they come, from `start` on. It may be made before the log exists."""

    def __init__(self, files: RunDirectory, stream: str, *, start: int = 0) -> None:
        self._files = files
        self._stream = stream
        self._log: Log | None = None
        self._position = start

    @property
    def bell(self) -> int | None:
        """A descriptor that can be read when there may be something new; None: look again after a while."""
        return None

    @property
    def over(self) -> bool | None:
        """Whether nothing comes any more; None: the run says so."""
        return None

    def poll(self) -> bytes:
        """What was written since the last call, at most about a MiB; b"" when there is nothing new."""
        if self._log is None:
            try:
                self._log = self._files.log(self._stream)
            except NotFound:
                return b""
        data, self._position = self._log.piece(self._position)
        return data

    def close(self) -> None:
        """Let go of the file."""
        if self._log is not None:
            self._log.close()
