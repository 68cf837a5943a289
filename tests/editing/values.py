"""Values that a careless hand might give to a field: some right for some field, most wrong for most."""

from __future__ import annotations

from typing import Any

VALUES: list[Any] = [
    None, True, False, 0, -1, 1, 5, 1.5, 5.0, 300, 5_000_000_000, "", " ", "none", "5m", "5 minutes", "0s", "9999d",
    "1h30m", "1m1h", ".5s", "1.5s", "64Mi", "1.5G", "64 MB", "0", "9999999T", "lots", "name", "Name", "a/b", "a/b/c",
    "-a", "a" * 64, "a" * 300, "Job", "Pool", "finish", "skip", "latest", "fixed", "027", "0999",
    "2030-12-24T18:00:00Z",
    "2030-12-24", "2030-13-24T18:00:00", "12-25", "12-25..12-26", "22:00", "24:00", "25:61", "UTC", "* * * * *",
    "every 5m", "true", "\u00e9\u00e8", "a\nb", [], [""], ["a"], [1], ["a"] * 70, [{}], [["a"]], [256], ["failed"],
    ["12-25"],
    [{"job": "a"}], {}, {"a": "b"}, {"a": 1}, {"a": {}}, {"1a": "b"}, {"reason": "r"}, {"from_env": "A"},
    {"from_env": "A", "x": 1}, {"every": "5m"}, {"every": "5m", "cron": "@daily"}, {"cron": None, "every": 60},
    {"continuous": True, "delay": "5s"}, {"delay": "5s", "every": 5}, {"spread": "5m"}, {"policy": "all"},
    {"command": ["a"]}, {"command": ["a"], "script": "b"}, {"command": None, "script": "b"}, {"limits": {"cpu": 0}},
    {"script": "b", "interpreter": ["c"]}, {"interpreter": ["c"], "command": ["a"]}, {"listen": "a:99999"},
]  # fmt: skip
