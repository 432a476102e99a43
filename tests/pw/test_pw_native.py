"""Tasks of other systems, and of changed ACTIVATE workflows, as jobs with steps."""

import os
from pathlib import Path

import pytest
from native_flows import LOSSY, compiled, flow, is_clean, run, task, torc
from pw_workflows import BASIC, EVERYTHING

from pwxc.compiler import read, write
from pwxc.diagnostics import Severity
from pwxc.ir.data import InlineFile, Variable
from pwxc.ir.entity import changed
from pwxc.ir.expr import Binary, Literal, Ref, Root
from pwxc.ir.resources import Container, Placement, Resources
from pwxc.ir.sweep import Parameter, Sweep, Values
from pwxc.ir.task import ActionCall, Command, Edge, Gang, Outcome, Script, Step, Task
from pwxc.ir.template import Template, text
from pwxc.source import Source
from pwxc_targets.pw import TARGET

CORPUS = Path(os.environ.get("PWXC_CORPUS", Path(__file__).parents[3] / "shared" / "corpus"))


def reread(workflow, **options):
    files, _, said = write(workflow, to=TARGET, options=options, policy=LOSSY)
    again, diagnostics, _ = read([Source("w/workflow.yaml", files[0].text)], origin=TARGET)
    assert again is not None, [item.message for item in diagnostics]
    return changed(again, name=workflow.name), said


def own(text):
    workflow, diagnostics, _ = read([Source("w/workflow.yaml", text)], origin=TARGET)
    assert workflow is not None, list(diagnostics)
    return workflow


@pytest.mark.parametrize("source", [BASIC, EVERYTHING])
def test_a_workflow_made_anew_means_what_the_one_that_was_read_means(source):
    workflow = own(source)
    again, said = reread(changed(workflow, origin=None))
    assert again == workflow
    assert said == []


@pytest.mark.parametrize("source", [BASIC, EVERYTHING])
def test_a_change_in_one_place_leaves_everything_else_as_it_was(source):
    workflow = own(source)
    first, *rest = workflow.tasks
    altered = changed(workflow, tasks=(changed(first, run_timeout=60), *rest))
    assert altered.origin is not None
    again, said = reread(altered)
    assert again == altered
    assert said == []


@pytest.mark.parametrize(
    ("condition", "when"),
    [
        (None, Outcome.SUCCESS),
        (None, Outcome.END),
        (None, Outcome.FAILURE),
        (Ref(Root.INPUT, ("x",)), Outcome.SUCCESS),
        (Ref(Root.INPUT, ("x",)), Outcome.END),
        (Ref(Root.INPUT, ("x",)), Outcome.FAILURE),
        (Literal(value=False), Outcome.SUCCESS),
        (Binary("||", Ref(Root.STATUS, ("error",)), Ref(Root.INPUT, ("x",))), Outcome.END),
    ],
)
def test_conditions_come_back_as_they_were(condition, when):
    workflow = flow(task("a"), task("b", needs=(Edge(parent="a", when=when),), condition=condition), dialect="pw")
    again, _ = reread(workflow)
    assert (again.tasks[1].condition, again.tasks[1].needs) == (condition, workflow.tasks[1].needs)


def test_different_outcomes_of_different_parents_are_kept_apart():
    needs = (Edge(parent="a"), Edge(parent="b", when=Outcome.END), Edge(parent="c", delay=7))
    data, said = compiled(flow(task("a"), task("b"), task("c"), task("d", needs=needs)))
    jobs = data["jobs"]
    assert jobs["d"]["needs"] == ["a", "b-ended", "c-waited"]
    assert "if" not in jobs["d"]
    assert (jobs["b-ended"]["needs"], jobs["b-ended"]["if"]) == (["b"], "${{ always }}")
    assert jobs["c-waited"]["steps"][0]["run"] == "sleep 7\n"
    assert said == []


def test_all_of_several_failures_are_asked_for_one_by_one():
    needs = (Edge(parent="a", when=Outcome.FAILURE), Edge(parent="b", when=Outcome.FAILURE))
    data, _ = compiled(flow(task("a"), task("b"), task("c", needs=needs)))
    assert data["jobs"]["c"]["needs"] == ["a-failed", "b-failed"]
    assert data["jobs"]["a-failed"]["if"] == "${{ error }}"


FILES = """\
name: files
jobs:
  - {name: make, command: 'cat ${files.input.given} > ${files.output.made}'}
  - {name: use, command: 'cat ${files.input.made}'}
files:
  - {name: given, path: given.txt}
  - {name: made, path: made.txt}
"""


def test_files_are_paths_in_the_text_and_are_looked_for(tmp_path):
    data, said = compiled(torc(FILES))
    make, use = data["jobs"]["make"], data["jobs"]["use"]
    assert "cat given.txt > made.txt" in [step["run"] for step in make["steps"]]
    assert use["needs"] == ["make"]
    assert said == []
    assert run(make, tmp_path)[0] == 1
    assert not (tmp_path / "made.txt").exists()
    (tmp_path / "given.txt").write_text("yes")
    assert run(make, tmp_path)[0] == 0
    assert run(use, tmp_path) == (0, "yes")


def test_a_file_that_is_not_written_fails_the_job(tmp_path):
    data, _ = compiled(torc(FILES.replace("cat ${files.input.given} >", "echo")))
    assert run(data["jobs"]["make"], tmp_path)[0] == 1


RULES = """\
name: rules
jobs:
  - name: flaky
    command: 'echo "$TORC_ATTEMPT_ID"; n=$(cat n || echo 0); echo $((n + 1)) > n; [ "$n" -ge 2 ] || exit $((n + 10))'
    failure_handler: h
    output_files: [out]
failure_handlers:
  - name: h
    rules:
      - {exit_codes: [10], max_retries: 3, recovery_script: 'echo "back from $TORC_RETURN_CODE" > out'}
      - {exit_codes: [11], max_retries: LIMIT}
files: [{name: out, path: out}]
"""


@pytest.mark.parametrize(("limit", "status", "attempts"), [("3", 0, "1\n2\n3\n"), ("2", 11, "1\n2\n")])
def test_exit_rules_repeat_the_command(tmp_path, limit, status, attempts):
    data, said = compiled(torc(RULES.replace("LIMIT", limit)))
    assert said == []
    (step,) = data["jobs"]["flaky"]["steps"]
    assert is_clean(step["run"]) == ""
    # torc counts all attempts together
    assert run(data["jobs"]["flaky"], tmp_path) == (status, attempts)
    assert (tmp_path / "out").read_text() == "back from 10\n"


def test_one_rule_for_every_failure_is_the_platforms_own_retry():
    spec = """\
    name: all
    jobs: [{name: a, command: make, failure_handler: h}]
    failure_handlers: [{name: h, rules: [{match_all_exit_codes: true, max_retries: 4}]}]
    """
    data, _ = compiled(torc(spec))
    (step,) = data["jobs"]["a"]["steps"]
    assert step["run"] == "make"
    assert step["retry"] == {"max-retries": 3, "interval": "0s", "timeout": "365d"}


SUBMITTED = """\
name: sub
jobs:
  - {name: a, command: 'echo hi; exit 3', resource_requirements: small, scheduler: big}
  - {name: b, command: ls}
resource_requirements: [{name: small, num_cpus: 4, num_gpus: 2, memory: 8g, runtime: PT5M}]
slurm_schedulers:
  - {name: big, account: proj, partition: gpu, walltime: '02:00:00', extra: '--constraint=fast', gres: 'gpu:a100:4'}
"""


def test_jobs_with_a_scheduler_are_submitted_and_others_are_not():
    data, said = compiled(torc(SUBMITTED))
    prepare, submit, status = data["jobs"]["a"]["steps"]
    assert submit["uses"] == "marketplace/job_runner/v4.0"
    assert submit["with"]["slurm"] == {
        "is_disabled": False,
        "account": "proj",
        "partition": "gpu",
        "time": "00:05:00",
        "nodes": 1,
        "cpus_per_task": 4,
        "gres": "gpu:a100:2",
        "mem": "8192M",
        "scheduler_directives": "#SBATCH --constraint=fast\n",
    }
    assert data["jobs"]["b"]["steps"][0]["run"] == "ls"
    assert "PWX3223" in said
    assert [is_clean(script) for script in (prepare["run"], submit["with"]["script"], status["run"])] == ["", "", ""]


def test_the_submitted_scripts_status_is_the_jobs(tmp_path):
    data, _ = compiled(torc(SUBMITTED))
    assert run(data["jobs"]["a"], tmp_path) == (3, "hi\n")
    prepare, _, status = data["jobs"]["a"]["steps"]
    assert run({"steps": [prepare, status]}, tmp_path)[0] == 1


def test_a_submitted_script_runs_where_its_paths_start_and_knows_the_run(tmp_path):
    script = Template.of('echo "$PWD" "$A" ', Ref(Root.RUN_FOLDER), "\n")
    variables = (Variable(name="A", value=text("it's")),)
    data, _ = compiled(flow(task("a", script, environment=variables), dialect="slurm"))
    assert run(data["jobs"]["a"], tmp_path) == (0, f"{tmp_path} it's {tmp_path}\n")


def test_blank_lines_that_count_are_not_lost_in_the_job_runner(tmp_path):
    data, _ = compiled(flow(task("a", "cat <<'END'\none\n\ntwo\nEND\n"), dialect="slurm"))
    assert run(data["jobs"]["a"], tmp_path) == (0, "one\n\ntwo\n")
    data, _ = compiled(flow(task("a", "echo one\n\necho two\n"), dialect="slurm"))
    assert "echo one\n\necho two\n" in data["jobs"]["a"]["steps"][1]["with"]["script"]


def test_paths_of_slurm_options_start_in_the_folder_and_quotes_survive_the_shell():
    lines = tuple(map(text, ("--output=logs/%A_%a.out", "--error=/tmp/e", "--comment=a $b")))
    sweep = Sweep(parameters=(Parameter(name="index", values=Values((4, 7))),))
    record = Resources(name="a", directives=lines)
    data, _ = compiled(flow(task("a", sweep=sweep, resources="a"), resources=(record,), dialect="slurm"))
    assert data["jobs"]["a"]["steps"][1]["with"]["slurm"]["scheduler_directives"].splitlines() == [
        "#SBATCH --job-name=a",
        "#SBATCH --output=${{ inputs.folder }}/logs/%j_${{ matrix.index }}.out",
        "#SBATCH --error=/tmp/e",
        "#SBATCH --comment='a \\$b'",
    ]


def test_ssh_can_be_asked_for_all_the_same():
    data, said = compiled(torc(SUBMITTED), submit="ssh")
    assert [step["run"] for step in data["jobs"]["a"]["steps"]] == ["echo hi; exit 3"]
    assert "PWX3200" in said


@pytest.mark.parametrize("body", ["trap 'echo bye' EXIT\nexit 5\n", "exec bash -c 'echo bye; exit 5'\n"])
def test_a_script_that_ends_in_its_own_way_is_run_as_a_file(tmp_path, body):
    data, said = compiled(flow(task("a", body), dialect="slurm"))
    assert run(data["jobs"]["a"], tmp_path) == (5, "bye\n")
    assert said == []
    record = Resources(name="a", directives=(text("--signal=B:USR1@60"),))
    _, said = compiled(flow(task("a", body, resources="a"), resources=(record,), dialect="slurm"))
    assert said == ["PWX3230"]


def test_variables_that_the_platform_might_change_are_exported_by_the_script(tmp_path):
    plain = (Variable(name="A", value=text("x y")),)
    data, _ = compiled(flow(task("a", 'echo "$A"', environment=plain)))
    assert data["jobs"]["a"]["env"] == {"A": "x y"}
    odd = (Variable(name="A", value=text("it's $HOME\n${{ x }}")),)
    data, _ = compiled(flow(task("a", 'echo "$A"', environment=odd)))
    (step,) = data["jobs"]["a"]["steps"]
    assert "${{" not in step["run"].replace("'$''{{", "")
    assert run(data["jobs"]["a"], tmp_path) == (0, "it's $HOME\n${{ x }}\n")


def test_values_that_only_the_run_has_are_put_into_the_text_as_they_are(tmp_path):
    script = Template.of("echo '", Ref(Root.RUN_FOLDER), "' \"", Ref(Root.RUN_ID), '" `echo ', Ref(Root.RUN_ID), "`\n")
    data, said = compiled(flow(task("a", script)))
    assert run(data["jobs"]["a"], tmp_path) == (0, f"{tmp_path} slug slug\n")
    assert said == []
    _, said = compiled(flow(task("a", Template.of("echo ", Ref(Root.HOST, ("b",))))))
    assert said == ["PWX3220"]


def test_what_a_step_says_holds_for_its_submission(tmp_path):
    step = Step(
        work=Script(text('echo "$A"; exit 2\n')),
        environment=(Variable(name="A", value=text("1")),),
        ignore_errors=True,
        timeout=90,
        cleanup=text("rm -f x"),
    )
    data, said = compiled(flow(Task(name="a", steps=(step,)), dialect="slurm"))
    _, submit, status = data["jobs"]["a"]["steps"]
    assert (submit["timeout"], submit["cleanup"], submit["ignore-errors"]) == ("90s", "rm -f x", True)
    assert status["ignore-errors"] is True
    assert said == []
    assert run(data["jobs"]["a"], tmp_path) == (0, "1\n")
    _, said = compiled(flow(Task(name="a", steps=(step, step)), dialect="slurm"))
    assert set(said) == {"PWX3216"}


ODD = {
    "a command": flow(Task(name="a", steps=(Step(work=Command((text("echo"), text("x y")))),))),
    "no steps": flow(Task(name="a")),
    "no tasks": flow(),
    "several kinds of work": flow(
        Task(name="a", steps=(Step(work=Command((text("ls"),))), Step(work=Script(text("ls"))))),
    ),
    "files": flow(task("a", files=(InlineFile(path=text("/tmp/x"), contents=text("hi\n")),))),
    "a gang of several steps": flow(
        Task(name="a", steps=(Step(work=Script(text("x"))), Step(work=Script(text("y"))))),
        Task(name="b", steps=(Step(work=ActionCall("parallelworks/checkout", {"repo": "r", "branch": "b"})),)),
        gangs=(Gang(name="g", members=("a", "b"), lead="a"),),
    ),
    "another shell in a container": flow(
        Task(
            name="a",
            steps=(Step(work=Script(text("import os\n"), ("/usr/bin/python3", "-u"))),),
            container=Container(image=text("nvcr.io/x:1"), mounts=("/a:/b",)),
        ),
        dialect="slurm",
    ),
    "names that differ in case": flow(task("A b/ä.1"), task("a b/ä.1", needs=(Edge(parent="A b/ä.1"),))),
    "a start": flow(task("a"), task("b", needs=(Edge(parent="a", when=Outcome.START, delay=3),))),
    "text like an expression": flow(task("a", "echo ${{ secrets.X }} $<< x\n")),
    "a command in this dialect": flow(Task(name="a", steps=(Step(work=Command((text("x"),))),)), dialect="pw"),
    "all that a scheduler can be asked": flow(
        task("a", resources="r", placement=Placement(scheduled=True, pool=text("p"))),
        resources=(
            Resources(name="r", nodes=2, tasks=4, tasks_per_node=2, memory=2**30, memory_per_cpu=7, storage=5, gpus=2,
                      gpu_type="a", generic=text("lscratch:1"), walltime=90061, reservation=text("r"), exclusive=True,
                      exclude_nodes=("n1",), node_list=("n2", "n3"), quality=text("q")),
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("options", [{}, {"submit": "ssh", "container": "none"}, {"submit": "job_runner"}], ids=str)
@pytest.mark.parametrize("name", ODD)
def test_nothing_is_too_odd(name, options):
    compiled(ODD[name], **options)


def corpus(dialect):
    folder = CORPUS / dialect
    return sorted(folder.iterdir()) if folder.is_dir() else []


@pytest.mark.corpus
def test_real_files_of_this_dialect_come_back_equal():
    """All but two: agents are submitted in another way, and an old file has its name in it."""
    differing = []
    for path in corpus("pw"):
        if path.suffix != ".yaml":
            continue
        workflow, _, _ = read([Source(str(path), path.read_text())], origin=TARGET)
        if workflow is not None:
            again, said = reread(changed(workflow, origin=None, name="w"))
            differing += [path.name] if changed(again, name="w") != changed(workflow, name="w") else []
            assert said == [], path.name
    assert [name for name in differing if "script_submitter-v3.6" not in name] == []


@pytest.mark.corpus
@pytest.mark.parametrize("dialect", ["torc", "slurm"])
def test_real_files_of_other_systems_become_files_that_the_reader_takes(dialect):
    from pwxc.registry import ReadSettings, find

    origin = find(dialect)
    for path in corpus(dialect):
        if not path.is_file() or path.name in ("README.md", "INDEX.tsv", "ORACLE.json"):
            continue
        settings = ReadSettings(folder=path.parent)
        workflow, diagnostics, _ = read([Source(str(path), path.read_text())], origin=origin, settings=settings)
        assert workflow is not None or any(item.severity is Severity.ERROR for item in diagnostics)
        if workflow is not None:
            compiled(workflow)
