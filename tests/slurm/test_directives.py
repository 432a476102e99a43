"""Directives read by the rules of sbatch 22.05; the pairs were measured with sbatch itself."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pwxc_targets.slurm.batch.cutting import CuttingError, Line, cut, join
from pwxc_targets.slurm.batch.directives import read_directives
from pwxc_targets.slurm.batch.table import OPTIONS, names_of

NOW = datetime(2026, 11, 21, 6, 56, 56)


def answer(*lines: str, body: str = "echo\n") -> object:
    text = "#!/bin/bash\n" + "".join(f"#SBATCH {line}\n" for line in lines) + body
    told = read_directives(text, now=NOW, folder="/here").answer()
    if not told["ok"]:
        return None
    components = told["components"]
    assert isinstance(components, list)
    return components[0] if len(components) == 1 else components


ACCEPTED = [
    ("--time=90", {"time": "01:30:00"}),
    ("--time=5:30", {"time": "00:06:00"}),
    ("--time=1-2:3", {"time": "1-02:03:00"}),
    ("--time=1-", {"time": "1-00:00:00"}),
    ("--time=1-25:61:61", {"time": "2-02:03:00"}),
    ("--time=00:00:00", {"time": "UNLIMITED"}),
    ("--time=infinite", {"time": "UNLIMITED"}),
    ("--mem=4096", {"mem": "4G"}),
    ("--mem=100K", {"mem": "1"}),
    ("--mem=0", {"mem": "0?"}),
    ("--mem=1024T", {"mem": "1P"}),
    ("--mem=4gb", {"mem": "4G"}),
    ("--nodes=-3", {"nodes": "1-3"}),
    ("--nodes=1k-2k", {"nodes": "1024-2048"}),
    ("--nodes=2-2", {"nodes": "2"}),
    ("--ntasks=99999999999", {"ntasks": "1215752191"}),
    ('--cpus-per-task=" 3"', {"cpus-per-task": "3"}),
    ("--gres=gpu:a100:2,lscratch:5", {"gres": "gres:gpu:a100:2,gres:lscratch:5"}),
    ("--gres=none", {"gres": "none"}),
    ("--mail-type=ALL", {"mail-type": "INVALID_DEPEND,BEGIN,END,FAIL,REQUEUE,STAGE_OUT"}),
    ("--mail-type=END,FOO", {"mail-type": "END"}),
    ("--signal=b:SIGUSR1@120", {"signal": "B:USR1@120"}),
    ("--signal=USR1@60", {"signal": "USR1"}),
    ("--signal=10@5", {"signal": "USR1@5"}),
    ("--distribution=*:*", {"distribution": "block:cyclic"}),
    ("--cpu-freq=low-high:performance", {"cpu-freq": "Low-High:Performance"}),
    ("--profile=task,energy", {"profile": "Energy,Task"}),
    ("--exclusive", {"exclusive": "exclusive"}),
    ("--exclusive --oversubscribe", {"exclusive": "oversubscribe", "oversubscribe": "oversubscribe"}),
    ("--requeue --no-requeue", {"requeue": "no-requeue", "no-requeue": "no-requeue"}),
    ("--core-spec=2 --thread-spec=3", {"core-spec": "unset", "thread-spec": "3"}),
    ("--nodelist=a --nodefile=b", {"nodelist": None, "nodefile": "b"}),
    ("--chdir=~/w", {"chdir": "/here/~/w"}),
    ("--begin=now+1hour", {"begin": "2026-11-21T07:56:56"}),
    ("--begin=4:00pm", {"begin": "2026-11-21T16:00:00"}),
    ("--begin=01/02/27", {"begin": "2027-01-02T00:00:00"}),
    ("--nice=foo", {"nice": "0"}),
    ("--priority=TOP", {"priority": "-3"}),
    ("--tasks-per-node=3", {"ntasks-per-node": "3"}),
    ("--part=x", {"partition": "x"}),
    ("-p=gpu", {"partition": "=gpu"}),
    ("-Hn 3", {"hold": "set", "ntasks": "3"}),
    ("-partition=gpu", {"partition": "artition=gpu"}),
    ("--job-name=a#b", {"job-name": "a"}),
    ("--comment=\"a\"b'c'", {"comment": "abc"}),
    ('--comment="a\\"b\\n"', {"comment": 'a"bn'}),
    ("--output=$HOME/x # note", {"output": "$HOME/x"}),
    ('"" --time=5', {}),
    ("-n2 hetjob -n3", {"ntasks": "2"}),
    ("--help", {}),
    ("--signal=B:USR1@120 --signal=TERM@5", {"signal": "B:TERM@5"}),
    ('--signal=":USR1 @ 5"', {"signal": "USR1@5"}),
    ("--signal=65546", {"signal": "USR1"}),
    ("--mem-bind=verbose --mem-bind=local", {"mem-bind": "verbose,local"}),
    ("--mem-bind=mask_mem:0x3*2,f,v", {"mem-bind": "verbose,mask_mem:3,3,f"}),
    ("--mem-bind=mapmem=1 --mem-bind=sort", {"mem-bind": "sort,map_mem"}),
    ("--mem-bind=local;none", {"mem-bind": "none"}),
    ("--get-user-env=10S --get-user-env=5", {"get-user-env": "5S"}),
    ("--gpu-bind=mask_gpu:0x1,,2*", {"gpu-bind": "mask_gpu:0x1,,2*"}),
    ("--gpu-freq=,low", {"gpu-freq": ",low"}),
    ("--cpu-freq=perfect", {"cpu-freq": "Performance"}),
    ("--cpu-freq=med", {"cpu-freq": "Medium"}),
    ("--distribution=block,", {"distribution": "block"}),
    ('--distribution="plane= 4"', {"distribution": "plane=4"}),
    ("--acctg-freq=xenergy=5,-2", {"acctg-freq": "xenergy=5,-2"}),
    ("--time=35791394", {"time": "2957761-01:03:00"}),
    ("--time=-12345", {"time": "2970271-04:17:00"}),
    ("--time=71582788", {"time": "UNLIMITED"}),
    ("--tmp=18014398509481985G", {"tmp": "1G"}),
    ("--begin=TT16:00T", {"begin": "2026-11-21T16:00:00"}),
    ("--uid=+5", {"uid": "5"}),
    ("-n2 hetjob#", None),
]
REFUSED = [
    "--time=1d", "--time=5:", "--time=", "--time=-5x", "--mem=1.5G", "--mem=1P", "--mem=4Gi", "--nodes=4-2",
    "--nodes=1,2",
    "--ntasks=0", "--ntasks=2x", "--switches=0", "--signal=foo", "--signal=USR1@70000", "--mail-type=FOO", "--nice 5",
    "--hold=1", "--n=3", "--mem", "--workdir=/x", "--exact", "-t=5", "-Z", "stray", "--comment=a\\ b", ":x", '-J "x',
    "--begin=Tomorrow", "--begin=2027-01-02t10:00", "--begin=1970-01-01", "--ntasks=9223372036854775807",
    "--time=１", "--mem=４G", "--nodes=２", "--mem-bind=local:x", "--mem-bind=map_mem:0x1", "--mem-bind=map_mem:1*0",
    "--gpu-bind=single:-1", "--gpu-bind=mask_gpu:0X1", "--gpu-freq=memory=verbose", "--gpu-freq=", "--cpu-freq=per",
    "--cpu-freq=perf-high", "--distribution=plane=4294967297", "--signal=65536", "--uid=4294967294", '"hetjob"',
    "--acctg-freq=energy=-1", "-n2\n#SBATCH \"hetjob\"",
    "--begin=4pm", "--begin=now+1h", "--wait-all-nodes=2", "--exclusive user", "-- x", "--tres-per-task=cpu=1",
]  # fmt: skip


@pytest.mark.parametrize(("line", "told"), ACCEPTED)
def test_a_directive_is_told_as_sbatch_tells_it(line: str, told: object) -> None:
    assert answer(line) == told


@pytest.mark.parametrize("line", REFUSED)
def test_a_directive_is_refused_as_sbatch_refuses_it(line: str) -> None:
    assert answer(line) is None


def test_directives_end_at_the_first_command() -> None:
    reading = read_directives("#!/bin/sh\n\n # x\n#SBATCH -n2\nset -e\n#SBATCH -n3\n")
    assert reading.answer() == {"ok": True, "components": [{"ntasks": "2"}]}
    assert [line.number for line in reading.late] == [6]


@pytest.mark.parametrize("text", ["", " \n", "echo\n", "#!/bin/sh\r\necho\r\n", " #!/bin/sh\n"])
def test_some_files_are_no_scripts(text: str) -> None:
    assert not read_directives(text).accepted


def test_foreign_lines_win() -> None:
    def told(text: str) -> object:
        return read_directives("#!/bin/sh\n" + text).answer()

    assert told("#PBS -N a\n#SBATCH -J b\n") == {"ok": True, "components": [{"job-name": "a"}]}
    found = told("#PBS -l nodes=2:ppn=4,walltime=2:00:00\n#SBATCH -n 3\n")
    assert found == {"ok": True, "components": [{"nodes": "2", "ntasks": "8", "time": "02:00:00"}]}
    assert told("#SBATCH --ignore-pbs\n#PBS -d x\n") == {"ok": True, "components": [{"ignore-pbs": "set"}]}
    assert told("#BSUB -R x\n") != {"ok": True, "components": [{}]}


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("#SBATCH --export=ALL\n#PBS -v A=1,B", {"export": "ALL,A=1,B"}),
        ("#SBATCH -C x\n#PBS -l proc=a\n#PBS -l proc=b", {"constraint": "b,a,x"}),
        ("#PBS -hNx", {"hold": "set", "job-name": "x"}),
        ("#PBS -h=4", None),
        ("#PBS -N x --", {"job-name": "x"}),
        ("#BSUB -xJ a", {"exclusive": "exclusive", "job-name": "a"}),
        ("#BSUB -n 2 -cwd /x", {"ntasks": "2", "chdir": "/x"}),
        ("#BSUB -x -cwd /x", None),
        ("#BSUB\n#PBS -N x", {}),
    ],
)
def test_foreign_options_are_cut_and_joined_as_sbatch_does(lines: str, told: object) -> None:
    found = read_directives(f"#!/bin/sh\n{lines}\necho\n").answer()
    assert found == {"ok": True, "components": [told]} if told is not None else not found["ok"]


FAULTS = [
    ("--workdir /x", ["unknown-option"]),
    ("--workdir /x\n#SBATCH --no-such=1", ["unknown-option"]),
    ("--nodes 2 4", ["stray-word"]),
    ("--stepmgr", ["newer-option"]),
    ("--exclusive=topo", ["newer-option"]),
    ("--extra=some", ["newer-option"]),
    ("--extra=2", []),
    ("--begin=elevenses", ["newer-option"]),
]


@pytest.mark.parametrize(("line", "kinds"), FAULTS)
def test_a_fault_is_told_once_and_by_its_kind(line: str, kinds: list[str]) -> None:
    found = read_directives(f"#!/bin/sh\n#SBATCH {line}\necho\n").faults
    assert [fault.kind for fault in found] == kinds


@pytest.mark.parametrize(
    ("lines", "value"),
    [("--image x:y", "x:y"), ("--image=x:y", "x:y"), ("--vol=/a:/b", "/a:/b"), ("--ccm", None), ("--ccm=1", "refused")],
)
def test_options_of_a_plug_in_take_their_values(lines: str, value: str | None) -> None:
    reading = read_directives(f"#!/bin/sh\n#SBATCH {lines}\necho\n", tolerated=("image", "volume", "ccm"))
    if value == "refused":
        assert [fault.kind for fault in reading.faults] == ["no-value"]
        return
    assert reading.accepted
    assert reading.components[0].given[0].value == value


def test_components_keep_some_options() -> None:
    assert answer("-n2 --time=5", "hetjob", "-c3") == [
        {"ntasks": "2", "time": "00:05:00"},
        {"cpus-per-task": "3", "time": "00:05:00"},
    ]
    # a file's name of an earlier component is one below the folder of the job
    assert answer("-D /w -o x --test-only", "hetjob", "--uid=0") == [
        {"chdir": "/w", "output": "x", "test-only": "set"},
        {"chdir": "/w", "output": "/w/x", "test-only": "set", "uid": "0"},
    ]


def test_the_table_has_unique_names() -> None:
    names = [option.name for option in OPTIONS]
    shorts = [option.short for option in OPTIONS if option.short]
    assert len(names) == len(set(names))
    assert len(shorts) == len(set(shorts))
    assert "tres-per-task" not in names_of("22.05")
    assert "tres-per-task" in names_of("23.02")


@given(st.text(st.characters(blacklist_characters="\n", blacklist_categories=("Cs",)), min_size=1))
def test_a_word_that_is_written_is_read_again(value: str) -> None:
    words = list(cut(Line(1, 0, f"--comment={join(value)}"), 0))
    assert [word.text for word in words] == [f"--comment={value}"]


@given(st.text())
def test_no_text_makes_it_fail(text: str) -> None:
    read_directives("#!/bin/sh\n#SBATCH " + text).answer()
    places = [(0, 1)]
    try:
        places += [(word.start, word.end) for word in cut(Line(1, 0, text.replace("\n", " ")), 0)]
    except CuttingError as error:
        places.append((error.start, error.end))
    assert all(0 <= start < end <= max(len(text), 1) for start, end in places)


CORPUS = Path(os.environ.get("PWXC_CORPUS", Path(__file__).parents[3] / "shared" / "corpus")) / "slurm"


@pytest.mark.corpus
@pytest.mark.skipif(not (CORPUS / "ORACLE.json").exists(), reason="PWXC_CORPUS does not name the corpus")
def test_real_scripts_are_read_as_sbatch_reads_them() -> None:
    unlike = []
    for name, told in json.loads((CORPUS / "ORACLE.json").read_text()).items():
        mine = read_directives((CORPUS / name).read_bytes().decode(), folder="$PWD").answer()
        if mine["ok"] != told["ok"] or (told["ok"] and mine["components"] != told["components"]):
            unlike.append(name)
    assert unlike == []


def kept(text: str, what: str) -> list[str]:
    return [line.text for line in getattr(read_directives(text), what)]


def test_lines_of_a_burst_buffer_are_those_before_the_first_command() -> None:
    inside = ["#DW jobdw type=scratch", "#BB create_persistent name=a", "#BB_LUA pool=x", "#DW\tswap 1GB"]
    others = ["#DWARF x", "# #DW x", " #DW x", "#BBx y", "##DW x", "#dw x"]
    text = "\n".join(["#!/bin/bash", *inside, *others, "#SBATCH -n2", "", "./a", "#DW late x", ""])
    assert kept(text, "buffers") == inside
    assert read_directives(text).accepted
    assert kept(text, "directives") == ["#SBATCH -n2"]


def test_options_behind_a_comment_in_a_value_are_lost_as_they_are_for_sbatch() -> None:
    assert answer("--comment=a#b -n 2") == {"comment": "a"}
    text = "#!/bin/bash\n#SBATCH --comment=a#b -n 2  \n#SBATCH -J 'x#y' # z\necho\n"
    assert [text[start:end] for start, end in read_directives(text).cut_short] == ["#b -n 2"]
