"""Probes of Slurm: every option of `sbatch`, what scripts do, and what drivers do."""

from __future__ import annotations

from collections.abc import Iterator

from probes.probe import Probe, of_lines
from pwxc_targets.slurm.batch.table import NONE, OPTIONS, canonical

_BY_NAME = {
    "array": "0-9%3",
    "begin": "2030-01-01T12:00",
    "chdir": "/data",
    "comment": "note",
    "dependency": "afterok:1",
    "exclude": "n[1-2]",
    "export": "NONE",
    "exclusive": "",
    "get-user-env": "",
    "gpus": "2",
    "gpus-per-node": "2",
    "gpus-per-socket": "1",
    "gpus-per-task": "1",
    "gres": "gpu:a100:2,lscratch:5",
    "job-name": "other",
    "licenses": "tool:2",
    "nodelist": "n1",
    "nodes": "2",
    "signal": "B:USR1@60",
    "time": "02:00:00",
    "time-min": "01:00:00",
    "ntasks": "4",
    "ntasks-per-node": "2",
    "extra-node-info": "1:2:1",
    "nodefile": "nodes.txt",
    "cpu-freq": "high",
    "distribution": "block",
    "gpu-bind": "closest",
    "gpu-freq": "high",
    "gres-flags": "enforce-binding",
    "mail-type": "END",
    "mem-bind": "local",
    "switches": "1",
    "profile": "task",
    "propagate": "ALL",
    "power": "level",
    "acctg-freq": "30",
    "open-mode": "append",
    "tres-per-task": "cpu=2",
}
_BY_CODEC = {
    "text": "x",
    "count": "2",
    "size": "4G",
    "moment": "2030-01-01T12:00",
    "stream": "%x-%j.out",
    "spec": "1",
    "delay": "5",
    "identity": "1000",
    "yes_no": "yes",
    "nice": "10",
    "no_kill": "",
    "priority": "10",
    "zero_one": "1",
}
_EARLY = frozenset({"help", "quiet", "usage", "verbose", "version", "wrap"})
"""Options that ask `sbatch` itself for something; a script cannot give them."""
_SCRIPT = "#!/bin/bash\n#SBATCH --job-name=a\nmake\n"
_LINES = (
    (
        "`#!/bin/bash -l`",
        "a login shell",
        """
#!/bin/bash #-
#!/bin/bash -l #+
#SBATCH --job-name=a
make
""",
    ),
    (
        "`#!/usr/bin/env python3`",
        "another interpreter",
        """
#!/bin/bash #-
#!/usr/bin/env python3 #+
#SBATCH --job-name=a
print(1)
""",
    ),
    (
        "`#SBATCH hetjob`",
        "a heterogeneous job",
        """
#!/bin/bash
#SBATCH --job-name=a --ntasks=1
#SBATCH hetjob #+
#SBATCH --ntasks=4 #+
srun ./work
""",
    ),
    (
        "`$SLURM_ARRAY_TASK_ID`",
        "the number of an instance, in the script",
        """
#!/bin/bash
#SBATCH --array=1-3
./work 1 #-
./work $SLURM_ARRAY_TASK_ID #+
""",
    ),
    (
        "`srun` in the script",
        "a step of the job",
        """
#!/bin/bash
#SBATCH --job-name=a --ntasks=4
./work #-
srun ./work #+
""",
    ),
    (
        "`module load`",
        "software of the machine",
        """
#!/bin/bash
#SBATCH --job-name=a
module load gcc #+
./work
""",
    ),
    (
        "`$SLURM_JOB_ID` and the like",
        "variables that Slurm sets",
        """
#!/bin/bash
#SBATCH --job-name=a
./work fixed #-
./work $SLURM_JOB_ID #+
""",
    ),
)
_DRIVER = """
#!/bin/bash
a=$(sbatch --parsable --job-name=a --wrap="make a")
sbatch --job-name=b --wrap="make b" #-
sbatch --job-name=b {} --wrap="make b" #+
"""
_ARRAYS = """
#!/bin/bash
a=$(sbatch --parsable --job-name=a --array=0-3 --wrap="make a")
sbatch --job-name=b --array=0-3 --wrap="make b" #-
sbatch --job-name=b --array=0-3 {} --wrap="make b" #+
"""
_ORDERS = (
    ("--dependency=afterok:$a", "the other job has succeeded"),
    ("--dependency=afterok:$a --kill-on-invalid-dep=yes", "the same, and it is cancelled when that cannot be any more"),
    ("--dependency=afterany:$a", "the other job has ended"),
    ("--dependency=afternotok:$a", "the other job has failed"),
    ("--dependency=after:$a", "the other job has started"),
    ("--dependency=after:$a+10", "ten minutes after the other job's start"),
    ("--dependency=singleton", "no other job of this name runs"),
    ("--dependency=afterok:12345", "a job of another run"),
)
_DRIVERS = (
    (
        "`$1` in a driver",
        "a value that is given at submission",
        """
#!/bin/bash
sbatch --job-name=a --wrap="make fixed" #-
sbatch --job-name=a --wrap="make $1" #+
""",
    ),
    (
        "`${NAME:-x}` in a driver",
        "a value with a default",
        """
#!/bin/bash
KIND=${KIND:-fast} #+
sbatch --job-name=a --wrap="make fixed" #-
sbatch --job-name=a --wrap="make $KIND" #+
""",
    ),
    (
        "`if` around a submission",
        "a job that an input decides about",
        """
#!/bin/bash
sbatch --job-name=a --wrap="make a"
MODE=${MODE:-full} #+
if [ "$MODE" = full ]; then #+
  sbatch --job-name=b --wrap="make b" #+
fi #+
""",
    ),
    (
        "a loop over submissions",
        "jobs that differ in a value",
        """
#!/bin/bash
for i in 1 2 3; do #+
sbatch --job-name=a$i --wrap="make $i" #+
done #+
sbatch --job-name=b --wrap="make b"
""",
    ),
    (
        "`sbatch <<EOF`",
        "a script in the driver",
        """
#!/bin/bash
sbatch --job-name=b --wrap="make b"
sbatch <<'EOF' #+
#!/bin/bash
#SBATCH --job-name=a
make a
EOF
""",
    ),
    (
        "`mkdir` before a submission",
        "commands on the login node",
        """
#!/bin/bash
mkdir -p results #+
sbatch --job-name=a --wrap="make a"
""",
    ),
    (
        "`sbatch --wait`",
        "a driver that waits for a job",
        """
#!/bin/bash
sbatch --job-name=a --wrap="make a" #-
sbatch --wait --job-name=a --wrap="make a" #+
sbatch --job-name=b --wrap="make b"
""",
    ),
)


def probes() -> Iterator[Probe]:
    """Give the probes of Slurm.

    Raises:
        LookupError: an option has no sample: the language has changed.
    """
    for option in OPTIONS:
        if option.name in _EARLY or canonical(option.name) != option.name:
            continue
        sample = _sample(option.name, option.codec, option.value)
        line = f"#SBATCH --{option.name}" + (f"={sample}" if sample else "")
        meaning = f"Slurm {option.versions}" if option.versions else ""
        title = f"`--{option.name}" + (f"={sample}`" if sample else "`")
        yield Probe(title, meaning, _SCRIPT, _SCRIPT.replace("make", f"{line}\nmake"))
    for title, meaning, text in _LINES:
        yield of_lines(title, meaning, text.lstrip())
    for options, meaning in _ORDERS:
        yield of_lines(f"`{options}`", meaning, _DRIVER.format(options).lstrip())
    yield of_lines(
        "`--dependency=aftercorr:$a`", "task after task", _ARRAYS.format("--dependency=aftercorr:$a").lstrip()
    )
    for title, meaning, text in _DRIVERS:
        yield of_lines(title, meaning, text.lstrip())


def _sample(name: str, codec: str, value: int) -> str:
    if value == NONE:
        return ""
    if name in _BY_NAME:
        return _BY_NAME[name]
    if codec not in _BY_CODEC:
        raise LookupError(f"no probe knows a value for `--{name}`")
    return _BY_CODEC[codec]
