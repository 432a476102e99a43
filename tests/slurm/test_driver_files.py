"""Drivers with other files: scripts that they read in, run or write, lists, folders, and who is the driver."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from pwxc import api
from pwxc.diagnostics import Diagnostics
from pwxc.files import load_folder
from pwxc.ir.expr import Ref, Root
from pwxc.ir.task import Outcome, Script, Task
from pwxc.ir.template import Template
from pwxc.ir.workflow import Workflow
from pwxc.registry import ReadSettings
from pwxc.source import Source
from pwxc_targets.slurm import TARGET
from pwxc_targets.slurm.read import read
from tests.slurm.driving import A, graph_of, ran


def put(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)


def load(folder: Path, driver: str, **files: str) -> tuple[Workflow | None, Diagnostics]:
    """Read `driver.sh` in a folder that has some scripts; `__` in the name of a file is `/`, and `_` is a dot."""
    named = {name.replace("__", "/").replace("_", "."): text for name, text in files.items()}
    put(folder, {"a.sh": A, "b.sh": A, "driver.sh": f"#!/bin/bash\n{driver}\n", **named})
    source = Source("driver.sh", (folder / "driver.sh").read_text(), folder / "driver.sh")
    found = Diagnostics()
    return read((source,), ReadSettings(folder=folder), found), found


def tasks(folder: Path, driver: str, **files: str) -> dict[str, Task]:
    workflow, found = load(folder, driver, **files)
    assert workflow is not None, [item.message for item in found]
    assert "slurm-driver-kept-as-script" not in {item.code.name for item in found}, [item.message for item in found]
    return {task.name: task for task in workflow.tasks}


def edges(task: Task) -> list[tuple[str, Outcome]]:
    return [(edge.parent, edge.when) for edge in task.needs]


def shown(template: Template | None) -> str:
    return "" if template is None else template.fill(lambda hole: f"<{'.'.join(getattr(hole, 'path', ()))}>")


def told(found: Diagnostics) -> list[tuple[str, str, int, str]]:
    return [
        (item.code.id, span.source.name.rpartition("/")[2], span.source.position(span.start)[0], span.text)
        for item in found
        if (span := item.span) is not None
    ]


# other scripts

SUBMIT = 'submit() { sbatch --parsable --time=$LIMIT "$@"; }\nLIMIT=7\n'


@pytest.mark.parametrize(
    ("driver", "files"),
    [
        ("source ./lib.sh\nj=$(submit a.sh)\nsubmit --dependency=afterok:$j b.sh", {"lib_sh": SUBMIT}),
        (". \"$(dirname \"$0\")/in/lib.sh\"; submit a.sh one; LIMIT=8; submit a.sh two", {"in__lib_sh": SUBMIT}),
        ("H=$(cd \"$(dirname \"${BASH_SOURCE[0]}\")\" && pwd)\nsource \"$H/lib.sh\"\ncd \"$H\"; submit a.sh",
         {"lib_sh": SUBMIT}),
        ("[ -f set.env ] && source set.env; sbatch a.sh $N", {"set_env": "N=4\n"}),
        ("bash one.sh x; ./two.sh", {"one_sh": "#!/bin/sh\nsbatch a.sh $1\n", "two_sh": "#!/bin/bash\nsbatch b.sh\n"}),
        ("j=$(./one.sh a.sh); ./one.sh --dependency=afterany:$j b.sh > /dev/null",
         {"one_sh": "#!/bin/bash\nsbatch --parsable \"$@\"\n"}),
        ("export TAG=t; M=4; ./one.sh", {"one_sh": "#!/bin/bash\nsbatch a.sh ${M:-none}\n"}),
        ("for i in 1 2 3; do ./one.sh $i; done", {"one_sh": "#!/bin/bash\nsbatch a.sh $1\n"}),
        ("for f in *.txt; do sbatch a.sh $f; done; x=(*.txt); sbatch b.sh ${#x[@]} '*.none' n[1-4]",
         {"p_txt": "", "q_txt": ""}),
        ("while read -r n v; do sbatch a.sh $n $v; done < list.csv", {"list_csv": "x 1\ny 2\n"}),
        ("n=$(wc -l < list.csv); for i in $(seq $n); do sbatch a.sh $i; done", {"list_csv": "x\ny\nz\n"}),
        ("for s in $(cat list.csv); do sbatch a.sh $s; done; for f in $(ls *.csv); do sbatch b.sh $f; done",
         {"list_csv": "x\ny\n"}),
        ("mapfile -t s < list.csv; for i in \"${!s[@]}\"; do sbatch a.sh $i \"${s[i]}\"; done",
         {"list_csv": "x y\nz\n"}),
    ],
)  # fmt: skip
def test_files_are_read_as_bash_reads_them(driver: str, files: dict[str, str], tmp_path: Path) -> None:
    workflow, found = load(tmp_path, driver, **files)
    assert workflow is not None, [item.message for item in found]
    # bash runs the text as it is given, so that it knows no name of its own
    text = driver.replace("$0", "./driver.sh").replace("${BASH_SOURCE[0]}", "./driver.sh")
    assert graph_of(workflow) == ran(text, tmp_path)


UNMATCHED = [
    ('for f in data/*.csv; do sbatch --wrap "run $f"; done', "data/*.csv", "for f in data/*.csv"),
    ("for f in inputs/*.inp; do sbatch a.sh $f; done", "inputs/*.inp", "for f in inputs/*.inp"),
    ("sbatch a.sh inputs/*.inp", "inputs/*.inp", "sbatch a.sh inputs/*.inp"),
    ("f=inputs/s?.inp\nsbatch a.sh $f", "inputs/s?.inp", "sbatch a.sh $f"),
    ("sbatch a.sh inputs/s[0-9]", "inputs/s[0-9]", "sbatch a.sh inputs/s[0-9]"),
    ("f=(inputs/*.inp); sbatch -a 1-${#f[@]} a.sh", "inputs/*.inp", "sbatch -a"),
    ("f=(inputs/*.inp); sbatch a.sh ${f[2]}", "inputs/*.inp", "sbatch a.sh"),
    ("sub() { sbatch a.sh n$#; }; sub inputs/*.inp", "inputs/*.inp", "sbatch a.sh n$#"),
    ("n=$(ls inputs/*.inp | wc -l)\nsbatch -a 1-$n a.sh", "inputs/*.inp", "sbatch -a 1-$n a.sh"),
    ("for s in x y; do sbatch a.sh $s/*.inp; done", "x/*.inp", "sbatch a.sh $s/*.inp"),
]


@pytest.mark.parametrize(("driver", "pattern", "place"), UNMATCHED)
def test_files_that_are_not_there_yet_are_not_guessed_at(driver: str, pattern: str, place: str, tmp_path: Path) -> None:
    workflow, found = load(tmp_path, driver)
    assert workflow is not None
    assert [task.name for task in workflow.tasks] == ["driver.sh"]
    assert {"PWX2420", "PWX2425"} <= {item.code.id for item in found}
    assert any(item.code.id == "PWX2420" and item.span and item.span.text.startswith(place) for item in found)
    assert any(f"`{pattern}`" in item.message for item in found if item.code.id == "PWX2431")


def test_patterns_whose_files_do_not_matter_are_no_fault(tmp_path: Path) -> None:
    found = tasks(
        tmp_path, "rm -f *.log old/*.out; sbatch -w node[1-4] --comment=a*b a.sh '*.csv' X=*.csv\n"
        "for s in x y; do rm -f $s/*.tmp; sbatch b.sh $s; done",
    )  # fmt: skip
    work = found["a.sh"].steps[0].work
    assert isinstance(work, Script)
    assert shown(work.text).startswith("set -- '*.csv' 'X=*.csv'\n")
    assert found["b.sh"].sweep is not None


def test_how_many_words_a_command_prints_is_not_guessed_at(tmp_path: Path) -> None:
    workflow, found = load(tmp_path, "f=($(find . -name '*.inp'))\nsbatch -a 0-$((${#f[@]} - 1)) a.sh")
    assert workflow is not None
    assert [task.name for task in workflow.tasks] == ["driver.sh"]
    assert ("PWX2420", "driver.sh", 3) in {place[:3] for place in told(found)}


def test_scripts_that_a_driver_makes_are_what_it_makes(tmp_path: Path) -> None:
    driver = """\
for n in 2 4; do sed -e "s/echo a/echo $n/" -e 's/time=5/time=6/' a.sh > job_$n.sh; sbatch job_$n.sh; done
cp a.sh copy.sh; sed -i 's/echo a/echo copy/' copy.sh; echo 'echo more' >> copy.sh; sbatch copy.sh
t=$(mktemp); { echo '#!/bin/bash'; echo hi; } > $t; sbatch -J made $t; rm $t
echo -e '#!/bin/bash\\nhostname' | sbatch
sbatch -J read < b.sh
"""
    found = tasks(tmp_path, driver)
    works = {name: task.steps[0].work for name, task in found.items()}
    assert {name: shown(work.text) for name, work in works.items() if isinstance(work, Script)} == {
        "job_2.sh": "echo 2\n", "job_4.sh": "echo 4\n", "copy.sh": "echo copy\necho more\n", "made": "echo hi\n"[5:],
        "sbatch": "hostname\n", "read": "echo a\n",
    }  # fmt: skip


# places


def test_folders_are_told_from_where_the_job_runs(tmp_path: Path) -> None:
    driver = """\
ROOT=$PWD
cd jobs; sbatch x.sh $ROOT/data; sbatch --chdir=$ROOT/out -J y x.sh $ROOT/data
cd "$ROOT"; export DATA=$(pwd)/data; (cd jobs && sbatch -J z ../a.sh); sbatch -J w -o $PWD/log $ROOT/a.sh
"""
    found = tasks(tmp_path, driver, jobs__x_sh=A)
    firsts = {}
    for name, task in found.items():
        work = task.steps[0].work
        assert isinstance(work, Script)
        firsts[name] = shown(work.text).partition("\n")[0]
    assert firsts["x.sh"] == "set -- ../data"
    assert firsts["y"] == "set -- ../data"
    assert [shown(found[name].working_directory) for name in ("x.sh", "y", "z", "w")] == [
        "jobs",
        "jobs/../out",
        "jobs",
        "",
    ]
    assert [shown(found[name].environment[0].value) for name in ("z", "w")] == ["../data", "./data"]


@pytest.mark.parametrize("start", ['cd "$(dirname "$0")/.."\n', ""])
def test_a_driver_in_a_folder_of_its_own(start: str, tmp_path: Path) -> None:
    driver = f"#!/bin/bash\n{start}j=$(sbatch --parsable a.sh)\nsbatch -d afterok:$j jobs/x.sh\n"
    put(tmp_path, {"a.sh": A, "jobs/x.sh": A, "bin/submit.sh": driver})
    source = Source("submit.sh", driver, tmp_path / "bin" / "submit.sh")
    workflow = read((source,), ReadSettings(folder=tmp_path / "bin"), Diagnostics())
    assert workflow is not None
    assert [(task.name, shown(task.working_directory), edges(task)) for task in workflow.tasks] == [
        ("a.sh", "", []), ("x.sh", "", [("a.sh", Outcome.SUCCESS)]),
    ]  # fmt: skip


# whole folders


def folder(path: Path, **files: str) -> tuple[Workflow | None, Diagnostics]:
    put(path, {name.replace("__", "/") + ".sh": text for name, text in files.items()})
    found = Diagnostics()
    sources = load_folder(path, TARGET, found)
    return read(tuple(sources), ReadSettings(folder=path), found), found


ONE = "#!/bin/bash\nsbatch a.sh\n"


@pytest.mark.parametrize(
    "files",
    [
        {"one": ONE, "two": "#!/bin/bash\nsbatch b.sh\n", "all": "#!/bin/bash\n./one.sh\nbash two.sh\n"},
        {"lib": "#!/bin/bash\nf() { sbatch \"$@\"; }\n", "all": "#!/bin/bash\n. ./lib.sh\nf a.sh\nf b.sh\n"},
        {"bin__all": "#!/bin/bash\ncd \"$(dirname \"$0\")/..\"\nsbatch a.sh\nsbatch b.sh\n"},
        {"all": "#!/bin/bash\nsbatch a.sh\n./one.sh\n", "one": "#!/bin/bash\nsbatch b.sh\n"},
    ],
)  # fmt: skip
def test_the_driver_of_a_folder_is_the_one_that_nobody_calls(files: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("run `sbatch a.sh`\n")
    (tmp_path / "data.csv").write_text("1,2\n")
    workflow, found = folder(tmp_path, a=A, b=A, **files)
    assert workflow is not None, [item.message for item in found]
    assert workflow.name == "all"
    assert [task.name for task in workflow.tasks] == ["a.sh", "b.sh"]
    assert [item.code.id for item in found] == []


def test_two_drivers_that_nobody_calls_are_not_told_apart(tmp_path: Path) -> None:
    workflow, found = folder(tmp_path, a=A, one=ONE, two=ONE)
    assert workflow is None
    assert [item.code.id for item in found] == ["PWX2427"]


def test_scripts_come_back_where_they_were(tmp_path: Path) -> None:
    files = {
        "one/a.sh": A, "two/a.sh": A + "echo 2\n", "lib.sh": "f() { sbatch --parsable \"$@\"; }\n",
        "driver.sh": "#!/bin/bash\n. ./lib.sh\nj=$(f one/a.sh)\nf -d afterok:$j two/a.sh\n",
    }  # fmt: skip
    put(tmp_path, files)
    result = api.compile(tmp_path / "driver.sh", to="slurm", origin="slurm")
    assert {file.path: file.text for file in result.files} == files


# waiting

WAITS = [
    ("squeue -h -j $j | grep -q $j", Outcome.END),
    ("[ $(squeue -h -j $j | wc -l) -gt 0 ]", Outcome.END),
    ('[ -n "$(squeue --me -h)" ]', Outcome.END),
    ("[[ $(squeue -u $USER | wc -l) -gt 1 ]]", Outcome.END),
]


@pytest.mark.parametrize(("test", "outcome"), WAITS)
def test_a_loop_that_asks_the_queue_is_a_barrier(test: str, outcome: Outcome, tmp_path: Path) -> None:
    found = tasks(tmp_path, f"j=$(sbatch --parsable a.sh)\nwhile {test}; do sleep 9; done\nsbatch b.sh")
    assert edges(found["b.sh"]) == [("a.sh", outcome)]


@pytest.mark.parametrize(
    ("driver", "expected"),
    [
        ("sbatch -W a.sh && sbatch b.sh; sbatch -J c a.sh", {"b.sh": Outcome.SUCCESS, "c": Outcome.END}),
        ("if sbatch -W a.sh; then sbatch b.sh; else sbatch -J c a.sh; fi",
         {"b.sh": Outcome.SUCCESS, "c": Outcome.FAILURE}),
        ("if ! sbatch -W a.sh; then exit 1; fi; sbatch b.sh", {"b.sh": Outcome.SUCCESS}),
        ("sbatch -W a.sh || exit; sbatch b.sh", {"b.sh": Outcome.SUCCESS}),
        ("sbatch -W a.sh || sbatch b.sh; sbatch -J c a.sh", {"b.sh": Outcome.FAILURE, "c": Outcome.END}),
        ("j=$(sbatch --parsable a.sh); scontrol wait_job $j; sbatch b.sh", {"b.sh": Outcome.END}),
        ("w() { while squeue -j $1 | grep -q $1; do sleep 1; done; }; j=$(sbatch --parsable a.sh); w $j; sbatch b.sh",
         {"b.sh": Outcome.END}),
        ("sbatch -W a.sh & p=$!; sbatch -W -J c b.sh & wait $p; sbatch b.sh", {"c": None, "b.sh": Outcome.END}),
    ],
)  # fmt: skip
def test_what_was_waited_for_orders_the_rest(driver: str, expected: dict[str, Outcome | None], tmp_path: Path) -> None:
    found = tasks(tmp_path, driver)
    for name, outcome in expected.items():
        assert edges(found[name]) == ([("a.sh", outcome)] if outcome is not None else []), name


def test_turns_that_wait_are_a_chain(tmp_path: Path) -> None:
    found = tasks(tmp_path, "for i in 1 2 3; do sbatch --wait a.sh $i; done")
    assert [len(task.needs) for task in found.values()] == [0, 1, 2]


# what only Slurm has


def test_tasks_of_an_array_go_with_the_turns_of_a_loop(tmp_path: Path) -> None:
    found = tasks(
        tmp_path, "j=$(sbatch --parsable -a 0-3 a.sh)\nfor i in {0..3}; do sbatch -d afterok:${j}_$i b.sh $i; done"
    )
    edge = found["b.sh"].needs[0]
    sweeps = [found[name].sweep for name in ("a.sh", "b.sh")]
    assert edge.same_instance
    assert sweeps[0] is not None
    assert sweeps[1] is not None
    assert sweeps[0].parameters == sweeps[1].parameters
    work = found["b.sh"].steps[0].work
    assert isinstance(work, Script)
    assert list(work.text.refs()) == [Ref(Root.SWEEP, (sweeps[1].parameters[0].name,))]


def test_the_first_task_of_an_array_that_ends_can_be_meant(tmp_path: Path) -> None:
    found = tasks(tmp_path, "j=$(sbatch --parsable -a 1-2 a.sh)\nsbatch -d afterany:${j}_1?afterany:${j}_2 b.sh")
    assert [(edge.parent, edge.any_instance) for edge in found["b.sh"].needs] == [("a.sh", True)]


def test_a_job_of_somebody_else_is_an_input(tmp_path: Path) -> None:
    workflow, found = load(tmp_path, "j=$(sbatch --parsable a.sh)\nsbatch -d afterok:$j:$1,singleton b.sh")
    assert workflow is not None
    assert edges(workflow.tasks[1]) == [("a.sh", Outcome.SUCCESS)]
    lines = [shown(line) for item in workflow.resources if item.name == "b.sh" for line in item.directives]
    assert lines == ["--dependency=afterok:<arg1>,singleton"]
    assert told(found) == [("PWX2436", "driver.sh", 3, "sbatch -d afterok:$j:$1,singleton b.sh")]


# what is told


@pytest.mark.parametrize(
    ("driver", "expected"),
    [
        ("N=${1:-3}\nfor i in $(seq $N); do sbatch a.sh $i; done",
         ("PWX2430", "driver.sh", 3, "for i in $(seq $N); do sbatch a.sh $i; done")),
        ("o=()\n[ -n \"$PART\" ] && o+=(-p $PART)\nsbatch \"${o[@]}\" a.sh",
         ("PWX2430", "driver.sh", 4, 'sbatch "${o[@]}" a.sh')),
        ("D=$(date +%F)\nsbatch a.sh out/$D", ("PWX2437", "driver.sh", 2, "D=$(date +%F)")),
        ("sbatch a.sh x\nsbatch a.sh out/$(date +%F)", ("PWX2437", "driver.sh", 3, "date +%F")),
        ("source ./none.sh\nsbatch a.sh $N", ("PWX2433", "driver.sh", 2, "source ./none.sh")),
        ("while read -r n; do sbatch a.sh $n; done < list.csv", ("PWX2431", "driver.sh", 2, None)),
        ("while [ $(squeue -h -u $USER | wc -l) -ge 9 ]; do sleep 1; done\nsbatch a.sh",
         ("PWX2432", "driver.sh", 2, "while [ $(squeue -h -u $USER | wc -l) -ge 9 ]; do sleep 1; done")),
        ("sbatch -J x$(ls) a.sh", ("PWX2435", "driver.sh", 2, "sbatch -J x$(ls) a.sh")),
        (". ./lib.sh\nsub a.sh", ("PWX2420", "lib.sh", 2, "sbatch -d afterok:$(sacct) $1")),
        ("sbatch chain.sh", ("PWX2434", "chain.sh", 3, 'sbatch "$0"')),
    ],
)  # fmt: skip
def test_everything_is_told_at_its_place(
    driver: str, expected: tuple[str, str, int, str | None], tmp_path: Path
) -> None:
    _, found = load(
        tmp_path, driver, list_csv="x\ny\n", lib_sh="sub() {\n  sbatch -d afterok:$(sacct) $1\n}\n",
        chain_sh='#!/bin/bash\n#SBATCH --time=5\nsbatch "$0"\n',
    )  # fmt: skip
    code, name, line, text = expected
    places = [place for place in told(found) if place[0] == code]
    assert [place[:3] for place in places] == [(code, name, line)]
    assert text is None or places[0][3] == text


@pytest.mark.parametrize(
    "text",
    ["#!/usr/bin/env python3\nimport os\nos.system('sbatch a.sh')\n", "#!/bin/csh\nset x = 1\nsbatch a.sh $x\n"],
)
def test_a_driver_in_another_language_is_one_script_with_or_without_those_that_it_submits(
    text: str, tmp_path: Path
) -> None:
    put(tmp_path, {"a.sh": A, "driver": text})
    for names in (["driver"], ["driver", "a.sh"]):
        sources = [Source(name, (tmp_path / name).read_text(), tmp_path / name) for name in names]
        found = Diagnostics()
        workflow = read(tuple(sources), ReadSettings(folder=tmp_path), found)
        assert workflow is not None
        assert [task.name for task in workflow.tasks] == ["driver"]
        assert [item.code.id for item in found] == ["PWX2420", "PWX2425"]
        assert not found.failed
        back = api.compile([tmp_path / name for name in names], to="slurm", origin="slurm")
        assert {file.path: file.text for file in back.files} == {source.name: source.text for source in sources}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.py", "#!/usr/bin/env python3\nimport subprocess\nsubprocess.run(['sbatch', 'a.sh'])\n"),
        ("x.csh", "#!/bin/csh\nset x = 1\nsbatch a.sh $x\n"),
        ("Makefile", "all: prep\n\tsbatch b.sh\nprep:\n\tsbatch a.sh\n"),
    ],
)
def test_drivers_in_other_languages_are_not_guessed_at(name: str, text: str, tmp_path: Path) -> None:
    put(tmp_path, {"a.sh": A, "b.sh": A, name: text})
    found = Diagnostics()
    workflow = read((Source(name, text, tmp_path / name),), ReadSettings(folder=tmp_path), found)
    kept = workflow is not None and [item.code.id for item in found] == ["PWX2420", "PWX2425"]
    assert kept or [item.code.id for item in found] == ["PWX2420"]
