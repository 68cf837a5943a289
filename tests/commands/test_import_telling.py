"""`jobsctl import`: who is told, in the files that are written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from specs.contents import Contents

TWO = "MAILTO=ops@example.com\n30 2 * * * dump\n40 2 * * * tidy\n"
RULE = [{"to": "mail-ops", "on": ["failure", "recovery"]}]


@pytest.fixture
def crontab(tmp_path: Path) -> Path:
    file = tmp_path / "my.crontab"
    file.write_text(TWO)
    return file


def read(file: Path) -> dict[str, object]:
    # The `on` of a rule is a boolean for a reader of YAML 1.1.
    return {str(key): value for key, value in yaml.load(file.read_text(), yaml.BaseLoader).items()}


def files(home) -> list[str]:
    return sorted(file.name for file in home.specs.iterdir())


def test_what_all_jobs_of_a_new_folder_say_is_said_once(jobsctl, crontab, home):
    done = jobsctl("import", "crontab", crontab, "--check", "--write", home.specs)
    assert done.code == 0
    assert files(home) == ["_defaults.yaml", "dump.yaml", "mail-ops.yaml", "tidy.yaml"]
    assert read(home.specs / "_defaults.yaml") == {"kind": "Defaults", "job": {"notify": RULE}}
    assert "notify" not in read(home.specs / "dump.yaml")
    assert "Imported 2 jobs, 1 notifier." in done.err
    assert f"wrote {home.specs}/_defaults.yaml" in done.err
    assert jobsctl("validate").code == 0
    found = Contents({file: (home.specs / file).read_bytes() for file in files(home)})
    jobs = found.desired(root="", revision=None, now=0).jobs
    assert [json.loads(job.spec)["notify"][0]["to"] for job in jobs.values()] == ["mail-ops", "mail-ops"]


def test_where_other_jobs_are_each_says_it_itself(jobsctl, crontab, home):
    (home.specs / "below").mkdir()
    (home.specs / "below" / "mine.yaml").write_text("name: mine\nrun: {command: [a]}\n")
    assert jobsctl("import", "crontab", crontab, "--write", home.specs).code == 0
    assert files(home) == ["below", "dump.yaml", "mail-ops.yaml", "tidy.yaml"]
    assert read(home.specs / "dump.yaml")["notify"] == read(home.specs / "tidy.yaml")["notify"] == RULE


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("MAILTO=ops@example.com\n30 2 * * * dump\n", id="one_job"),
        pytest.param('MAILTO=ops@example.com\n30 2 * * * dump\nMAILTO=""\n40 2 * * * tidy\n', id="not_all"),
        pytest.param("MAILTO=ops@example.com\n30 2 * * * dump\n40 2 * * * _defaults\n", id="never_mind_names"),
    ],
)
def test_jobs_that_do_not_share_it_say_it_themselves(jobsctl, crontab, home, text):
    crontab.write_text(text)
    assert jobsctl("import", "crontab", crontab, "--write", home.specs).code == 0
    told = read(home.specs / "dump.yaml").get("notify") or read(home.specs / "_defaults.yaml")["job"]["notify"]
    assert told == RULE
    assert ("_defaults.yaml" in files(home)) is (text.count("MAILTO") == 1 and text.count("\n") == 3)
    assert jobsctl("validate").code == 0


def test_printed_documents_change_no_other_job_of_a_folder(jobsctl, crontab):
    done = jobsctl("import", "crontab", crontab)
    kinds = [document.get("kind", "Job") for document in yaml.safe_load_all(done.out)]
    assert kinds == ["Job", "Job", "Notifier"]


def test_a_notifier_that_is_there_already_is_kept(jobsctl, crontab, home, tmp_path):
    assert jobsctl("import", "crontab", crontab, "--write", home.specs).code == 0
    (tmp_path / "other").write_text("MAILTO=ops@example.com\n50 2 * * * third\n")
    done = jobsctl("import", "crontab", tmp_path / "other", "--write", home.specs)
    assert done.code == 0
    assert f"kept {home.specs}/mail-ops.yaml" in done.err
    assert read(home.specs / "third.yaml")["notify"] == RULE
    assert jobsctl("validate").code == 0


def test_a_notifier_of_another_folder_is_kept_too(jobsctl, crontab, home):
    assert jobsctl("import", "crontab", crontab, "--write", home.specs / "a", "-p", "a").code == 0
    done = jobsctl("import", "crontab", crontab, "--write", home.specs / "b", "-p", "b")
    assert f"kept {home.specs}/a/mail-ops.yaml" in done.err
    assert sorted(file.name for file in (home.specs / "b").iterdir()) == ["_defaults.yaml", "dump.yaml", "tidy.yaml"]
    assert jobsctl("validate").code == 0


def test_what_is_written_elsewhere_can_be_applied(jobsctl, crontab, home, tmp_path):
    assert jobsctl("import", "crontab", crontab, "--write", tmp_path / "out").code == 0
    assert read(tmp_path / "out" / "dump.yaml")["notify"] == RULE
    assert jobsctl("apply", tmp_path / "out", "--no-wait").code == 0
    assert files(home) == ["dump.yaml", "mail-ops.yaml", "tidy.yaml"]
    assert jobsctl("validate").code == 0


def test_a_notifier_that_says_something_else_is_never_overwritten(jobsctl, crontab, home):
    (home.specs / "mail-ops.yaml").write_text("mine")
    done = jobsctl("import", "crontab", crontab, "--write", home.specs)
    assert done.code == 7
    assert "mail-ops.yaml is there already; nothing was written" in done.err
    assert files(home) == ["mail-ops.yaml"]


def test_importing_again_writes_the_same(jobsctl, crontab, home):
    jobsctl("import", "crontab", crontab, "--write", home.specs)
    before = {file.name: file.read_text() for file in home.specs.iterdir()}
    assert jobsctl("import", "crontab", crontab, "--write", home.specs, "--force").code == 0
    assert {file.name: file.read_text() for file in home.specs.iterdir()} == before


def test_notifiers_are_documents_of_the_report(jobsctl, crontab):
    report = json.loads(jobsctl("import", "crontab", crontab, "-o", "json").out)
    (document,) = report["documents"]
    assert (document["kind"], document["name"], document["file"]) == ("Notifier", "mail-ops", None)
    assert yaml.safe_load(document["yaml"])["urls"] == ["mailto://localhost/ops@example.com?from=root@localhost"]


def test_the_example_of_the_page_is_what_is_written(jobsctl, crontab, home):
    page = (Path(__file__).parents[2] / "docs" / "moving-in.md").read_text().partition("## Who is told")[2]
    text, _, rest = page.partition("```text\n")[2].partition("```")
    shown = [block.partition("```")[0] for block in rest.split("```yaml\n")[1:]]
    crontab.write_text(text)
    assert jobsctl("import", "crontab", crontab, "--write", home.specs).code == 0
    for block in shown:
        name, _, document = block.removeprefix("# ").partition("\n")
        written = (home.specs / name).read_text().splitlines(keepends=True)
        assert "".join(line for line in written if not line.startswith("#")) == document
    assert len(shown) == 2
