"""Our reading of directives held against that of `sbatch` itself: no daemon is needed and nothing is submitted.

`sbatch` runs with a configuration whose client filter prints the options and then refuses the submission.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pwxc_targets.slurm.batch.directives import read_directives
from pwxc_targets.slurm.batch.table import GONE, NONE, OPTIONAL, OPTIONS, REFERENCE, Option

CONFIGURATION = """\
ClusterName=none
SlurmctldHost=localhost
SlurmctldPort=1
AuthType=auth/none
CliFilterPlugins=cli_filter/lua
AllowSpecResourcesUsage=yes
GresTypes=gpu,lscratch,shard
NodeName=one
PartitionName=all Nodes=one
"""
FILTER = """\
function slurm_cli_setup_defaults(options, early) return slurm.SUCCESS end
function slurm_cli_pre_submit(options, offset)
  local out = io.open(os.getenv("PWXC_OUT"), "a")
  out:write((slurm.json_cli_options(options) or "null"), "\\n")
  out:close()
  if offset + 1 < tonumber(os.getenv("PWXC_COMPONENTS")) then return slurm.SUCCESS end
  return slurm.ERROR
end
function slurm_cli_post_submit(offset, job, step) return slurm.SUCCESS end
"""


class Sbatch:
    """Asks `sbatch` how it reads scripts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "slurm.conf").write_text(CONFIGURATION)
        (folder / "cli_filter.lua").write_text(FILTER)

    def told(self, script: bytes) -> list[dict[str, Any]] | None:
        """Give the options of each component; None where the script is refused."""
        components = 1 + len(re.findall(rb"^#SBATCH\s+(?:het|pack)job(?!\S)", script, re.M | re.I))
        out = self.folder / "out"
        out.write_bytes(b"")
        (self.folder / "job.sh").write_bytes(script)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SBATCH_", "SLURM_"))}
        environment = {
            **kept, "SLURM_CONF": str(self.folder / "slurm.conf"), "PWXC_OUT": str(out),
            "PWXC_COMPONENTS": str(components),
        }  # fmt: skip
        subprocess.run(
            ["sbatch", "job.sh"], cwd=self.folder, env=environment, capture_output=True, timeout=60, check=False
        )
        found = [json.loads(line) for line in out.read_text().splitlines()]
        for item in found:
            item.pop("argv", None)
        return found if len(found) == components else None


@pytest.fixture(scope="module")
def sbatch(tmp_path_factory: pytest.TempPathFactory) -> Sbatch:
    if shutil.which("sbatch") is None:
        pytest.skip("Slurm is not installed")
    asked = Sbatch(tmp_path_factory.mktemp("sbatch"))
    environment = {**os.environ, "SLURM_CONF": str(asked.folder / "slurm.conf")}
    done = subprocess.run(["sbatch", "--version"], capture_output=True, text=True, check=False, env=environment)
    if REFERENCE not in done.stdout:
        pytest.skip(f"{done.stdout.strip() or 'sbatch'} is not the version that is the reference")
    if asked.told(b"#!/bin/sh\n#SBATCH -n2\n") != [{"ntasks": "2"}]:
        pytest.skip("sbatch has no filter in Lua")
    return asked


def mine(script: str, folder: Path, now: datetime) -> object:
    told = read_directives(script, folder=str(folder), now=now).answer()
    return told["components"] if told["ok"] else None


def agree(sbatch: Sbatch, script: str) -> None:
    before = datetime.now().replace(microsecond=0)
    told = sbatch.told(script.encode("utf-8", "surrogateescape"))
    after = datetime.now().replace(microsecond=0)
    # a time that counts from now may fall into either second
    assert told in (mine(script, sbatch.folder, before), mine(script, sbatch.folder, after)), script


COUNTS = ["0", "1", "2", "16", "-1", "+3", " 3", "03", "2x", "x", "", "1.5", "1-3", "3-1", "1-", "2k", "1,2", "$N"]
DURATIONS = [
    "0", "90", "5:30", "1:2:3", "1-", "1-2", "1-2:3", "1-2:3:4", "-1", "UNLIMITED", "infinite", "1d", "30m", "5.5",
    ":5", "5:", "1::2", "24:00:00", "100:00:00", "0:30", "00:00:00", "1-25:61:61", "1:2:3:4", " 5", "5 ", "", "x",
]  # fmt: skip
TEXTS = ["x", "a b", "", "a#b", "$USER", "$(date)", "~/x", "=x", ":x", "a:b", "é", "*", "none", "--x", "a'b", "x\\y"]
VALUES = {
    "count": COUNTS,
    "spec": COUNTS,
    "nodes": [*COUNTS, "1k-2k", "-3", "2-2", "0", "4-2", "1-2-3"],
    "duration": DURATIONS,
    "delay": DURATIONS,
    "size": ["0", "4096", "4G", "4g", "4GB", "4Gb", "100K", "1025K", "1T", "1024T", "1P", "1.5G", "4Gi", "4 G", "",
             "-1", "max", "1MB", "1MBs", "2048M"],
    "gres": ["gpu:1", "gpu", "gpu:a100:2", "gpu:2,lscratch:100", "none", "gpu=2", "gres:gpu:1", "gpu:0", "gpu:1,"],
    "moment": ["now", "now+60", "now+2days", "now+1h", "now-1hour", "today", "tomorrow", "noon", "teatime", "fika",
               "16:00", "4:00pm", "4pm", "25:00", "010227", "01/02/27", "01/02", "2027-01-02", "2027-01-02T03:04",
               "2027-01-02T03:04:05", "2027-1-2", "2027-02-30", "16:00 2027-01-02", "noon tomorrow", "x", ""],
    "mail": ["ALL", "none", "BEGIN", "END,FAIL", "END,FOO", "FOO,END", "FOO", "", "TIME_LIMIT_80", "ALL,ARRAY_TASKS",
             "END,NONE", "NONE,END"],
    "signal": ["USR1", "SIGUSR1@60", "B:USR1@120", "b:10", "R:10@5", "RB:TERM", "x", "", "USR1@", "USR1@x", "0",
               "USR1@65536", "X:TERM", "64", "B:", ":USR1", "USR1 @+5", "-1", "65546"],
    "switches": ["1", "2@1-0", "1@x", "0", "1@", "2@10:00"],
    "nice": ["", "5", "-5", "foo", "5x"],
    "priority": ["5", "TOP", "-5", "x"],
    "user_env": ["", "10", "10S", "L", "x"],
    "shape": ["1", "1:2", "1:2:3", "*:2", "x", "", "2k", "1-"],
    "zero_one": ["0", "1", "2", "x"],
    "profile": ["all", "none", "task,energy", "x", "task,x"],
    "distribution": ["block", "*:*", "cyclic:fcyclic", "plane=4", "plane=0", "plane", "arbitrary", "block,Pack", "x",
                     "", ":block", "block:x"],
    "cpu_freq": ["low", "2400000", "1000-2000", "low-high", "high-low", "performance", "conservative", "x", "",
                 "low-high:performance", "1000-x", "highm1"],
    "gpu_freq": ["low", "1000", "memory=low", "low,verbose", "x"],
    "gpu_bind": ["closest", "none", "single:1", "map_gpu:0,1", "mask_gpu:0x1", "verbose,closest", "x", ""],
    "mem_bind": ["none", "local", "map_mem:0", "map_mem:", "x", "verbose", "mask_mem:0x3*2,f,sort",
                 "local;q", "rank:1"],
    "acctg": ["30", "task=30,energy=10", "x", "", "-1", "foo=1", "30s"],
    "gres_flags": ["disable-binding", "Enforce-Binding", "x"],
    "yes_no": ["yes", "NO", "y", ""],
    "open_mode": ["append", "T", "x", "appendix"],
    "exclusive": ["", "user", "MCS", "x", "topo"],
    "no_kill": ["", "off", "x"],
    "identity": ["0", "root", "nobody-of-this-name"],
    "folder": ["/x", "x", "~/w", "", "./y"],
    "nodelist": ["a,b", "n[1-3]", "n[1-3", "./f", ""],
    "propagate": ["", "ALL", "STACK,CORE"],
}  # fmt: skip
LATER = ("gid", "export-file", "bbf", "hint")
"""Options whose values are looked at later too: whether the group or the file exists."""
KNOWN = [option for option in OPTIONS if option.name not in LATER]


@st.composite
def words(draw: st.DrawFn) -> str:
    """Draw an option with a value, in one of the ways in which options are written."""
    option: Option = draw(st.sampled_from(KNOWN))
    name = option.name
    if draw(st.integers(0, 12)) == 0:
        name = draw(st.sampled_from([name[: draw(st.integers(1, len(name)))], name + "s", name.upper(), *GONE]))
    value = draw(st.sampled_from(VALUES.get(option.codec, TEXTS)))
    quote = draw(st.sampled_from(["", "", '"', "'"])) if value else '"'
    value = f"{quote}{value}{quote}"
    way = draw(st.integers(0, 9))
    if option.value == NONE or (option.value == OPTIONAL and way > 6):
        return f"-{option.short}" if option.short and way > 4 else f"--{name}" + ("=1" if way == 0 else "")
    if option.short and way > 6:
        return f"-{option.short}{draw(st.sampled_from(['', ' ', '=']))}{value}"
    return f"--{name}{draw(st.sampled_from(['=', '=', ' ', ' = ']) if way < 3 else st.just('='))}{value}"


@st.composite
def lines(draw: st.DrawFn) -> str:
    magic = draw(st.sampled_from(["#SBATCH "] * 12 + ["#SBATCH", "#SBATCH\t", "##SBATCH ", "# SBATCH ", " #SBATCH "]))
    tail = draw(st.sampled_from([""] * 12 + [" # c", "# c", " \\", " x", " '", " #", " --", " :", "\t"]))
    return magic + " ".join(draw(st.lists(words(), min_size=1, max_size=2))) + tail


FOREIGN = [
    "#PBS -N x", "#PBS -l walltime=1:00:00,mem=4gb", "#PBS -l nodes=2:ppn=4:gpus=1", "#PBS -l nodes=n1:ppn=2+n2:ppn=2",
    "#PBS -l select=2:ncpus=8:mpiprocs=2:mem=1gb", "#PBS -l naccelerators=2", "#PBS -l nice=4,ncpus=2", "#PBS -m abe",
    "#PBS -m x", "#PBS -j oe -o x", "#PBS -W depend=afterok:1", "#PBS -d x", "#PBS -t 1-3", "#PBS -V", "#PBS x",
    "#PBS -l mem=1.5gb", "#BSUB -J x -n 2,4", "#BSUB -R x", "#BSUB -W 60", "#BSUB -M 4000", '#BSUB -m "a b"',
    "#BSUB -x",
    "#PBS : x", '#PBS -N "x', "#PBS -v A", "#PBS -hNx", "#PBS -l proc=x", "#BSUB -cwd /x", "#BSUB",
]  # fmt: skip
OTHERS = st.sampled_from(["", "# x", "echo", *FOREIGN])


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.one_of(lines(), lines(), lines(), OTHERS), min_size=1, max_size=4))
def test_directives_are_read_as_sbatch_reads_them(sbatch: Sbatch, found: list[str]) -> None:
    agree(sbatch, "\n".join(["#!/bin/sh", *found, "echo"]) + "\n")


HEAD = "#!/bin/bash\n#SBATCH -n2\n"
FILES = {
    "another encoding": b"#!/bin/bash\n# caf\xe9\n#SBATCH -n2\necho \xe9\n",
    "another encoding in a blank": b"#!/bin/bash\n\xa0\n#SBATCH -n2\n",
    "a wide blank": f"{HEAD}\u00a0\n#SBATCH -c2\n".encode(),
    "a dash of a word processor": "#!/bin/bash\n#SBATCH –n2\n".encode(),
    "a mark before it": b"\xef\xbb\xbf" + HEAD.encode(),
    "line ends of DOS": HEAD.replace("\n", "\r\n").encode(),
    "one line end of DOS": f"{HEAD}echo\r\n".encode(),
    "a carriage return": b"#!/bin/bash\n#SBATCH -n2\r -c2\n",
    "line ends of old machines": HEAD.replace("\n", "\r").encode(),
    "a NUL byte": f"{HEAD}echo \0\n".encode(),
    "csh": b"#!/bin/csh -f\n#SBATCH -n2\nsetenv X 1\n",
    "Python": b"#!/usr/bin/env python\n#SBATCH -n2\n'''\n#SBATCH -N2\n'''\n",
    "no interpreter": b"#!\n#SBATCH -n2\n",
    "no first line": b"\n#!/bin/bash\n",
    "nothing": b"",
    "white space": b" \t\n",
    "no line end": b"#!/bin/bash\n#SBATCH -n2",
    "a long line": f"{HEAD}#SBATCH --comment={'x' * 70_000}\n#SBATCH -c3\n".encode(),
    "two components": f"{HEAD}#SBATCH -t5 -Aa\n#SBATCH hetjob\n#SBATCH -c3\n".encode(),
    "three components": f"{HEAD}#SBATCH PackJob x\n#SBATCH --mem=1G\n#SBATCH hetjob\n#PBS -q x\n".encode(),
    "a form feed": f"#!/bin/bash\n\f\n{HEAD}".encode(),
}


@pytest.mark.parametrize("name", FILES)
def test_files_of_every_kind_are_read_as_sbatch_reads_them(sbatch: Sbatch, name: str) -> None:
    agree(sbatch, FILES[name].decode("utf-8", "surrogateescape"))
