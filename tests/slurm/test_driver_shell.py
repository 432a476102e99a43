"""What the shell that follows drivers makes of words, filters and tests, held against bash and the tools themselves."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from pwxc.diagnostics import Diagnostics
from pwxc.shell.grammar import parse
from pwxc.shell.words import ShellError
from pwxc.source import Source
from pwxc_targets.slurm.drivers.running.calls import Submission, Submitted
from pwxc_targets.slurm.drivers.running.files import Files
from pwxc_targets.slurm.drivers.running.shell import Shell
from pwxc_targets.slurm.drivers.text.marks import JOB, UNKNOWN, is_fixed, mark
from pwxc_targets.slurm.drivers.text.probing import probed

SAID = "said='Submitted batch job 4711'\nlist='b a\nc  d\na b'\nids='12:345:6'\nw=(x 'y z' '')\nn=7\nEMPTY=\n"


def no_jobs(submission: Submission) -> Submitted:
    raise AssertionError(submission.words)


def printed(text: str, folder: Path) -> str:
    """Give what our shell prints."""
    files = Files(folder, [], lambda _: None)
    shell = Shell(Source("driver.sh", text), "./driver.sh", Diagnostics(), no_jobs, lambda _: None, files)
    return shell.captured(lambda: shell.run(parse(text)))


def by_bash(texts: list[str], folder: Path) -> list[str]:
    """Give what bash prints for each of some texts, all in one run."""
    script = SAID + "".join(f"( {text}\n) 2>/dev/null; printf '\\0'\n" for text in texts)
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        [shutil.which("bash") or "bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    return done.stdout.split("\0")[:-1]


FILTERS = [
    "awk '{print $4}'", "awk '{print $NF}'", "awk '/batch/ {print $2 \":\" $4}'", "awk -F' ' '{print $1,$4}'",
    "awk 'END{print NR}'", "awk 'NR==1{print $2}'", "awk '{print $(NF-1)}'", "awk '{ print NF; }'", "awk '{print}'",
    "cut -d' ' -f4", "cut -f4 -d ' '", "cut -d' ' -f2-3", "cut -d ' ' -f 2-", "cut -c1-9", "cut -d: -f1",
    "cut -sd: -f1", "cut -d' ' --fields=1,4", "grep -o '[0-9]*'", "grep -oE '[0-9]+'", "grep -o -E '[[:digit:]]+'",
    "grep -oP '\\d+'", "grep -oP 'job \\K\\d+'", "grep -v batch", "grep -i SUBMITTED", "grep -w batch",
    "grep -o '[0-9]\\+'", "grep -Fo ob", "sed 's/.* //'", "sed 's/[^0-9]//g'", "sed -n 's/.*job \\([0-9]*\\)/\\1/p'",
    "sed -E 's/.*(j)ob ([0-9]+)/\\2\\1/'", "sed -e 's/a/A/g' -e 's/b/B/2'", "sed '2d'", "sed -n '1p'", "sed '$d'",
    "sed 's|a|/|'", "sed '/a/c\\X'", "sed 's/b/[&]/g'", "tr -dc 0-9", "tr -cd '[:digit:]'", "tr -d -c '0-9\\n'",
    "tr ' ' ':'", "tr '\\n' ','", "tr a-c x-z", "tr -s ' '", "tr '[:lower:]' '[:upper:]'", "tr -d ' '",
    "tr ' \\n' '::'",
    "head -1", "head -n 2", "tail -n1", "tail -2", "paste -sd:", "paste -s -d ' '", "sort", "sort -u", "sort -r",
    "wc -l", "wc -w", "uniq", "tac", "rev", "cat", "xargs", "tee /dev/null",
]  # fmt: skip
TEXTS = r"""
printf '%s\n' a b; printf '%03d-%s.' 7 x 8 y; printf '%5s|%-4s|' ab c; printf %s%% 5; echo -n a; echo -e 'b\tc' d
seq 3; seq 2 4; seq 1 2 6; seq -w 8 11; seq -s, 3; seq -f 'x%02g' 2
basename /a/b.txt .txt; basename a/; dirname a/b c
expr 3 + 4 \* 2; expr "$said" : '.* \([0-9]*\)'; echo '(7+2)/4*3' | bc; echo $((n**2 - (3 << 2) % 5))
x=a.b.c; echo ${x%.*} ${x%%.*} ${x#*.} ${x##*.} ${x/./-} ${x//./-} ${x/#a/z} ${x/%c/z} ${#x} ${x^} ${x^^} ${x:2}
x=ab; echo ${x: -1}
echo ${said:20} ${said::9} ${said:10:5} ${said//[!0-9]/} ${ids//:/,} ${ids%:*} ${ids##*:} ${ids/%:6/}
echo ${EMPTY:-d} ${EMPTY-e} ${EMPTY+f} ${EMPTY:+f} ${n:+g} ${n:-h} ${EMPTY:=i} $EMPTY
echo "${w[@]:1}" ${#w[@]} ${!w[@]} ${w[-1]}.
printf '<%s>' "${w[@]}" ${w[*]} "${w[*]}" "${w[@]/#/p}" ${w[@]%z}; IFS=:; printf '<%s>' "${w[*]}" $ids a:b
set -- p 'q r' s; echo $# $2 "$*" ${@:2:1}; shift; printf '<%s>' "$@" $*; for a; do echo $a; done
IFS=, read -r a b <<< 'x,y z,u'; echo $a-$b
while read -r a b; do echo $b:$a; done <<< "$list"
mapfile -t m <<< "$list"; echo ${#m[@]} ${m[1]}; read -a r <<< "$said"; echo ${r[3]} ${r[@]:1:2}
{ read a; read b; } <<< "$list"; echo $b
[[ $said =~ ([a-z]+)\ job\ ([0-9]+) ]] && echo ${BASH_REMATCH[1]} ${BASH_REMATCH[2]}
[[ abc == a*c ]] && echo yes; [[ abc == "a*c" ]] || echo no; [[ -n $EMPTY || ! a == b && 3 -gt 2 ]] && echo both
for i in 3 1; do for j in a b; do [ $i$j = 1a ] && continue 2; echo $i$j; done; done
i=0; while :; do ((i++)); ((i == 2)) && continue; ((i > 4)) && break; echo $i; done; echo $i
i=5; until ((i <= 3)); do echo $i; ((i--)); done; for ((k=0, m=9; k<m; k+=4)); do echo $k; done
case $said in *job*) echo 1;;& x) echo 2;; S*) echo 3;& y) echo 4;; *) echo 5;; esac
case a in [!a]) echo 6;; [a-c]) echo 7;; esac
f() { local x=$1; x+=2; echo $x; return 1; }; x=0; y=$(f 1); echo $? $y $x; f 5 > /dev/null; echo $x
(x=9); echo $x; { x=8; }; echo $x; f() ( x=7; echo $x ); f; echo $x
declare -A m=([a]=1 ['b c']=2); m[d]=3; echo ${m[a]} ${m[b c]} ${#m[@]}
a=(1 2); a+=(3); a[5]=x; echo ${!a[@]} ${a[@]}
true && echo a || echo b; false && echo c || echo d; ! true || echo e
if false; then :; elif [ 2 -gt 1 -a a != b ]; then echo f; fi
echo {a,b}{1..3} {3..1} {01..10..4} x{,y} {a..c} '{d,e}' {f}
x='a  b'; printf '<%s>' $x "$x" '$x' a\ b $'t\tu' "q\"r"
x=1 y=$x; echo $y; v=n; echo ${!v}; declare -n r=n; r=5; echo $n; printf -v s '%02d' 4; echo $s
""".strip().split("\n")  # fmt: skip
TEXTS.append("cat <<EOF\n$n \\$n `echo x` $(echo 'y') \"z\"\nEOF\ncat <<'EOF'\n$n\nEOF\ncat <<-EOF\n\tz\n\tEOF")


def test_filters_do_what_the_tools_do(tmp_path: Path) -> None:
    texts = [f'echo "${name}" | {filter_}' for filter_ in FILTERS for name in ("said", "list", "ids")]
    for text, expected in zip(texts, by_bash(texts, tmp_path), strict=True):
        assert printed(SAID + text, tmp_path) == expected, text


@pytest.mark.parametrize("text", TEXTS)
def test_commands_print_what_bash_prints(text: str, tmp_path: Path) -> None:
    assert printed(SAID + text, tmp_path) == by_bash([text], tmp_path)[0]


PIECES = [
    "a", "b-c", "'q r'", '"$said"', "${n}", "${ids}", "${ids#12:}", "${w[1]}", '"${w[@]}"', "${w[@]}", "${EMPTY}",
    '"$EMPTY"', "''", "\\ ", "\\$", "{x,y}", "{1..3}", "$(echo o p)", '"$(echo o  p)"', "`echo t`", "$((n + 1))",
    "${EMPTY:-d e}", '"${n:+f g}"', "*.c", "?.c", "[ab].c", "'*.c'", "=", ":", "${said##* }", "$'x\\ty'", "~x",
]  # fmt: skip


def test_words_become_what_bash_makes_of_them(tmp_path: Path) -> None:
    for name in ("a.c", "b.c", "cc.c"):
        (tmp_path / name).write_text("")
    draw = random.Random(5)
    words = ["".join(draw.choices(PIECES, k=draw.randint(1, 4))) for _ in range(400)]
    texts = [f"printf '<%s>' . {word}" for word in words]
    for text, expected in zip(texts, by_bash(texts, tmp_path), strict=True):
        told = printed(SAID + text, tmp_path)
        # a pattern without a file is known only when the driver runs
        assert told == expected or (UNKNOWN in told and re.search(r"[*?[]", expected)), text


@pytest.mark.parametrize(
    ("text", "work", "expected"),
    [
        ("job J", lambda text: text.rpartition(" ")[2], "J"),
        ("J:J2", lambda text: text.replace(":", ",afterok:"), "J,afterok:J2"),
        ("J", lambda text: text[:3], None),
        ("J", lambda text: str(len(text)), None),
        ("J J2", lambda text: text.replace(" ", ""), None),
        ("J 71000000", lambda text: text, None),
        ("a J", lambda _: "fixed", "fixed"),
    ],
)  # fmt: skip
def test_what_depends_on_the_number_of_a_job_is_not_known(text: str, work: object, expected: str | None) -> None:
    def marked(word: str) -> str:
        return word.replace("J2", mark(JOB, 2)).replace("J", mark(JOB, 1)) if "J" in word else word

    assert callable(work)
    found = probed([marked(text)], lambda texts: work(texts[0]))
    assert found == (UNKNOWN if expected is None else marked(expected))
    assert is_fixed(found.replace(JOB, "")) is (expected is not None)


@pytest.mark.parametrize("start", ["if x; then ", "while x; do ", "{ ", "( ", "f() ", "echo $(", "if x\nthen\n"])
def test_commands_without_end_are_given_up_on_soon(start: str) -> None:
    begun = time.process_time()
    with pytest.raises(ShellError):
        parse(start * 20_000)
    assert time.process_time() - begun < 3  # half a second on a machine that does nothing else


def test_commands_may_be_nested() -> None:
    assert parse("if x; then " * 60 + "y; " + "fi; " * 60)
    assert len(parse("if x; then y; fi\n" * 2000)) == 2000
