"""Notifiers are stored for whoever tells people, kept while a job names them, and mean nothing to deciding."""

from __future__ import annotations

import pytest

from specs.stored import StoredNotifier
from tests.deciding.scenes import EVERY_10_MINUTES, Scene, document, spec

OPS = document("Notifier", "ops", urls=["mailto://localhost"])


def stored(scene: Scene) -> list[str]:
    """As another daemon would find them."""
    return sorted(f"{each.kind}:{StoredNotifier.of(each.spec).name}" for each in scene.rig.store.documents())


def test_it_is_stored_and_the_job_runs_as_ever(scene: Scene) -> None:
    scene.files(ops=OPS, a=spec("a", schedule=EVERY_10_MINUTES, notify=[{"to": "ops"}]))
    scene.until("08:21")
    assert stored(scene) == ["Notifier:ops"]
    assert scene.told("a") == ["08:10 succeeded", "08:20 succeeded"]


def test_an_edit_is_stored(scene: Scene) -> None:
    scene.files(ops=OPS)
    scene.files(ops=document("Notifier", "ops", urls=["json://localhost"]))
    (document_,) = scene.rig.store.documents()
    assert StoredNotifier.of(document_.spec).urls == ("json://localhost",)


@pytest.mark.parametrize(
    "broken", [pytest.param(None, id="gone"), pytest.param("kind: Notifier\nname: ops\n", id="bad")]
)
def test_it_is_kept_as_it_was_while_a_job_names_it(scene: Scene, broken: str | None) -> None:
    scene.files(ops=OPS, a=spec("a", notify=[{"to": ["ops"]}]))
    scene.files(ops=broken)
    scene.rig.wait(120)
    scene.rig.settle()
    assert stored(scene) == ["Notifier:ops"]


def test_it_goes_when_no_job_names_it(scene: Scene) -> None:
    scene.files(ops=OPS, a=spec("a", notify=[{"to": "ops"}]))
    scene.files(ops=None, a=spec("a"))
    scene.files(b=spec("b"))  # a job may still have named it while the look before was decided on
    assert stored(scene) == []
