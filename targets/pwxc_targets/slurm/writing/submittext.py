"""The shell text that every submit script has."""

from __future__ import annotations

HEAD = """\
set -euo pipefail
shopt -s inherit_errexit
max_array_size=${PWXC_MAX_ARRAY_SIZE:-%(size)s}
pause=${PWXC_PAUSE:-5}
run='' mode=submit resume=0 waits=0
given=() roots=() new=() order=()
declare -A id=() ended=() again=() edges=() count=() title=() spans=() states=() recent=()

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

# Marks a job that is not submitted, so that others and --resume know: NAME TITLE STATE EDGES.
mark() {
  order+=("$1")
  count[$1]=0 title[$1]=$2 edges[$1]=$4 ended[$1]=$3
  if [[ $mode == submit ]]; then printf '%s\\n' "$3" >"$run/state/$1"; fi
}
skip() { mark "$1" "$2" skipped "${3-}"; }
# An array of nothing has ended well.
empty() { mark "$1" "$2" succeeded ''; }

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
  local name=$1 chunk=$2 edge kind parent
  local -a ids
  terms=''
  for edge in ${edges[$name]}; do
    kind=${edge%%:*} parent=${edge#*:}
    case ${ended[$parent]-}:${kind#any-} in
      skipped:success | skipped:same | skipped:failure | succeeded:failure) return 1 ;;
      skipped:*) inherit "$parent"; continue ;;
      succeeded:*) continue ;;
    esac
    IFS=: read -ra ids <<<"${id[$parent]}"
    case $kind in
      success) terms+=,afterok:${id[$parent]} ;;
      same)
        if [[ ${spans[$parent]} == "${spans[$name]}" ]]; then terms+=,aftercorr:${ids[chunk]}
        else terms+=,afterok:${id[$parent]}; fi ;;
      failure) if ((${#ids[@]} > 1)); then part_failed "$parent"; else terms+=,afternotok:${id[$parent]}; fi ;;
      end) terms+=,afterany:${id[$parent]} ;;
      start) terms+=,after:${id[$parent]} ;;
      start+*) terms+=,after:${id[$parent]//:/+${kind#start+}:}+${kind#start+} ;;
      any-*) gate "$parent" "${kind#any-}" ;;
    esac
  done
  terms=${terms#,}
}

# What waits for the end of a job that is skipped waits for what that one would have waited for: PARENT.
inherit() {
  local edge kind parent
  for edge in ${edges[$1]}; do
    kind=${edge%%:*} parent=${edge#*:}
    if [[ ${ended[$parent]-} == skipped ]]; then inherit "$parent"
    elif [[ -z ${id[$parent]-} ]]; then continue
    elif [[ $kind == start* ]]; then terms+=,after:${id[$parent]}
    else terms+=,afterany:${id[$parent]}; fi
  done
}

# Adds a job that waits for the first instance of an array, as all terms of one job are joined alike: PARENT KIND.
gate() {
  local span either='' word=afterany
  local -a ids
  case $2 in success) word=afterok ;; failure) word=afternotok ;; start*) word=after ;; esac
  IFS=: read -ra ids <<<"${id[$1]}"
  if [[ ${spans[$1]} == all ]]; then
    for ((span = 0; span < count[$1]; span++)); do
      either+="?$word:${ids[span / max_array_size]}_$((span % max_array_size))"
    done
  else
    for span in ${spans[$1]//,/ }; do either+="?$word:${ids[0]}_$span"; done
  fi
  call '' --parsable --kill-on-invalid-dep=yes --export=ALL --job-name="first.$1" --output=/dev/null \\
    --dependency="${either#?}" --wrap=:
  terms+=,afterok:$answer
}

# Adds a job that runs when one part of a long array has failed, as `afternotok` on all asks that each has: PARENT.
part_failed() {
  call '' --parsable --kill-on-invalid-dep=yes --export=ALL --job-name="failed.$1" --output=/dev/null \\
    --dependency="afternotok:${id[$1]//:/?afternotok:}" --wrap=:
  terms+=,afterany:${id[$1]},afterok:$answer
}

# Calls sbatch, or prints the call: INDEX OPTION..., where the index is that of the first instance.
call() {
  local offset=$1
  shift
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
  if [[ -n $offset ]]; then
    printf '%s\\t%s\\t%s\\t%s\\n' "$current" "$answer" "${title[$current]//[$'\\t\\n']/ }" "$offset" \\
      >>"$run/submitted.tsv"
  fi
}

# Submits a job, or a part of an array: NAME SCRIPT CHUNK OFFSET OPTION...
part() {
  local name=$1 script=$2 chunk=$3 offset=$4 log=%j option
  shift 4
  local -a words=(--parsable --kill-on-invalid-dep=yes --export=ALL)
  if ((count[$name])); then log=%A_%a; fi
  words+=(--output="${run//%/%%}/logs/$name.$log.out")
  for option; do
    # what an input leaves empty is not asked for
    case $option in --*= | --gres=gpu*:) ;; *) words+=("$option") ;; esac
  done
  if [[ -n $terms ]]; then words+=(--dependency="$terms"); else words+=(--hold); fi
  call "$offset" "${words[@]}" "$run/scripts/$script" "$run" "$offset"
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

DEADLINE = """\
# The time of the run counts from here; the jobs read it where they read the inputs.
if [[ $mode == submit && $limit != 0 ]]; then
  printf 'export PWXC_DEADLINE=%s\\n' "$(($(date +%s) + ${limit%.*}))" >>"$run/inputs.sh"
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
# Gives what Slurm still knows of the jobs, one instance a line: id, index, state and reason.
known_jobs() {
  squeue --noheader --array --states=all --user="$(id -un)" --format='%F %K %T %r' 2>/dev/null || :
}

# Reads the states of the jobs of this run into states; busy says whether one is not over.
look() {
  local name number offset index state reason key line=0
  local -A owner=() place=() first=() newest=()
  states=() recent=() busy=0
  if [[ ! -f $run/submitted.tsv ]]; then return; fi
  while IFS=$'\\t' read -r name number _ offset; do
    line=$((line + 1))
    owner[$number]=$name recent[$name]=$number first[$number]=${offset:-0} place[$number]=$line
  done <"$run/submitted.tsv"
  while read -r number index state reason; do
    name=${owner[$number]-} key=$name
    if [[ -z $name ]]; then continue; fi
    if [[ $index == [0-9]* ]]; then key=$name.$((index + first[$number])); fi
    if ((${newest[$key]:-0} > place[$number])); then continue; fi
    newest[$key]=${place[$number]}
    if [[ $state == CANCELLED && $reason == DependencyNeverSatisfied ]]; then state=HOPELESS; fi
    states[$key]=$state
    case $state in
      PENDING | CONFIGURING | RUNNING | SUSPENDED | COMPLETING | REQUEUED | STAGE_OUT | SIGNALING) busy=1 ;;
    esac
  done < <(known_jobs)
}

# Says in a word what came of a job or an instance, by its state in Slurm and by what it told: sets found.
judge() {
  local state=${states[$1]-} told=''
  if [[ -f $run/state/$1 ]]; then read -r told <"$run/state/$1" || :; fi
  case $state in
    '') found=${told:-$2} ;;
    COMPLETED) found=${told:-succeeded} ;;
    HOPELESS) found=$3 ;;
    *) found=${state,,} ;;
  esac
}

# Says what came of a job: sets found, and bad when it should have succeeded and did not.
outcome() {
  local name=$1 index edge none='not run' hopeless=skipped
  local -A tally=()
  if [[ -n ${recent[$name]-} ]]; then none=unknown; fi
  for edge in ${edges[$name]}; do
    case $edge in
      success:* | same:* | any-success:*) if [[ -n ${bad[${edge#*:}]-} ]]; then hopeless=cancelled; fi ;;
      failure:*) none=skipped ;;
    esac
  done
  if ((count[$name] == 0)); then
    judge "$name" "$none" "$hopeless"
    tally[$found]=1
  else
    for ((index = 0; index < count[$name]; index++)); do
      judge "$name.$index" "$none" "$hopeless"
      tally[$found]=$((${tally[$found]:-0} + 1))
    done
  fi
  found=''
  for index in "${!tally[@]}"; do
    found+=${found:+, }$index
    if ((count[$name])); then found+=" ${tally[$index]} of ${count[$name]}"; fi
    case $index in succeeded | skipped) ;; *) bad[$name]=1 ;; esac
  done
}

status() {
  local name
  local -A bad=()
  look
  printf '%-32s %-12s %s\\n' JOB ID STATE
  for name in "${order[@]}"; do
    outcome "$name"
    printf '%-32s %-12s %s\\n' "$name" "${recent[$name]:--}" "$found"
  done
}

# Waits until no job goes on; fails when one of them should have succeeded and did not.
await() {
  local name
  local -A bad=()
  while look && ((busy)); do sleep "$pause"; done
  for name in "${order[@]}"; do
    outcome "$name"
    if [[ $name == hook.* ]]; then unset -v "bad[$name]"; fi
  done
  ((${#bad[@]} == 0))
}
"""

LAST = """\
if [[ $mode == status ]]; then status; exit 0; fi
if [[ $mode == submit ]]; then
  say "run folder: $run"
  if ((waits)); then rc=0; await || rc=1; status; exit "$rc"; fi
fi
"""
