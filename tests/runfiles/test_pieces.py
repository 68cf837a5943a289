"""A log read piece by piece, as over HTTP and while it grows, is the log read at once: gaps in it too."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from state import logs
from state.logs import Log


@settings(
    derandomize=True, max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    text=st.binary(max_size=60),
    gap=st.tuples(st.integers(0, 60), st.integers(1, 40)),
    start=st.integers(0, 60),
    end=st.none() | st.integers(0, 70),
)
def test_pieces_put_together_are_the_whole(tmp_path, monkeypatch, text, gap, start, end):
    monkeypatch.setattr(logs, "CHUNK", 3)
    (tmp_path / "output.log").write_bytes(text)
    first = min(gap[0], len(text))
    (tmp_path / "output.gap").write_text(f"{first} {min(first + gap[1], len(text))}\n")
    with Log(tmp_path) as log:
        stop = log.size if end is None else min(end, log.size)
        position, pieces = start, []
        while position < stop:
            data, following = log.piece(position, end)
            assert following > position
            pieces.append(data)
            position = following
        assert b"".join(pieces) == b"".join(log.read(start, end))
