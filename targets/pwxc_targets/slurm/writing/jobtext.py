"""Shell text that every job script has: where it is, how it ends, what it tells the others.

A job tells its end by a file `state/NAME` in the run's folder: `succeeded`, `failed`, `cancelled` or `skipped`.
"""

from __future__ import annotations

from pwxc.shell.stores import Transfers

HEAD = """\
set -uo pipefail
export PWXC_RUN=${1:?this script is started by submit.sh}
# shellcheck source=/dev/null
source "$PWXC_RUN/inputs.sh"
"""

INSTANCE = """\
index=$((SLURM_ARRAY_TASK_ID + ${2:-0}))
export PWXC_INDEX=$index
"""

PLACES = """\
work=$PWXC_RUN/work/$slug$instance
values=$PWXC_RUN/values/$slug$instance
export PWXC_OUTPUT=$PWXC_RUN/output/$slug${instance/#./\\/}
mkdir -p "$work" "$values" "$PWXC_OUTPUT"
"""

STATE = """\
tell() {
  local mark=$PWXC_RUN/state
  printf '%s\\n' "$1" >"$mark/.$slug$instance" && mv -f "$mark/.$slug$instance" "$mark/$slug$instance"
}
skip() { tell skipped; trap - EXIT; exit 0; }
"""

MEMBER_STATE = """\
# The gang tells how it ended; a member only keeps nobody waiting.
tell() { arrive; }
arrive() { if [[ -n ${PWXC_BARRIER-} ]]; then : >"$PWXC_BARRIER/$slug"; fi; }
# Waits until every member of the gang has what it reads.
gather() {
  local -a here=()
  arrive
  while [[ -n ${PWXC_BARRIER-} ]]; do
    here=("$PWXC_BARRIER"/*)
    if ((${#here[@]} >= PWXC_MEMBERS)); then return; fi
    sleep 0.2
  done
}
"""

GANG_ENDING = """\
pids=() told=failed
finish() {
  local rc=$?
  trap - EXIT
  trap '' TERM INT USR1 USR2
  if ((${#pids[@]})); then end_members; fi
  if ((rc == 0)); then tell succeeded; else tell "$told"; fi
%s  exit "$rc"
}
stop() {
  trap '' TERM INT USR1 USR2
  told=$1
  exit "$2"
}
"""

ENDING = """\
child='' told=failed
finish() {
  local rc=$?
  trap - EXIT
  trap '' TERM INT USR1 USR2
%s  if ((rc == 0)); then tell succeeded; else tell "$told"; fi
%s  exit "$rc"
}
# Ends what runs now, at first kindly.
end_child() {
  local tries
  if [[ -z $child ]]; then return; fi
  kill -TERM -- "-$child" 2>/dev/null
  for ((tries = 0; tries < 100; tries++)); do
    kill -0 -- "-$child" 2>/dev/null || break
    sleep 0.1
  done
  kill -KILL -- "-$child" 2>/dev/null
  wait "$child"
  child=''
}
stop() {
  trap '' TERM INT USR1 USR2
  told=$1
  end_child
  exit "$2"
}
"""

TERMINATED = """\
# Answers a signal, which may come because the time that Slurm gives is up.
terminated() {
  trap '' TERM INT
  if [[ $(scontrol show job --oneliner "${SLURM_JOB_ID-}" 2>/dev/null) == *' Reason=TimeLimit '* ]]; then
    stop failed 124
  fi
  stop cancelled 143
}
trap finish EXIT
trap terminated TERM INT
"""

TIMER = """\
# Ends the task when its time is up, with the code that `timeout` gives.
expire() { echo "the time limit is reached" >&2; stop failed 124; }
timer() {
  trap expire USR1
  bash -c 'sleep "$1"; kill -USR1 "$2"' timer "$1" "$$" </dev/null >/dev/null 2>&1 &
}
"""

DEADLINE = """\
# Ends the task when the time of the whole run is up; what has not begun by then never does.
overdue() {
  local name number _
  echo "the time of the run is up" >&2
  while IFS=$'\\t' read -r name number _; do
    if [[ $name != hook.* ]]; then scancel --quiet --state=PENDING "$number"; fi
  done <"$PWXC_RUN/submitted.tsv"
  stop cancelled 143
}
trap overdue USR2
left=$((PWXC_DEADLINE - $(date +%%s)))
if ((left <= 0)); then overdue; fi
bash -c 'sleep "$1"; kill -USR2 "$2"' timer "$left" "$$" </dev/null >/dev/null 2>&1 &
""".replace("%%", "%")

NOTE_FAILURE = """\
  if ((rc)) && [[ $told == failed ]]; then printf '%s\\n' "$slug$instance" >>"$PWXC_RUN/failures"; fi
"""

CANCEL_OTHERS = """\
  if ((rc)) && [[ $told == failed ]]; then cancel_others; fi
"""

START_CLOCKS = """\
  start_clocks
"""

CLOCKS = """\
# Starts the time within which what waits for this job has to come to an end, the wait for a machine included.
start_clocks() {
  local parent child seconds name number _
  if [[ ! -f $PWXC_RUN/deadlines.tsv ]]; then return; fi
  while IFS=$'\\t' read -r parent child seconds; do
    if [[ $parent != "$slug" ]]; then continue; fi
    while IFS=$'\\t' read -r name number _; do
      if [[ $name == "$child" ]]; then
        scontrol update "JobId=$number" "Deadline=now+${seconds}seconds" >/dev/null 2>&1 || :
      fi
    done <"$PWXC_RUN/submitted.tsv"
  done <"$PWXC_RUN/deadlines.tsv"
}
"""

MAY_CANCEL_OTHERS = """\
  if ((rc && fail_fast)) && [[ $told == failed ]]; then cancel_others; fi
"""

CANCEL = """\
  if [[ $told == cancelled && -n ${SLURM_JOB_ID-} ]]; then scancel --quiet "$SLURM_JOB_ID"; fi
"""

OTHERS = """\
# Cancels what is left of the array when this instance has failed.
cancel_others() {
  local name number task _
  local -a siblings=()
  while IFS=$'\\t' read -r name number _; do
    if [[ $name != "$slug" ]]; then continue; fi
    while IFS= read -r task; do
      if [[ $task != "${SLURM_ARRAY_JOB_ID-}_${SLURM_ARRAY_TASK_ID-}" ]]; then siblings+=("$task"); fi
    done < <(squeue --noheader --array --jobs="$number" --format=%i 2>/dev/null)
  done <"$PWXC_RUN/submitted.tsv"
  if ((${#siblings[@]})); then scancel --quiet "${siblings[@]}"; fi
}
"""

AGAIN = """\
# Puts the job back into the queue for its next attempt; comes back where Slurm does not take it.
again() {
  printf '%s\\n' "$attempt" >"$values/attempt.${SLURM_JOB_ID-}"
  trap '' TERM
  if [[ -n ${SLURM_JOB_ID-} ]] && scontrol requeue "$SLURM_JOB_ID"; then
    trap - EXIT
    exit 0
  fi
  trap terminated TERM
}
"""

WATCHED = """\
another=0
failures() { cat "$PWXC_RUN/failures" 2>/dev/null; }
# Runs a command that is stopped when another task fails.
run_watched() {
  local rc=0 known
  known=$(failures)
  set -m
  "$@" &
  child=$!
  set +m
  while kill -0 "$child" 2>/dev/null; do
    if [[ $(failures) != "$known" ]]; then
      echo "another task failed" >&2
      another=1
      end_child
      return 0
    fi
    sleep 0.5 &
    wait "$!"
  done
  wait "$child" || rc=$?
  child=''
  return "$rc"
}
"""

SECONDS = """\
# Gives the seconds of a duration such as 90, 30s, 2h or 1-12:00:00.
seconds() {
  awk 'BEGIN { t = ARGV[1]; d = 0
    if (index(t, ":")) {
      if (i = index(t, "-")) { d = substr(t, 1, i - 1); t = substr(t, i + 1) }
      n = split(t, f, ":"); h = n == 3 || ARGV[1] ~ /-/ ? f[1] * 3600 + f[2] * 60 + f[3] : f[1] * 60 + f[2]
      print d * 86400 + h; exit }
    u = t; gsub(/[0-9.]/, "", u)
    print t * (u == "m" ? 60 : u == "h" ? 3600 : u == "d" ? 86400 : u == "ms" ? 0.001 : 1) }' "$1"
}
"""

RUN = """\
# Runs a command beside the shell, so that a signal is answered at once.
run() {
  local rc=0
  set -m
  "$@" &
  child=$!
  set +m
  wait "$child" || rc=$?
  child=''
  return "$rc"
}
"""

MARKS = """\
# Says whether one of some jobs, or one of its instances, ended in a state: STATE NAME[:INSTANCES]...
# What told nothing is lost: it was killed or never ran.
any_is() {
  local want=$1 job file index most told
  shift
  for job; do
    file=$PWXC_RUN/state/${job%%:*} most=1
    # an array that was not submitted has one mark
    if [[ $job == *:* && ! -f $file ]]; then most=${job#*:} file+=.; fi
    for ((index = 0; index < most; index++)); do
      told=$file
      if [[ $file == *. ]]; then told+=$index; fi
      if [[ -f $told ]]; then read -r told <"$told"; else told=lost; fi
      if [[ $told == "$want" ]]; then return 0; fi
    done
  done
  return 1
}
"""

FELL = """\
# Says whether a job, or one of its instances, failed; a job that was not needed has not.
fell() { any_is failed "$1" || any_is cancelled "$1" || any_is lost "$1"; }
"""

PARENTS = """\
# Says whether one of the parents ended in a state.
parents() { any_is "$1" %s; }
# Says whether one of the parents that have ended did not tell how.
missing() { any_is lost %s; }
"""

VALUE = """\
# Gives a value that a task has published: the last line KEY=VALUE of its files.
value() {
  local file line found=''
  local -a files=("$PWXC_RUN/values/$1/$2")
  if [[ $2 == '*' ]]; then files=("$PWXC_RUN/values/$1"/*); fi
  for file in "${files[@]}"; do
    [[ -f $file ]] || continue
    while IFS= read -r line || [[ -n $line ]]; do
      if [[ ${line%%=*} == "$3" && $line == *=* ]]; then found=${line#*=}; fi
    done <"$file"
  done
  printf '%s' "$found"
}
"""

SELECT = "\n".join(Transfers(picks=True).functions()) + "\n"
TRANSFER = "\n".join(Transfers(fetched={""}, sent={""}).functions()) + "\n"

SECRET_FOLDER = """\
# Puts the files of a secret, which only its owner can read, into a folder.
secret_folder() {
  local from=${PWXC_SECRETS:-$HOME/.pwxc/secrets}/$1 file
  if [[ ! -d $from ]]; then echo "the secret $1 is not in $from" >&2; return 1; fi
  (umask 077 && mkdir -p "$2") || return 1
  for file in "$from"/*; do
    if [[ $(stat -c %a -- "$file") != [46]00 ]]; then echo "others can read $file: chmod 600 it" >&2; return 1; fi
    cp -p -- "$file" "$2/" || return 1
  done
}
"""

SECRET = """\
# Gives a secret: an environment variable, or a file that only its owner can read.
secret() {
  local variable=PWXC_SECRET_${1//[^A-Za-z0-9]/_}_${2//[^A-Za-z0-9]/_} file=${PWXC_SECRETS:-$HOME/.pwxc/secrets}/$1/$2
  if [[ -n ${!variable-} ]]; then printf '%s' "${!variable}"; return; fi
  if [[ ! -f $file ]]; then echo "the secret $1/$2 is neither in $variable nor in $file" >&2; return 1; fi
  if [[ $(stat -c %a -- "$file") != [46]00 ]]; then echo "others can read $file: chmod 600 it" >&2; return 1; fi
  printf '%s' "$(<"$file")"
}
"""
