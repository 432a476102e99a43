"""The submit script: options for the inputs, a call for each job, and what to do about a failure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

import attrs

from pwxc.expr.values import as_text
from pwxc.ir.expr import Expr, Root, refs
from pwxc.ir.inputs import Input, InputType
from pwxc.ir.template import Template
from pwxc.ir.workflow import RunCommands, Trigger
from pwxc.registry import OutputFile
from pwxc.shell import delimiter, quote
from pwxc_targets.slurm import codes as C  # noqa: N812
from pwxc_targets.slurm.writing import jobtext as J  # noqa: N812
from pwxc_targets.slurm.writing import submittext as S  # noqa: N812
from pwxc_targets.slurm.writing.context import Context, Holes
from pwxc_targets.slurm.writing.expressions import MATH, UnsupportedError
from pwxc_targets.slurm.writing.naming import Leaf, means, slug
from pwxc_targets.slurm.writing.plan import EARLY, Job
from pwxc_targets.slurm.writing.quoting import assigned, word
from pwxc_targets.slurm.writing.requests import unwrap

CHECKS = {
    InputType.INTEGER: (r"^[+-]?[0-9]+$", "a whole number"),
    InputType.NUMBER: (r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$", "a number"),
    InputType.BOOLEAN: (r"^(true|false)$", "true or false"),
}

CONVERSIONS = r"""
# Gives whole minutes for a duration such as 90, 30s, 2h or 1d; nothing for none.
minutes() {
  awk 'BEGIN { t = ARGV[1]; n = t + 0; u = t; gsub(/[0-9.]/, "", u); if (n == 0) exit
    f = u == "s" || u == "" ? 1 : u == "m" ? 60 : u == "h" ? 3600 : u == "d" ? 86400 : u == "ms" ? 0.001 : 1
    m = n * f / 60; r = int(m); if (r < m) r++; print (r < 1 ? 1 : r) }' "$1"
}
# Gives whole MiB for a size such as 4096, 16Gi or 2GB; nothing for none.
mebibytes() {
  awk 'BEGIN { t = ARGV[1]; n = t + 0; u = toupper(t); gsub(/[^KMGTPI]/, "", u); if (n == 0) exit
    b = u ~ /I/ ? 1024 : 1000; p = index("KMGTP", substr(u, 1, 1)); if (u == "") p = 0
    m = n * b ^ p / 1048576; r = int(m); if (r < m) r++; print (r < 1 ? 1 : r) "M" }' "$1"
}
"""


@attrs.define
class SubmitScript:
    """Writes the submit script for the jobs of a plan."""

    context: Context
    jobs: Sequence[Job]
    scripts: Sequence[OutputFile]
    holes: Holes = attrs.field(init=False)
    late_lines: dict[str, list[str]] = attrs.field(factory=dict)
    converts: bool = False

    def __attrs_post_init__(self) -> None:
        """Make the holes of the script."""
        self.holes = Holes(self.context, "the submit script")

    def late_word(self, value: Expr | Template, kind: str) -> str:
        """Give the word for an option whose value is known at submission."""
        for ref in value.refs() if isinstance(value, Template) else refs(value):
            if ref.root not in EARLY:
                told = ".".join(ref.path)
                self.context.say(C.FIXED_DIRECTIVE, f"`{told}` is not known when the job is submitted", ref.span)
        if isinstance(value, Template):
            return self.holes.word(value)
        inner, conversion = unwrap(value)
        name = self.holes.name(inner)
        if conversion == "quantity":
            self.converts = True
            return f'"$(mebibytes "${{{name}-}}")"'
        if conversion == "duration" or kind == "limit":
            self.converts = True
            return f'"$(minutes "${{{name}-}}")"'
        return f'"${{{name}-}}"'

    def text(self) -> str:
        """Give the whole script."""
        calls = [line for job in self.jobs for line in self._job(job)]
        start = list(self._start_hooks())
        parts = [
            "#!/usr/bin/env bash",
            *self._title(),
            *self._here(),
            *(S.HEAD % {"size": self.context.options["max_array_size"]}).splitlines(),
            f"workflow={assigned(self.context.workflow.name)}",
            f"slug={assigned(slug(self.context.workflow.name))}",
            "",
            *self._usage(),
            *self._known(),
            *self._names(),
            *S.OPTIONS.splitlines(),
            "",
            *self._inputs(),
            *(MATH if self.holes.translator.needs_math else "").splitlines(),
            *(CONVERSIONS if self.converts else "").splitlines(),
            *S.CORE.splitlines(),
            "",
            *S.REPORT.splitlines(),
            "",
            *S.PREPARE.splitlines(),
            *self._scripts(),
            *self._data(),
            *self._deadline(),
            *start,
            "",
            *self._calls(calls),
            "",
            *S.FINISH.splitlines(),
            *S.LAST.splitlines(),
        ]
        return "\n".join(parts) + "\n"

    def _here(self) -> Iterator[str]:
        if self.scripts and self.context.options["single_file"] != "true":
            yield 'here=$(readlink -f -- "${BASH_SOURCE[0]}")'
            yield "here=${here%/*}"

    def _title(self) -> Iterator[str]:
        name = _comment(self.context.workflow.name)
        yield f"# Submits the workflow {name} to Slurm: --help says how."
        for line in self.context.workflow.description.splitlines():
            yield f"# {_comment(line)}".rstrip()

    def _usage(self) -> Iterator[str]:
        yield "usage() {"
        text = "\n".join(self._help()) + "\n"
        ending = delimiter(text)
        yield f"  cat <<'{ending}'"
        yield from text.removesuffix("\n").split("\n")
        yield ending
        yield "}"
        yield ""

    def _help(self) -> Iterator[str]:
        yield "usage: submit.sh [OPTION...]"
        yield ""
        yield "  --dry-run             print the calls of sbatch and submit nothing"
        yield "  --run-dir DIR         the folder of the run (default: a new one below ./runs)"
        yield "  --resume              submit only what has not succeeded in the run of --run-dir"
        yield "  --wait                wait for the end; the exit status says whether all succeeded"
        yield "  --status              show what became of the run of --run-dir"
        yield "  --help                print this"
        if self.context.inputs:
            yield ""
            yield "inputs:"
        for leaf in self.context.inputs:
            yield from _help_of(leaf)

    def _known(self) -> Iterator[str]:
        options = [quote(leaf.option) for leaf in self.context.inputs if leaf.input.type is not InputType.SECRET]
        yield f"known() {{ case $1 in {' | '.join(['--run-dir', *dict.fromkeys(options)])}) ;; *) return 1 ;; esac; }}"
        yield ""

    def _inputs(self) -> Iterator[str]:
        """Set the inputs: their defaults, then what was kept or given."""
        for leaf in self.context.inputs:
            yield from self._default(leaf)
        yield "for ((place = 0; place < ${#given[@]}; place += 2)); do"
        yield "  value=${given[place + 1]}"
        yield "  case ${given[place]} in"
        for leaf in self.context.inputs:
            if leaf.input.type is not InputType.SECRET:
                yield f"    {quote(leaf.option)}) {self._name(leaf)}=$value ;;"
        yield "    *) : ;;"
        yield "  esac"
        yield "done"
        for leaf in self.context.inputs:
            yield from self._check(leaf)
        yield 'for name in "${names[@]}"; do export "${name?}"; done'
        yield ""

    def _names(self) -> Iterator[str]:
        """Name the variables of the inputs, those without a declaration too."""
        names = [name for (root, _), name in self.context.variables.found.items() if root is Root.INPUT]
        for leaf in self.context.inputs:
            if not re.fullmatch(r"(?!input-)[\w-]+", leaf.path[-1], re.ASCII) or len(leaf.path) > 1:
                yield means(self._name(leaf), leaf.path)
        yield f"names=(PWXC_NONE {' '.join(names)})" if names else "names=(PWXC_NONE)"
        yield ""

    def _name(self, leaf: Leaf) -> str:
        return self.context.variables.of(leaf.ref)

    def _default(self, leaf: Leaf) -> Iterator[str]:
        item, name = leaf.input, self._name(leaf)
        if item.type is InputType.SECRET:
            yield f"if [[ -z ${{{name}+x}} ]]; then {name}=${{{_environment(leaf)}-}}; fi"
            return
        word = self._default_word(item)
        lines = self.holes.take_lines()
        if word is None:
            yield f"if [[ -z ${{{name}+x}} ]]; then {name}=''; fi"
            return
        yield f"if [[ -z ${{{name}+x}} ]]; then"
        yield from lines
        yield f"{name}={word}"
        yield "fi"

    def _default_word(self, item: Input) -> str | None:
        if isinstance(item.default, Template):
            return self.holes.word(item.default)
        if item.has_default and item.default is not None:
            return assigned(as_text(item.default))
        return None

    def _check(self, leaf: Leaf) -> Iterator[str]:
        item, name = leaf.input, self._name(leaf)
        filled = f"-n ${name}"
        if _is_required(item):
            how = f"the variable {_environment(leaf)}" if item.type is InputType.SECRET else leaf.option
            yield f'[[ {filled} || $mode == status ]] || die "{how} needs a value"'
        if item.type in CHECKS:
            pattern, due = CHECKS[item.type]
            yield f"pattern={assigned(pattern)}"
            empty = f"-z ${name} || " if _may_be_empty(item) else ""
            yield f'[[ {empty}${name} =~ $pattern ]] || die "{leaf.option}: {due} is due"'
        if item.type is InputType.CHOICE and item.choices:
            texts = dict.fromkeys(as_text(choice.value) for choice in item.choices)
            values = " | ".join(
                [*(["''"] if _may_be_empty(item) or not any(texts) else []), *map(word, filter(None, texts))]
            )
            refusal = f'die "{leaf.option}: the value is not one of the choices"'
            yield f"case ${name} in {values}) ;; *) {refusal} ;; esac"
        yield from self._bounds(leaf, name)

    def _bounds(self, leaf: Leaf, name: str) -> Iterator[str]:
        for bound, operator, due in ((leaf.input.minimum, "<", "at least"), (leaf.input.maximum, ">", "at most")):
            if bound is not None:
                test = f"'BEGIN {{ exit !(ARGV[1] + 0 {operator} ARGV[2] + 0) }}' \"${name}\" {bound}"
                yield f'if [[ -n ${name} ]] && awk {test}; then die "{leaf.option} must be {due} {bound}"; fi'

    def _scripts(self) -> Iterator[str]:
        yield "if [[ $mode == submit ]]; then"
        if self.context.options["single_file"] == "true":
            for script in self.scripts:
                word = delimiter(script.text)
                yield f"cat >\"$run/scripts/{script.path}\" <<'{word}'"
                yield from script.text.removesuffix("\n").split("\n")
                yield word
        elif self.scripts:
            endings = sorted({script.path.rpartition(".")[2] for script in self.scripts})
            yield from (f'cp -- "$here"/*.{ending} "$run/scripts/"' for ending in endings if ending != "sh")
            yield from (
                f'cp -- "$here"/{script.path} "$run/scripts/"' for script in self.scripts if script.path.endswith(".sh")
            )
        else:
            yield "  :"
        yield "fi"

    def _deadline(self) -> Iterator[str]:
        """Set when the run has to be over, if it has a limit."""
        limit = self.context.workflow.timeout
        if limit is None:
            return
        if isinstance(limit, int | float):
            yield f"limit={math.ceil(limit)}"
        else:
            name = self.holes.name(unwrap(limit)[0])
            yield from self.holes.take_lines()
            yield from J.SECONDS.splitlines()
            yield f'limit=$(seconds "${{{name}:-0}}")'
        yield from S.DEADLINE.splitlines()

    def _data(self) -> Iterator[str]:
        import json

        data = self.context.workflow.data
        if not data:
            return
        yield "if [[ $mode == submit ]] && ((! resume)); then"
        for datum in data:
            name = self.context.datum_file(datum.name)
            if name != datum.name:
                yield means(name, (datum.name,))
            yield f"printf '%s\\n' {word(json.dumps(datum.value, default=str))} >\"$run/data/{name}\""
        yield "fi"

    def _start_hooks(self) -> Iterator[str]:
        for hook in self.context.workflow.hooks:
            if hook.trigger is Trigger.WORKFLOW_START and isinstance(hook.action, RunCommands):
                for command in hook.action.commands:
                    text = self.holes.word(command)
                    yield from self.holes.take_lines()
                    yield f"if [[ $mode == submit ]] && ((! resume)); then bash -c {text} || :; fi"

    def _job(self, job: Job) -> Iterator[str]:
        words = [job.slug, word(job.name), f"{job.slug}.sbatch"]
        words.append(str(job.decoded.size if job.decoded is not None else 0))
        words += [job.limit or "''", quote(" ".join(job.edges))]
        words += [f"--{name}={value}" for name, value in job.request.late.items()]
        lines = self.holes.take_lines()
        call = f"job {' '.join(words)}"
        if job.decoded is not None and not job.decoded.size:
            call = f"empty {' '.join(words[:3])}"
        if job.decides:
            yield f"decides[{job.slug}]=1"
        if job.patience is not None:
            yield f"patience[{job.slug}]={job.patience}"
        if job.condition is None:
            yield from [*lines, call]
            return
        try:
            test = self.holes.translator.test(job.condition)
        except UnsupportedError:
            self.context.refuse_expression(job.condition, f"the condition of `{job.name}`")
            test = "true"
        yield from [*lines, *self.holes.take_lines()]
        waits = f" {quote(' '.join(job.edges))}" if job.edges else ""
        yield f"if {test}; then {call}; else skip {job.slug} {word(job.name)}{waits}; fi"

    @staticmethod
    def _calls(calls: Sequence[str]) -> Iterator[str]:
        """Submit, or only name the jobs when their state is asked for."""
        yield "if [[ $mode == status ]]; then"
        yield '  job() { order+=("$1"); title[$1]=$2 count[$1]=$4 edges[$1]=$6; }'
        yield "  skip() { order+=(\"$1\"); title[$1]=$2 count[$1]=0 edges[$1]=''; }"
        yield '  empty() { skip "$@"; }'
        yield "fi"
        yield from calls


def _help_of(leaf: Leaf) -> Iterator[str]:
    item = leaf.input
    told = item.label if item.label and item.label != item.name else ""
    told = told or (item.help.strip().splitlines() or [""])[0]
    default = ""
    if item.type is InputType.SECRET:
        yield f"  (variable {_environment(leaf)})  {_comment(told)}".rstrip()
        return
    if item.has_default and not isinstance(item.default, Template) and item.default is not None:
        default = f" (default: {_comment(as_text(item.default))})"
    elif _is_required(item):
        default = " (required)"
    choices = ", ".join(_comment(as_text(choice.value)) for choice in item.choices)
    choices = f" (one of: {choices})" if choices and item.type is InputType.CHOICE else ""
    label = f"  {_comment(told)}" if told else ""
    yield f"  {leaf.option} VALUE{label}{choices}{default}".rstrip()


def _may_be_empty(item: Input) -> bool:
    """Whether a value that is no text may be left out where the option is given; a secret has no option."""
    shown = item.optional is False and item.hidden is False and item.ignored is False
    return not shown or item.default in (None, "") or isinstance(item.default, Template)


def _is_required(item: Input) -> bool:
    needed = item.optional is False and item.hidden is False and item.ignored is False
    return not item.has_default and needed and item.type not in (InputType.OTHER, InputType.CLUSTER)


def _comment(text: str) -> str:
    """Give a text as it may stand in one line of a comment."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _environment(leaf: Leaf) -> str:
    return "PWXC_SECRET_" + "_".join(re.sub(r"[^A-Za-z0-9]", "_", part) for part in leaf.path)
