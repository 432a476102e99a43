"""Rows of lint: PWX4400 to PWX4499."""

from __future__ import annotations

from pwxc.diagnostics.code import error, note, warning

LATE_DIRECTIVE = warning(
    "PWX4400",
    "slurm-late-directive",
    "A directive stands after the first command. Slurm ignores it without a word.",
    "Move it above the first command.",
    "set -e\n#SBATCH --time=5",
)
VARIABLE_IN_DIRECTIVE = warning(
    "PWX4401",
    "slurm-variable-in-directive",
    "Nothing is expanded in a directive: `$X` stays as it is written. File names have `%j`, `%x`, `%u` and so on.",
    "Write the value itself, or give the option on the command line of `sbatch`.",
    "#SBATCH --output=$HOME/out",
)
SHORT_EQUALS = warning(
    "PWX4402",
    "slurm-short-option-equals",
    "After a short option the `=` is part of the value.",
    "Write the long option, or leave out the `=`.",
    "#SBATCH -p=gpu",
)
SINGLE_DASH = warning(
    "PWX4403",
    "slurm-single-dash",
    "A long option with one dash is read as a short option with a value.",
    "Write two dashes.",
    "#SBATCH -partition=gpu",
)
ABBREVIATED = warning(
    "PWX4404",
    "slurm-abbreviated-option",
    "An option is shortened. A later version of Slurm may have a second option with the same beginning.",
    "Write the option in full.",
    "#SBATCH --part=gpu",
)
REPEATED = warning(
    "PWX4405",
    "slurm-repeated-option",
    "An option is given twice with different values. The last one counts.",
    "Remove one of the two.",
    "#SBATCH --time=10\n#SBATCH --time=20",
)
ALMOST_DIRECTIVE = warning(
    "PWX4406",
    "slurm-almost-a-directive",
    "The line looks like a directive, but is a comment: `#SBATCH` has to stand at the start of the line, in capitals.",
    "Write `#SBATCH`, or `##SBATCH` to switch a directive off.",
    "# SBATCH --time=5",
)
TASKS_WITHOUT_SRUN = warning(
    "PWX4407",
    "slurm-tasks-without-srun",
    "The script asks for several tasks, but nothing in it starts them: the script itself runs once, on the first node.",
    "Start the program with `srun` or an MPI launcher, or ask for `--cpus-per-task` instead.",
    "#SBATCH --ntasks=4\n./solve",
)
SRUN_CPUS = note(
    "PWX4408",
    "slurm-srun-cpus",
    "Versions 22.05 to 23.02 of Slurm do not hand `--cpus-per-task` on to `srun`.",
    'Write `srun --cpus-per-task="$SLURM_CPUS_PER_TASK"`.',
    "#SBATCH --cpus-per-task=4\nsrun ./solve",
)
EXPORT_WITHOUT_ALL = warning(
    "PWX4409",
    "slurm-export-without-all",
    "`--export` without `ALL` takes the environment from the steps, `PATH` included.",
    "Write `--export=ALL,NAME=VALUE`, or set the variable in the script.",
    "#SBATCH --export=NAME=1",
)
MEMORY_TWICE = warning(
    "PWX4410",
    "slurm-memory-twice",
    "`--mem`, `--mem-per-cpu` and `--mem-per-gpu` exclude each other. A later component of a heterogeneous job takes "
    "`--mem` over from the one before.",
    "Keep one of them.",
    "#SBATCH --mem=8G --mem-per-cpu=2G",
)
MISSING_FOLDER = note(
    "PWX4411",
    "slurm-output-folder",
    "Where the folder of an output file does not exist, the job fails without any message.",
    "Create the folder before the job is submitted.",
    "#SBATCH --output=logs/%j.out",
)
BAD_ARRAY = error(
    "PWX4412",
    "slurm-bad-array",
    "The controller refuses the indexes of the array.",
    "Write `0-9`, `1,3,5` or `0-100:10`, with `%4` behind for at most four at a time.",
    "#SBATCH --array=5-1",
)
BAD_DEPENDENCY = error(
    "PWX4413",
    "slurm-bad-dependency",
    "The controller refuses the dependency.",
    "Write `afterok:ID`, `afterany:ID:ID` or `singleton`, joined by `,`.",
    "#SBATCH --dependency=afterok:",
)
STEP_TASKS = warning(
    "PWX4415",
    "slurm-step-tasks",
    "A step asks for more tasks than its job has; `srun` refuses it.",
    "Raise `--ntasks` of the job, or lower that of the step.",
    "#SBATCH --ntasks=4\nsrun --ntasks=8 ./run",
)
MAIL_WORD = warning(
    "PWX4414",
    "slurm-mail-word",
    "After a known kind of mail, an unknown one is dropped without a word.",
    "Correct the spelling.",
    "#SBATCH --mail-type=END,FINISH",
)
CONTINUATION = warning(
    "PWX4416",
    "slurm-directive-continued",
    "A backslash stands at the end of a directive. Directives have no continuation lines: the next line is read by "
    "itself, and is a comment unless it starts with `#SBATCH`.",
    "Start each line with `#SBATCH`.",
    "#SBATCH --nodes=2 \\\n#        --ntasks=8",
)
COMMENT_IN_WORD = warning(
    "PWX4417",
    "slurm-comment-in-value",
    "Outside quotes, `#` begins a comment even in the middle of a word. The rest of the value is lost, and so are the "
    "options behind it.",
    "Put the value into double quotes, or write a blank before the comment.",
    "#SBATCH --container-image=nvcr.io#nvidia/pytorch",
)
TWO_FIELDS = note(
    "PWX4418",
    "slurm-minutes-and-seconds",
    "A time of two fields is minutes and seconds; hours and minutes need a third field.",
    "Write all three fields.",
    "#SBATCH --time=24:00",
)
SMALL_MEMORY = warning(
    "PWX4419",
    "slurm-small-memory",
    "A size without a unit is in MiB, so that this is next to nothing.",
    "Write the unit.",
    "#SBATCH --mem=16",
)
