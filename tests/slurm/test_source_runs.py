"""Workflows in the words of OSMO, ACTIVATE and torc, run on a real Slurm and held against what these promise."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import pytest

from pwxc import api
from pwxc.ir.workflow import Workflow
from tests.slurm.conftest import Ran
from tests.slurm.flows import put
from tests.slurm.predicted import collect, differences
from tests.slurm.promises import HOSTILE, PROMISES, Promise

pytestmark = pytest.mark.slurm


@attrs.frozen
class Started:
    """A run that was submitted and may go on; `log` is where its commands leave their traces."""

    promise: Promise
    workflow: Workflow
    folder: Path
    log: Path
    process: subprocess.Popen[str]
    run: list[Ran] = attrs.field(factory=list)

    def end(self) -> Ran:
        if not self.run:
            output, _ = self.process.communicate(timeout=240)
            self.run.append(Ran(self.folder, self.process.returncode, output))
        return self.run[0]

    def order(self) -> list[str]:
        self.end()
        path = self.log / "order"
        return path.read_text().split() if path.exists() else []

    def left(self, name: str) -> str:
        self.end()
        return (self.log / name).read_text()


def start(promise: Promise, place: Path) -> Started:
    log = place / "log"
    log.mkdir(parents=True)
    hostile = json.dumps(HOSTILE, ensure_ascii=False)
    text = promise.text.replace("@LOG@", str(log)).replace("@HOSTILE@", hostile)
    options = {"slurm.container": "none", **promise.options}
    done = api.compile(text, to="slurm", origin=promise.origin, options=options)
    assert done.files, [f"{item.code.id} {item.message}" for item in done.diagnostics]
    assert done.workflow is not None
    submit = put({file.path: file for file in done.files}, place / "out")
    words = [str(submit), "--run-dir", str(place / "run"), "--wait", *promise.arguments]
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=place,
        env={**os.environ, "PWXC_PAUSE": "1"},
    )  # fmt: skip
    return Started(promise, done.workflow, place / "run", log, process)


Runs = Callable[[str], Started]


@pytest.fixture(scope="module")
def runs(slurm: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    """All runs, submitted together: what takes long takes long side by side."""
    place = tmp_path_factory.mktemp("runs")
    started = {name: start(promise, place / name) for name, promise in PROMISES.items()}
    yield started.__getitem__
    for each in started.values():
        each.process.kill()
        each.process.communicate()


@pytest.mark.parametrize("name", sorted(PROMISES, key=lambda name: name == "osmo-minute"))
def test_a_run_ends_as_the_machine_says(runs: Runs, name: str) -> None:
    started = runs(name)
    ran = started.end()
    promise = started.promise
    assert differences(started.workflow, collect(ran.folder), promise.facts, promise.inputs) == []
    assert (ran.code == 0) is promise.ends_well, ran.output


def test_data_flows_from_task_to_task(runs: Runs) -> None:
    assert runs("osmo-serial").left("all") == "41\n42\n"
    assert runs("torc-files").left("all") == "42\n"


def test_a_failure_ends_what_waits_for_it_and_nothing_else(runs: Runs) -> None:
    order = runs("osmo-middle").order()
    assert order[0] == "good"
    assert sorted(order) == ["bad", "beside", "good"]
    states = {name: runs("osmo-middle").end().slurm_state(name) for name in ("bad", "child", "grandchild")}
    assert states == {"bad": "FAILED", "child": "CANCELLED", "grandchild": "CANCELLED"}


def test_a_lead_ends_its_gang(runs: Runs) -> None:
    order = runs("osmo-gang").order()
    assert sorted(order[:2]) == ["client", "server"]
    assert order[2:] == ["next7"]
    assert re.fullmatch(r"n\d+\n", runs("osmo-gang").left("host"))


@pytest.mark.parametrize("name", ["osmo-limit", "osmo-minute"])
def test_a_limit_ends_a_task(runs: Runs, name: str) -> None:
    assert sorted(runs(name).order()) == ["long", "quick"]


def test_a_whole_minute_is_slurms_own_limit(runs: Runs) -> None:
    assert runs("osmo-minute").end().slurm_state("long") == "TIMEOUT"


def test_exit_codes_are_mapped(runs: Runs) -> None:
    order = runs("osmo-codes").order()
    assert sorted(order) == ["again", "again", "again", "behind"]
    ran = runs("osmo-codes").end()
    assert {name: ran.state(name) for name in ("again", "fine", "bad")} == {
        "again": "succeeded", "fine": "succeeded", "bad": "failed",
    }  # fmt: skip


def test_an_input_is_given_on_the_command_line(runs: Runs) -> None:
    assert runs("osmo-input").left("n").split() == ["1", "2", "3", "4", "5"]
    assert runs("pw-inputs").left("count") == "4\n"


def test_a_value_is_data_wherever_it_stands(runs: Runs) -> None:
    osmo, form = runs("osmo-hostile"), runs("pw-inputs")
    assert {name: osmo.left(name) for name in ("argument", "word", "environment", "given")} == {
        "argument": HOSTILE, "word": HOSTILE, "environment": HOSTILE, "given": HOSTILE,
    }  # fmt: skip
    assert form.left("quoted") == HOSTILE * 2
    assert form.left("here") == HOSTILE + "\n"
    assert form.left("environment") == HOSTILE
    for started in (osmo, form):
        assert not list(started.folder.parent.rglob("pwned"))


def test_a_diamond_joins_again(runs: Runs) -> None:
    order = runs("pw-diamond").order()
    assert (order[0], sorted(order[1:3]), order[3:]) == ("a", ["b", "c"], ["d5"])


def test_what_runs_always_runs_after_a_failure(runs: Runs) -> None:
    order = runs("pw-ends").order()
    assert sorted(order) == ["cleanup", "fine", "last-step", "rescue", "undo", "work"]
    assert order.index("work") < order.index("last-step") < order.index("undo") < order.index("rescue")


def test_an_array_keeps_its_limit(runs: Runs) -> None:
    alive = most = 0
    for mark in runs("pw-matrix").left("moments").split():
        alive += 1 if mark == "+" else -1
        most = max(most, alive)
    assert 1 < most <= 4
    found = {path.name for path in runs("pw-matrix").log.glob("1*")}
    assert found == {f"{100 + index}.{index}" for index in range(20)}
    assert len(runs("pw-matrix").end().ids()["many"]) == 1
    assert runs("pw-matrix").left("count") == "20\n"


def test_an_instance_that_fails_ends_the_others(runs: Runs) -> None:
    assert runs("pw-fail-fast").order() == []


def test_a_step_is_stopped_when_another_job_fails(runs: Runs) -> None:
    assert runs("pw-early").order() == ["stopped", "undo"]


def test_a_run_has_a_limit(runs: Runs) -> None:
    assert runs("pw-whole").order() == ["quick"]


def test_the_third_attempt_succeeds(runs: Runs) -> None:
    assert [word for word in runs("pw-retry").order() if word.startswith("again")] == ["again0", "again1", "again2"]
    order = runs("torc-retry").order()
    assert [word for word in order if "hopeless" not in word] == [
        "again1", "fix8", "again2", "fix8", "again3", "behind",
    ]  # fmt: skip
    assert order.count("hopeless") == 2


def test_two_arrays_are_tied_by_index(runs: Runs) -> None:
    order = runs("torc-tied").order()
    assert sorted(order) == ["one1", "one3", "one4", "two1", "two3", "two4"]
    assert all(order.index(f"one{index}") < order.index(f"two{index}") for index in (1, 3, 4))


def test_what_does_not_mind_a_failure_runs(runs: Runs) -> None:
    assert runs("torc-blocked").order() == ["bad", "always"]


def test_hooks_fire_at_their_points(runs: Runs) -> None:
    order = runs("torc-hooks").order()
    assert (order[:3], order[-1]) == (["start", "a", "b"], "end")
    assert sorted(order[3:5]) == ["b-done", "c"]
