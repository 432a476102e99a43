"""The shell text that every submit script has."""

from __future__ import annotations

HEAD = """\
set -euo pipefail
shopt -s inherit_errexit
max_array_size=${PWXC_MAX_ARRAY_SIZE:-%(size)s}
pause=${PWXC_PAUSE:-5}
run='' mode=submit resume=0 waits=0
given=() roots=() new=() order=()
declare -A id=() ended=() again=() edges=() count=() title=() spans=()

say() { printf '%%s: %%s\\n' "${0##*/}" "$*" >&2; }
die() { say "$*"; exit 2; }
"""

OPTIONS = """\
while (($#)); do
  option=$1 value='' has_value=0
  shift
  case $option in
    -h | --help) usage; exit 0 ;;
    --dry-run) mode=dry-run; continue ;;
    --resume) resume=1; continue ;;
    --wait) waits=1; continue ;;
    --status) mode=status; continue ;;
    --*=*) value=${option#*=} option=${option%%=*} has_value=1 ;;
  esac
  known "$option" || die "there is no option $option (--help lists them)"
  if ((! has_value)); then
    (($#)) || die "$option needs a value"
    value=$1
    shift
  fi
  if [[ $option == --run-dir ]]; then run=$value; else given+=("$option" "$value"); fi
done

if [[ -z $run ]]; then
  if ((resume)) || [[ $mode == status ]]; then die "--resume and --status need --run-dir"; fi
  run=$PWD/runs/$slug-$(date +%Y%m%d-%H%M%S)-$$
fi
[[ $run == /* ]] || run=$PWD/$run
case $run in *[$'\\n\\\\']*) die "the run folder cannot have a line break or a backslash in its name" ;; esac
unset -v "${names[@]}"
export PWXC_RUN=$run PWXC_RUN_ID=${run##*/} PWXC_WORKFLOW=$workflow
if ((resume)) || [[ $mode == status ]]; then
  [[ -f $run/inputs.sh ]] || die "$run is not the folder of a run"
  # shellcheck source=/dev/null
  source "$run/inputs.sh"
fi
"""

CORE = """\
# Undoes what was submitted when something goes wrong.
undo() {
  local rc=$?
  trap - EXIT INT TERM
  if ((rc && ${#new[@]})); then
    say "cancelling what was submitted"
    scancel "${new[@]}" || :
  fi
  exit "$rc"
}
trap undo EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

state() { local text=''; if [[ -f $run/state/$1 ]]; then text=$(<"$run/state/$1"); fi; printf '%s' "$text"; }

# Marks a job that is not needed, so that others and --resume know.
skip() {
  order+=("$1")
  count[$1]=0 title[$1]=$2 edges[$1]='' ended[$1]=skipped
  if [[ $mode == submit ]]; then printf 'skipped\\n' >"$run/state/$1"; fi
}

# Says what came of a job of an earlier submission: done, or which indexes are left.
earlier() {
  local name=$1 index edge
  left=''
  ((resume)) || return 0
  for edge in ${edges[$name]}; do
    if [[ $edge != success:* && $edge != same:* && -n ${again[${edge#*:}]-} ]]; then return 0; fi
  done
  if ((count[$name] == 0)); then
    case $(state "$name") in succeeded | skipped) ended[$name]=$(state "$name") ;; esac
    return 0
  fi
  for ((index = 0; index < count[$name]; index++)); do
    case $(state "$name.$index") in succeeded | skipped) ;; *) left+="${left:+,}$index" ;; esac
  done
  if [[ -z $left ]]; then ended[$name]=succeeded; fi
}

# Works out what a job waits for; sets terms, joined by separator, or drops the job.
conditions() {
  local name=$1 chunk=$2 edge kind parent span
  local -a ids
  terms='' separator=,
  for edge in ${edges[$name]}; do
    kind=${edge%%:*} parent=${edge#*:}
    case ${ended[$parent]-}:$kind in
      skipped:success | skipped:same | skipped:failure | skipped:any | succeeded:failure) return 1 ;;
      skipped:* | succeeded:*) continue ;;
    esac
    IFS=: read -ra ids <<<"${id[$parent]}"
    case $kind in
      success) terms+="$separator"afterok:${id[$parent]} ;;
      same)
        if [[ ${spans[$parent]} == "${spans[$name]}" ]]; then terms+="$separator"aftercorr:${ids[chunk]}
        else terms+="$separator"afterok:${id[$parent]}; fi ;;
      failure) terms+="$separator"afternotok:${id[$parent]} ;;
      end) terms+="$separator"afterany:${id[$parent]} ;;
      start) terms+="$separator"after:${id[$parent]} ;;
      start+*) terms+="$separator"after:${id[$parent]//:/+${kind#start+}:}+${kind#start+} ;;
      any)
        separator='?'
        for ((span = 0; span < count[$parent]; span++)); do
          terms+="$separator"afterok:${ids[span / max_array_size]}_$((span % max_array_size))
        done ;;
    esac
  done
  terms=${terms#[,?]}
}

# Calls sbatch, or prints the call.
call() {
  if [[ $mode == dry-run ]]; then
    printf 'sbatch'
    printf ' %q' "$@"
    printf '\\n'
    answer="ID_of_$current"
    return
  fi
  answer=$(sbatch "$@")
  answer=${answer%%;*}
  [[ $answer =~ ^[0-9]+$ ]] || { say "sbatch gave no id for $current"; exit 1; }
  new+=("$answer")
  printf '%s\\t%s\\t%s\\n' "$current" "$answer" "${title[$current]//[$'\\t\\n']/ }" >>"$run/submitted.tsv"
}

# Submits a job, or a part of an array: NAME SCRIPT CHUNK OFFSET OPTION...
part() {
  local name=$1 script=$2 chunk=$3 offset=$4 log=%j
  shift 4
  local -a words=(--parsable --kill-on-invalid-dep=yes --export=ALL)
  if ((count[$name])); then log=%A_%a; fi
  words+=(--output="${run//%/%%}/logs/$name.$log.out" "$@")
  if [[ -n $terms ]]; then words+=(--dependency="$terms"); else words+=(--hold); fi
  call "${words[@]}" "$run/scripts/$script" "$run" "$offset"
  if [[ -z $terms ]]; then roots+=("$answer"); fi
  id[$name]+=${id[$name]:+:}$answer
}

# Submits a job with all that belongs to it: NAME TITLE SCRIPT COUNT LIMIT EDGES OPTION...
job() {
  local name=$1 script=$3 limit=${5:+%$5} offset chunk=0 size last='' before
  local -a indexes
  order+=("$name")
  current=$name
  title[$name]=$2 count[$name]=$4 edges[$name]=$6 id[$name]='' spans[$name]=''
  shift 6
  earlier "$name"
  if [[ -n ${ended[$name]-} ]]; then return; fi
  again[$name]=1
  if ! conditions "$name" 0; then
    ended[$name]=skipped
    if [[ $mode == submit ]]; then printf 'skipped\\n' >"$run/state/$name"; fi
    return
  fi
  if ((count[$name] == 0)); then part "$name" "$script" 0 0 "$@"; return; fi
  if [[ -n $left ]]; then
    spans[$name]=$left
    IFS=, read -ra indexes <<<"$left"
    if ((indexes[-1] < max_array_size)); then part "$name" "$script" 0 0 --array="$left$limit" "$@"; return; fi
  fi
  spans[$name]+=all
  for ((offset = 0; offset < count[$name]; offset += max_array_size)); do
    size=$((count[$name] - offset < max_array_size ? count[$name] - offset : max_array_size))
    conditions "$name" "$chunk"
    before=$terms
    # a limit holds over all parts: the next one starts when the one before has ended
    if [[ -n $limit && -n $last ]]; then terms+=${terms:+,}afterany:$last; fi
    part "$name" "$script" "$chunk" "$offset" --array="0-$((size - 1))$limit" "$@"
    terms=$before last=$answer chunk=$((chunk + 1))
  done
}
"""

PREPARE = """\
if [[ $mode == submit ]]; then
  mkdir -p "$run"/{scripts,logs,state,values,work,output,data}
  (
    umask 077
    {
      printf 'export PWXC_RUN_ID=%q PWXC_WORKFLOW=%q\\n' "$PWXC_RUN_ID" "$workflow"
      for name in "${names[@]}"; do
        if [[ -n ${!name+x} ]]; then printf 'export %s=%q\\n' "$name" "${!name}"; fi
      done
    } >"$run/inputs.sh"
  )
fi
"""

FINISH = """\
if [[ $mode == submit ]] && ((${#roots[@]})); then
  # everything is in: nothing was lost on the way, so the first jobs may start
  for ((first = 0; first < ${#roots[@]}; first += 500)); do
    scontrol release "$(IFS=,; printf '%s' "${roots[*]:first:500}")"
  done
fi
new=()
trap - EXIT INT TERM
"""

REPORT = """\
# Gives the jobs of this run that Slurm still has: array id and state, one a line.
alive() { squeue --noheader --user="$(id -un)" --format='%F %T %r' || :; }

# Reads what became of a job: sets found to a word, with numbers for an array.
outcome() {
  local name=$1 index text ok=0 bad=0
  found=''
  if ((count[$name] == 0)); then found=$(state "$name"); return; fi
  for ((index = 0; index < count[$name]; index++)); do
    text=$(state "$name.$index")
    case $text in succeeded | skipped) ok=$((ok + 1)) ;; failed) bad=$((bad + 1)) ;; esac
  done
  if ((ok == count[$name])); then found=succeeded
  elif ((bad)); then found="failed $bad of ${count[$name]}"
  elif ((ok)); then found="succeeded $ok of ${count[$name]}"; fi
}

recorded() {
  local name number
  if [[ -f $run/submitted.tsv ]]; then
    while IFS=$'\\t' read -r name number _; do recent[$name]+=" $number"; done <"$run/submitted.tsv"
  fi
}

status() {
  local name number live
  local -A recent=() queue=()
  recorded
  while read -r number live _; do queue[$number]=$live; done < <(alive)
  printf '%-32s %-12s %s\\n' JOB ID STATE
  for name in "${order[@]}"; do
    outcome "$name"
    number=${recent[$name]-}
    number=${number##* }
    if [[ -n $number && -n ${queue[$number]-} ]]; then found="${queue[$number],,}${found:+ ($found)}"; fi
    printf '%-32s %-12s %s\\n' "$name" "${number:--}" "${found:-not run}"
  done
}

# Waits until Slurm has none of the jobs any more; fails when one of them should have succeeded and did not.
await() {
  local name number busy bad=0
  local -A recent=() mine=()
  recorded
  for name in "${order[@]}"; do for number in ${recent[$name]-}; do mine[$number]=1; done; done
  while :; do
    busy=0
    while read -r number _; do if [[ -n ${mine[$number]-} ]]; then busy=1; fi; done < <(alive)
    ((busy)) || break
    sleep "$pause"
  done
  for name in "${order[@]}"; do
    outcome "$name"
    case $found in succeeded | skipped) continue ;; esac
    if [[ -z $found && " ${edges[$name]}" == *' failure:'* ]]; then continue; fi
    if [[ $name == hook.* ]]; then continue; fi
    bad=1
  done
  return "$bad"
}
"""

LAST = """\
if [[ $mode == status ]]; then status; exit 0; fi
if [[ $mode == submit ]]; then
  say "run folder: $run"
  if ((waits)); then rc=0; await || rc=1; status; exit "$rc"; fi
fi
"""
