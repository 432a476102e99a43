"""What is recognised in scripts: a small script, and what it takes and starts, with the text at each place."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pwxc.ir.expr import Ref, Root
from pwxc.ir.found import Found, Launch, Software, Use
from pwxc.ir.template import Template
from pwxc.shell.found import recognise
from pwxc.source import Source

SOFTWARE = [
    ("module load gcc/12 openmpi", ["module load gcc/12,openmpi"]),
    ("module purge; module -q load a # module load b", ["module purge -", "module load a"]),
    ("module swap PrgEnv-cray PrgEnv-gnu\nmodule unload x", ["module swap PrgEnv-gnu", "module unload -"]),
    ("module use /p\nmodule restore mine\nmodule list", ["module use /p -", "module restore mine", "module list -"]),
    ("ml; ml gcc 'py thon'; ml -gcc; ml use /p",
     ["module list -", "module load gcc,py thon", "module unload -", "module use /p -"]),
    ("eval $(modulecmd bash load gcc)", ["module load gcc"]),
    (". /etc/profile.d/modules.sh; source $MODULESHOME/init/bash", ["module source -", "module source -"]),
    ("vpkg_require openmpi/4", ["module load openmpi/4"]),
    ("conda activate $W/env; mamba activate b", ["conda activate $W/env", "conda activate b"]),
    ("source activate env\n. ~/mc3/bin/activate env", ["conda activate env", "conda activate env"]),
    ("source ~/m/etc/profile.d/conda.sh; conda deactivate", ["conda source -", "conda deactivate -"]),
    ('eval "$(conda shell.bash hook)"', ["conda hook -"]),
    ("x=\"$('/opt/conda/bin/conda' 'shell.bash' 'hook' 2>/dev/null)\"", ["conda hook -"]),
    ('eval "$($(which conda) shell.bash hook)"; source $(conda info --base)/etc/profile.d/conda.sh',
     ["conda hook -", "conda source -"]),
    ("conda run -n env python x.py", ["conda run env"]),
    ("source /opt/conda/bin/activate", ["conda activate -"]),
    (". $HOME/venv/bin/activate", ["virtualenv activate $HOME/venv"]),
    ("python3 -m venv ./env\nsource env/bin/activate", []),
    ("virtualenv -p python3 $T/e && . $T/e/bin/activate", []),
    ("D=$T/e; uv venv $D; source ${D}/bin/activate", []),
    ("spack load hdf5 ^mpich; spack env activate -p e", ["spack load hdf5,^mpich", "spack activate e"]),
    ("source /s/share/spack/setup-env.sh", ["spack source -"]),
    ("source /opt/intel/setvars.sh --force >/dev/null", ["setup source /opt/intel/setvars.sh"]),
    ("source ~/.bashrc; . ./settings.sh", ["setup source ~/.bashrc -", "setup source ./settings.sh"]),
    ("if true; then module load a; fi\nf() { ml b; }\n(ml c) || { ml d; }", [f"module load {name}" for name in "abcd"]),
    ("case x in a) ml b;; esac; while ml c; do ml d; done", [f"module load {name}" for name in "bcd"]),
    ("srun bash -lc 'module load z; ./a'", ["module load z"]),
    ("apptainer exec i.sif bash -c 'module load z'", []),
    ("bash -l <<'E'\nmodule load z\nE\napptainer exec i.sif bash <<E\nmodule load y\nE", ["module load z"]),
    ("echo module load x; echo 'module load y' # ml z\ncat <<E\nmodule load w\nE", []),
    ("command -v module >/dev/null; type conda", []),
    ("modules=x; module() { eval $1; }; mymodule load x; conda install y", []),
]  # fmt: skip


@pytest.mark.parametrize(("script", "expected"), SOFTWARE)
def test_software(script: str, expected: list[str]) -> None:
    found = recognise(script)
    told = [
        f"{item.kind} {item.verb} {','.join(item.names)}".rstrip() + " -" * item.prepares for item in found.software
    ]
    assert told == expected
    assert found.complete


def launch_text(script: str, launch: Launch) -> str:
    """Tell a launch: its layers, what is not as usual, and what it starts."""
    told = [">".join(layer.program for layer in launch.layers)]
    for name, short in (("tasks", "n"), ("nodes", "N"), ("tasks_per_node", "t"), ("cpus", "c"), ("gpus", "G")):
        if (value := getattr(launch, name)) is not None:
            told.append(f"{short}{value}")
    told += [
        name for name in ("entrypoint", "background", "joined", "multi", "nested", "open") if getattr(launch, name)
    ]
    told += [f"het{number}" for number in launch.components]
    if (container := launch.container) is not None:
        told.append(f"[{container.image.literal}{''.join(f' {mount}' for mount in container.mounts)}]")
    if launch.workdir is not None:
        told.append(f"@{launch.workdir}")
    return f"{' '.join(told)} | {script[launch.command : launch.end]}"


LAUNCHES = [
    # srun, long, short, joined, abbreviated
    ("srun -N2 -n 8 --cpus-per-task=3 ./a -n 1", ["srun n8 N2 c3 | ./a -n 1"]),
    ("srun -ln4 -J'a b' -t 5 ./a", ["srun n4 | ./a"]),
    ("srun --ntasks-per-n 4 --gres=gpu:a100:2,x:1 ./a", ["srun t4 G2 | ./a"]),
    ("srun \\\n  -n 2 \\\n  ./a \\\n  b", ["srun n2 | ./a \\\n  b"]),
    ("srun --exclusive -c1 -K --nice -I ./a", ["srun c1 | ./a"]),
    ("srun -- ./a -n 3", ["srun | ./a -n 3"]),
    ("srun -n $SLURM_NTASKS -c ${SLURM_CPUS_PER_TASK:-1} ./a", ["srun | ./a"]),
    ("srun -N $SLURM_NNODES -n $SLURM_JOB_NUM_NODES ./a", ["srun t1 | ./a"]),
    ("N=4\nsrun -n $N ./a", ["srun n4 | ./a"]),
    ("N=4; N=5\nsrun -n $N ./a", ["srun open | ./a"]),
    ("for N in 1 2; do srun -n $N ./a; done", ["srun nested open | ./a"]),
    ("srun --site-option --other=1 ./a", ["srun open | ./a"]),
    ("srun $SRUN_OPTS ./a", ["srun open | ./a"]),
    ('srun "${MORE[@]}" ./a; srun ${X:+--exact} ./b', ["srun open | ./a", "srun open | ./b"]),
    ("srun $EXE -i x", ["srun | $EXE -i x"]),
    ('export L="srun --mpi=pmix -n"\n$L 4 ./a', ["srun n4 | ./a"]),
    ("command -v srun && which srun", []),
    ('O="-n 4 --exact"\nA=(-c 2)\nsrun $O "${A[@]}" ./a', ["srun n4 c2 | ./a"]),
    ("L='srun -n 2'\n$L ./a", ["srun n2 | ./a"]),
    ("L='srun -n 2 ./a'\n$L b", ["srun n2 open | $L b"]),
    ("srun --multi-prog conf", ["srun multi | conf"]),
    ("srun --het-group=0,2-3 ./a", ["srun het0 het2 het3 | ./a"]),
    ("srun ./a : --pack-group=2 -n3 ./b : ./c", ["srun | ./a", "srun n3 joined het2 | ./b", "srun joined het2 | ./c"]),
    ("srun --version; mpirun --help", []),
    # what stands around
    ("A=1 exec srun ./a >x 2>&1", ["srun | ./a"]),
    ("time -p srun ./a; nohup timeout -k 5 60 srun ./b", ["srun | ./a", "srun | ./b"]),
    ("env -u X A=1 nice -n 5 srun ./a", ["srun | ./a"]),
    ("srun ./a & srun ./b\nwait", ["srun background | ./a", "srun | ./b"]),
    ("{ srun ./a; srun ./b; } & (srun ./c) &", [f"srun background | ./{name}" for name in "abc"]),
    ("f() { srun -n1 \"$@\"; }\nf a & f b &", ['srun n1 background nested | "$@"']),
    ("srun ./a && srun ./b || exit 1", ["srun | ./a", "srun nested | ./b"]),
    ("x=$(srun hostname | tail -1) y=`srun date`", ["srun | hostname", "srun | date"]),
    ("cat x | srun ./a | tee y; diff <(srun ./b) z", ["srun | ./a", "srun | ./b"]),
    ("parallel -j4 srun -n1 ./a ::: 1 2", ["srun n1 nested | ./a ::: 1 2"]),
    ('s="srun -n1"\np="parallel -j 4"\n$p "$s ./a {}" ::: 1 2', ["srun n1 nested | ./a {}"]),
    ("trap 'srun ./clean' EXIT", ["srun nested | ./clean"]),
    ("eval srun ./a; eval 'srun ./b'", ["srun | ./a", "srun | ./b"]),
    ("for ((i = 0; i < 3; i++)); do srun ./a; done > log", ["srun nested | ./a"]),
    # a shell that is given its script as a here-document
    ("bash <<E\nsrun -n1 ./a\nE\nsrun ./b", ["srun n1 | ./a", "srun | ./b"]),
    ("srun bash -s <<'E'\nmpirun ./a $X\nE", ["srun | bash -s", "mpirun | ./a $X"]),
    ("sh -e <<E\nsrun -n2 ./a \\$X `srun ./b`\nE", ["srun n2 | ./a \\$X `srun ./b`", "srun | ./b"]),
    ("bash run.sh <<E\nsrun ./a\nE\ncat <<E\nsrun ./b\nE\nbash -c './c' <<E\nsrun ./d\nE", []),
    # a launcher that a variable may replace, and programs that only run another
    ("${RUN:-srun} ./a; ${RUN-/opt/bin/mpirun} -np 2 ./b", ["srun open | ./a", "mpirun n2 open | ./b"]),
    ("RUN=${RUN:-srun}\n$RUN -n 2 ./a", ["srun n2 open | ./a"]),
    ("strace -f -o log srun ./a; xvfb-run -a srun ./b", ["srun | ./a", "srun | ./b"]),
    ("sudo -u me docker run --entrypoint= u/x a", ["docker [u/x] | a"]),
    # other launchers
    ("mpirun -np 8 --mca btl tcp,self -x A ./a -n 2", ["mpirun n8 | ./a -n 2"]),
    ("$MPI/bin/mpiexec -n 2 ./a : -n 3 ./b", ["mpiexec n2 | ./a", "mpiexec n3 joined | ./b"]),
    ("mpirun -ppn 4 -genv X 1 ./a", ["mpirun t4 | ./a"]),
    ("mpirun -hosts a,b -unknown ./a", ["mpirun open | ./a"]),
    ("jsrun -n4 -a 2 -c 7 ./a\naprun -n 16 -N 8 -d 2 ./b", ["jsrun n8 | ./a", "aprun n16 t8 c2 | ./b"]),
    ("ibrun -n 4 -o 0 ./a; lrun -N 2 -T 4 ./b", ["ibrun n4 | ./a", "lrun N2 t4 | ./b"]),
    ("torchrun --nproc_per_node 4 x.py; accelerate launch y.py", []),
    # containers
    ("apptainer exec --nv -B /a:/b,/c docker://r.io/x:1 ./a", ["apptainer [r.io/x:1 /a:/b /c] | ./a"]),
    ("singularity -q exec --pwd=/w -C $D/x.sif ./a", ["singularity [$D/x.sif] @/w | ./a"]),
    ("apptainer run --mount type=bind,src=/a,dst=/b x.sif", ["apptainer entrypoint [x.sif /a:/b] | "]),
    ("./x.sif a", ["apptainer entrypoint [./x.sif] | a"]),
    ("apptainer pull docker://u/x:2\napptainer exec ./x_2.sif a", ["apptainer [u/x:2] | a"]),
    ("singularity build /t/i.sif docker://u/x && singularity exec /t/i.sif a", ["singularity nested [u/x] | a"]),
    ("I=docker://u/x:1\nsrun -n2 apptainer exec \"$I\" ./a", ["srun>apptainer n2 [u/x:1] | ./a"]),
    ("I=docker://a; I=docker://b\napptainer exec $I ./a", ["apptainer [$I] | ./a"]),
    ("I=${I:-docker://a}\napptainer exec $I ./a", ["apptainer [${I:-docker://a}] | ./a"]),
    ("mpirun -n 2 env A=1 singularity exec x.sif ./a", ["mpirun>singularity n2 [x.sif] | ./a"]),
    ("srun --container-image=nvcr.io#nvidia/x:1 --container-mounts=/a:/b,/c --container-workdir /w ./a",
     ["srun [nvcr.io/nvidia/x:1 /a:/b /c] @/w | ./a"]),
    ("srun --container-image=me@r.io#x --container-name=n true\nsrun --container-name=n ./a",
     ["srun [r.io/x] | true", "srun [r.io/x] | ./a"]),
    ("srun --container-image=/i/x.sqsh ./a", ["srun [/i/x.sqsh] | ./a"]),
    ("shifter --image=docker:u/x:1 -V /a:/b ./a; shifter ./b", ["shifter [u/x:1 /a:/b] | ./a", "shifter [] | ./b"]),
    ("podman run --rm -it -v /a:/b -w /w --network=host u/x sh -c 'ls'",
     ["podman entrypoint [u/x /a:/b] @/w | sh -c 'ls'"]),
    ("singularity instance start x.sif i\nsrun singularity exec instance://i ./a", ["srun>singularity [x.sif] | ./a"]),
    ("docker ps; docker build .; docker exec c ls", []),
    ("enroot import -o x.sqsh docker://r.io#u/x:1\nenroot create -n c x.sqsh\nenroot start -m /a:/b c ./a",
     ["enroot entrypoint [r.io/u/x:1 /a:/b] | ./a"]),
    ("enroot import docker://r.io#u/x:1; enroot create -n c u+x+1.sqsh; enroot start c ./a",
     ["enroot entrypoint [r.io/u/x:1] | ./a"]),
    ("sarus run u/x ./a; ch-run -w /i -- ./b", ["sarus [u/x] | ./a", "ch-run [/i] | ./b"]),
    ('srun bash -c "apptainer exec x.sif \\"$F\\" b"',
     ['srun | bash -c "apptainer exec x.sif \\"$F\\" b"', 'apptainer [x.sif] | \\"$F\\" b']),
    # what is none
    ("echo srun ./a; echo 'srun ./b' \"srun ./c\" # srun ./d\n: <<'E'\nsrun ./e\nE\nmysrun ./f; srun=1", []),
    ("cat > job.sh <<E\nsrun ./a\nE\nx='\nsrun ./b\n'", []),
]  # fmt: skip


@pytest.mark.parametrize(("script", "expected"), LAUNCHES)
def test_launches(script: str, expected: list[str]) -> None:
    found = recognise(script)
    assert [launch_text(script, launch) for launch in found.launches] == expected
    assert found.complete


VARIABLES = [
    ("echo $SLURM_JOB_ID ${SLURM_NTASKS:-1} \"${SLURM_JOB_ID}\" ${#SLURM_NODELIST}", "JOB_ID NTASKS NODELIST"),
    ("echo '$SLURM_A' \\$SLURM_B # $SLURM_C\necho \"\\$SLURM_D\" $XSLURM_E", ""),
    ("SLURM_A=1; echo $SLURM_A; export SLURM_B=2; echo $SLURM_B", ""),
    ("SLURM_A=${SLURM_A:-1} ; echo $SLURM_A; SLURM_C=1 ./x $SLURM_C", "A C"),
    ("if x; then SLURM_A=1; fi; echo $SLURM_A", "A"),
    ("x=$((SLURM_A * 2)); ((y = SLURM_B)); z=${F[SLURM_C]} w=${F[$SLURM_D]}", "A B C D"),
    ("x=$(f $SLURM_A `g $SLURM_B`) > out_$SLURM_C; for i in $SLURM_D; do :; done", "A B C D"),
    ("cat <<E\n$SLURM_A \\$SLURM_B\nE\ncat <<'E'\n$SLURM_C\nE", "A"),
    ("srun bash -c 'echo $SLURM_A' sh \"x\" && bash -c \"echo \\$SLURM_B\"", "A B"),
    ("case $SLURM_A in a) ;; esac; [[ -n $SLURM_B ]]; while [ $SLURM_C ]; do break; done", "A B C"),
    ("echo $SLURMD_NODENAME $SBATCH_X", "SLURMD_NODENAME SBATCH_X"),
]  # fmt: skip


@pytest.mark.parametrize(("script", "expected"), VARIABLES)
def test_variables(script: str, expected: str) -> None:
    found = recognise(script)
    assert " ".join(name.removeprefix("SLURM_") for name in found.variables) == expected
    assert all(script[use.start : use.end] == use.name for use in found.uses)


def test_programs_of_the_scheduler_and_of_the_runtime_are_told_apart_from_launchers() -> None:
    script = (
        "h=$(scontrol show hostnames x)\n/usr/bin/sbatch a.sh\nsbatch b.sh\nsingularity pull docker://x\necho squeue"
    )
    found = recognise(script)
    assert [use.name for use in found.calls] == ["scontrol", "sbatch", "singularity pull"]
    assert [script[use.start : use.end] for use in found.calls] == ["scontrol", "/usr/bin/sbatch", "singularity"]


def test_an_image_that_the_job_names_is_that_of_shifter() -> None:
    found = recognise("srun shifter ./a; apptainer exec x.sif ./b", image="docker:u/x:1")
    assert [item.container and item.container.image.literal for item in found.launches] == ["u/x:1", "x.sif"]


def test_a_text_that_cannot_be_read_is_looked_at_line_by_line() -> None:
    script = (
        "ls !(a|b)\nmodule load gcc\nx='\nmodule load no\n'\ncat <<E\nsrun no\nE\n"
        "if true; then\n  srun -n2 \\\n    ./a\nfi\necho srun no # srun no\n"
    )
    found = recognise(script)
    assert not found.complete
    assert [item.names for item in found.software] == [("gcc",)]
    assert [launch_text(script, launch) for launch in found.launches] == ["srun n2 nested | ./a"]


CSH = "setenv X 1\nmodule load gcc\nif ($?SLURM_JOB_ID) then\n  srun -n 4 ./a\nendif\nforeach i (1 2)\n  ml b\nend\n"


@pytest.mark.parametrize(
    ("shell", "script", "software", "launches"),
    [
        (("csh", "-f"), CSH, ["gcc", "b"], ["./a"]),
        (("/bin/tcsh",), CSH, ["gcc", "b"], ["./a"]),
        (("zsh",), "module load gcc\nsrun ./a\n", ["gcc"], ["./a"]),
        (("zsh",), "for f (a b) srun -n1 ./x $f\nif ((x)) {\n  repeat 3 module load gcc\n}\n", ["gcc"], ["./x $f"]),
        (("csh",), "if ($a == (b)) srun ./a\nwhile (1) module load c\n", ["c"], ["./a"]),
        (("dash",), ". /x/v/bin/activate\n", ["/x/v"], []),
        (("python3",), 'os.system("srun ./a")\nmodule load gcc\n', [], []),
        (("/usr/bin/perl", "-w"), "`srun ./a`;\n", [], []),
    ],
)
def test_the_interpreter_says_how_much_is_read(
    shell: tuple[str, ...], script: str, software: list[str], launches: list[str]
) -> None:
    found = recognise(script, shell=shell)
    assert [name for item in found.software for name in item.names] == software
    assert [script[item.command : item.end] for item in found.launches] == launches
    assert found.complete is (shell[0] in ("zsh", "dash") and "repeat" not in script)


def test_a_hole_of_a_template_is_one_letter() -> None:
    image, count = Ref(Root.INPUT, ("image",)), Ref(Root.INPUT, ("count",))
    script = Template.of(
        "module load ", image, "\nsrun -n ", count, " apptainer exec docker://r/", image, ":1 ./a ", count
    )
    found = recognise(script)
    launch = found.launches[0]
    assert launch.open
    assert launch.tasks is None
    assert launch.container is not None
    assert launch.container.image == Template.of("r/", image, ":1")
    flat = script.fill(lambda hole: "?")
    assert (flat[launch.start : launch.command], flat[launch.command : launch.end]) == (
        "srun -n ? apptainer exec docker://r/?:1 ",
        "./a ?",
    )


def test_places_are_those_of_the_file() -> None:
    source = Source("job.sh", "#!/bin/bash\n\nml gcc\nsrun apptainer exec x.sif echo $SLURM_JOB_ID; squeue\n")
    at = source.text.index("ml")
    found = recognise(source.text[at:], lambda start, end: source.span(at + start, at + end))
    items: list[Software | Launch | Use] = [*found.software, *found.launches, *found.uses, *found.calls]
    spans = [item.span for item in items]
    assert [span and span.text for span in spans] == [
        "ml gcc", "srun apptainer exec x.sif echo $SLURM_JOB_ID", "SLURM_JOB_ID", "squeue",
    ]  # fmt: skip
    assert found.launches[0].container is not None
    assert found.launches[0].container.span == found.launches[0].span


PIECES = st.sampled_from(
    [
        "srun", "-n", "4", "--", "./a", "module", "load", "gcc", "apptainer", "exec", "x.sif", "bash", "-c", "'", '"',
        "$(", ")", "`", "\\", "$SLURM_JOB_ID", "${", "}", "\n", ";", "&", "|", "<<E", "E", "(", "((", "[[", "]]", "if",
        "then", "fi", "for", "do", "done", "case", "esac", "in", "#", "=", "A=", "A=(", "$A", " ", "  ", "\t", ":",
        "<(", ">", "function f {", "é", "\ud800", "\0", "mpirun", "-np", "source", "bin/activate", ".", "eval", "trap",
        "podman", "run", "-v", "!", "time",
    ]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=24).map(" ".join) | st.lists(PIECES, max_size=24).map("".join) | st.text(max_size=40)


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.sampled_from(["bash", "tcsh", "python"]))
def test_no_text_fails_and_places_are_in_it(text: str, shell: str) -> None:
    found = recognise(text, shell=(shell,))
    items: list[Software | Use] = [*found.software, *found.uses, *found.calls]
    for item in items:
        assert 0 <= item.start < item.end <= len(text)
    for launch in found.launches:
        assert 0 <= launch.start <= launch.command <= launch.end <= len(text)
        assert launch.layers[0].start == launch.start
        assert launch.layers[-1].command == launch.command


SCRIPTS = [script for script, _ in SOFTWARE + LAUNCHES + VARIABLES if "<<" not in script and "\n'" not in script]


def told(found: Found, moved: int = 0) -> list[object]:
    """Give all that was found, with its places moved back."""
    items: list[Software | Launch | Use] = [*found.software, *found.launches, *found.uses, *found.calls]
    return [(type(item), item.start - moved, item.end - moved) for item in items]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(SCRIPTS), st.sampled_from(SCRIPTS), st.sampled_from(["\n", "# srun x 'y\n", "echo é; :\n\n"]))
def test_a_comment_hides_and_text_before_moves(script: str, other: str, before: str) -> None:
    alone = told(recognise(script))
    assert told(recognise(f"{before}{script}"), len(before)) == alone
    hidden = "".join(f"# {line}\n" for line in other.replace("\\\n", " ").split("\n"))
    assert told(recognise(f"{hidden}{script}"), len(hidden)) == alone
    quoted = f"x='{other.replace(chr(39), '')}'\n"
    if "=" not in script:
        assert told(recognise(f"{quoted}{script}"), len(quoted)) == alone


def test_ordinary_scripts_cost_nothing() -> None:
    script = "echo a | sed s/b/c/ > d\n(" * 5  # no shell can read it, and nobody has to
    assert recognise(script) == Found()
