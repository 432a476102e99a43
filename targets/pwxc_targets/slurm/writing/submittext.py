"""The shell text that every submit script has."""

from __future__ import annotations

HEAD = """\
set -euo pipefail
shopt -s inherit_errexit
max_array_size=${PWXC_MAX_ARRAY_SIZE:-%(size)s}
pause=${PWXC_PAUSE:-5}
run='' mode=submit resume=0 waits=0 locked=0 answer=''
given=() roots=() new=() order=()
declare -A id=() ended=() again=() partly=() edges=() count=() title=() parts=() decides=() patience=()
declare -A states=() recent=()

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
run=$(realpath -ms -- "$run")
if [[ $mode == submit && $run == *[^[:alnum:]_@%+=:,./-]* ]]; then
  say "commands that do not put the run's paths in quotes go wrong in a folder of this name: $run"
fi
unset -v "${names[@]}"
export PWXC_RUN=$run PWXC_RUN_ID=${run##*/} PWXC_WORKFLOW=$workflow
if ((resume)) || [[ $mode == status ]]; then
  [[ -f $run/inputs.sh ]] || die "$run is not the folder of a run"
  # shellcheck source=/dev/null
  source "$run/inputs.sh"
fi
"""

CORE = """\
unlock() { if ((locked)); then rmdir "$run/.submitting" 2>/dev/null || :; fi; locked=0; }

# Undoes what was submitted when something goes wrong.
undo() {
  local rc=$?
  trap - EXIT
  trap '' INT TERM
  # the last call may have been answered without that its id was taken down
  if [[ ${answer%%;*} =~ ^[0-9]+$ ]]; then new+=("${answer%%;*}"); fi
  if ((rc && ${#new[@]})); then
    say "cancelling what was submitted"
    scancel "${new[@]}" || :
  fi
  unlock
  exit "$rc"
}
trap undo EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Reads what a job has told of its end into told.
state() { told=''; if [[ -f $run/state/$1 ]]; then read -r told <"$run/state/$1" || :; fi; }

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
  local name=$1 index edge told anew=$((${#given[@]} > 0))
  left=''
  ((resume)) || return 0
  for edge in ${edges[$name]}; do
    if [[ -z ${again[${edge#*:}]-} ]]; then continue; fi
    anew=1
    if [[ $edge != success:* && $edge != same:* ]]; then return 0; fi
  done
  if ((count[$name] == 0)); then
    state "$name"
    # what was skipped is decided anew when something before it is, or an input
    if [[ $told == succeeded ]] || { [[ $told == skipped ]] && ((!anew)); }; then ended[$name]=$told; fi
    return 0
  fi
  for ((index = 0; index < count[$name]; index++)); do
    state "$name.$index"
    if [[ $told == succeeded ]]; then partly[$name]=1; continue; fi
    if [[ $told == skipped ]] && ((!anew)); then continue; fi
    left+="${left:+,}$index"
  done
  if [[ -z $left ]]; then ended[$name]=succeeded; fi
}

# Works out what a job waits for, all but its twins; sets terms, or fails when the job is not needed: NAME.
conditions() {
  local name=$1 edge kind parent
  terms=''
  for edge in ${edges[$name]}; do
    kind=${edge%%:*} parent=${edge#*:}
    case ${ended[$parent]-}:${kind#any-} in
      skipped:success | skipped:same | skipped:failure | succeeded:failure)
        # the script of such a job finds out, for a failure of another parent counts more
        if [[ -z ${decides[$name]-} ]]; then return 1; fi ;;&
      skipped:*) inherit "$parent"; continue ;;
      succeeded:*) continue ;;
    esac
    case $kind in
      success) terms+=,afterok:${id[$parent]} ;;
      failure)
        if [[ -n ${decides[$name]-} ]]; then terms+=,afterany:${id[$parent]}
        elif [[ ${id[$parent]} == *:* ]]; then part_failed "$parent"
        else terms+=,afternotok:${id[$parent]}; fi ;;
      end) terms+=,afterany:${id[$parent]} ;;
      start) terms+=,after:${id[$parent]} ;;
      start+*) terms+=,after:${id[$parent]//:/+${kind#start+}:}+${kind#start+} ;;
      any-failure) gate "$parent" failure ;;
      any-*) if [[ -z ${partly[$parent]-} ]]; then gate "$parent" "${kind#any-}"; fi ;;
    esac
  done
  terms=${terms#,}
  if ((${#terms} > 100000)); then shorten; fi
}

# Writes each kind of dependency once: no argument may be longer than 128 KiB.
shorten() {
  local term
  local -A numbers=()
  for term in ${terms//,/ }; do numbers[${term%%:*}]+=:${term#*:}; done
  terms=''
  for term in "${!numbers[@]}"; do terms+=${terms:+,}$term${numbers[$term]}; done
}

# Adds the twins that a part of an array waits for, instance by instance; done ones are left out: NAME OFFSET.
twins() {
  local edge part
  for edge in ${edges[$1]}; do
    part=${parts[${edge#*:}:$2]-}
    if [[ $edge == same:* && -n $part ]]; then terms+=${terms:+,}aftercorr:${part%% *}; fi
  done
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
  local offset index either='' word=afterany part current=first.$1
  case $2 in success) word=afterok ;; failure) word=afternotok ;; start*) word=after ;; esac
  for ((offset = 0; offset < count[$1]; offset += max_array_size)); do
    part=${parts[$1:$offset]-}
    if [[ $part == *-* ]]; then part="${part%% *} $(seq -s ' ' 0 "${part#*-}")"; fi
    for index in ${part#* }; do either+="?$word:${part%% *}_$index"; done
  done
  call '' --parsable --kill-on-invalid-dep=yes --export=ALL --job-name="$current" --output=/dev/null \\
    --dependency="${either#?}" --wrap=:
  terms+=,afterok:$answer
}

# Adds a job that runs when one part of a long array has failed, as `afternotok` on all asks that each has: PARENT.
part_failed() {
  local current=failed.$1
  call '' --parsable --kill-on-invalid-dep=yes --export=ALL --job-name="$current" --output=/dev/null \\
    --dependency="afternotok:${id[$1]//:/?afternotok:}" --wrap=:
  terms+=,afterany:${id[$1]},afterok:$answer
}

# Submits a job that waits for one of several jobs of others, which no list that asks for all can hold: NAME DEPENDENCY.
any_of() {
  local current=outside.$1
  call '' --parsable --kill-on-invalid-dep=yes --export=ALL --job-name="$current" --output=/dev/null \\
    --dependency="$2" --wrap=:
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
  # who presses Ctrl-C now gets the id all the same, and the job is cancelled with the others
  answer=$(trap '' INT TERM; sbatch "$@")
  answer=${answer%%;*}
  [[ $answer =~ ^[0-9]+$ ]] || { say "sbatch gave no id for $current"; exit 1; }
  new+=("$answer")
  if [[ -n $offset ]]; then
    printf '%s\\t%s\\t%s\\t%s\\n' "$current" "$answer" "${title[$current]//[$'\\t\\n']/ }" "$offset" \\
      >>"$run/submitted.tsv"
  fi
}

# Limits how long a job may wait for a machine: from now on, or from when those before it have ended: NAME.
hurry() {
  local edge
  if [[ -z $terms ]]; then words+=(--deadline="now+${patience[$1]}seconds"); return; fi
  if [[ $mode != submit ]]; then return; fi
  for edge in ${edges[$1]}; do printf '%s\\t%s\\t%s\\n' "${edge#*:}" "$1" "${patience[$1]}"; done >>"$run/deadlines.tsv"
}

# Submits a job, or a part of an array: NAME SCRIPT OFFSET OPTION...
part() {
  local name=$1 script=$2 offset=$3 log=%j option outside=''
  shift 3
  local -a words=(--parsable --kill-on-invalid-dep=yes --export=ALL)
  if ((count[$name])); then log=%A_%a; fi
  words+=(--output="${run//%/%%}/logs/$name.$log.out")
  for option; do
    # what an input leaves empty is not asked for
    case $option in --*= | --gres=gpu*:) ;; --dependency=*) outside=${option#*=} ;; *) words+=("$option") ;; esac
  done
  if [[ -z $terms ]]; then words+=(--hold); fi
  if [[ -n $terms && $outside == *\\?* ]]; then any_of "$name" "$outside"; outside=afterok:$answer; fi
  if [[ -n $terms$outside ]]; then words+=(--dependency="$terms${terms:+${outside:+,}}$outside"); fi
  if [[ -n ${patience[$name]-} ]]; then hurry "$name"; fi
  call "$offset" "${words[@]}" "$run/scripts/$script" "$run" "$offset"
  if [[ -z $terms ]]; then roots+=("$answer"); fi
  id[$name]+=${id[$name]:+:}$answer
}

# Forgets what a job told of its end in an earlier submission: NAME.
forget() {
  local index
  ((resume)) && [[ $mode == submit ]] || return 0
  rm -f -- "$run/state/$1"
  if ((count[$1])); then
    for index in ${left//,/ }; do printf '%s\\0' "$run/state/$1.$index"; done | xargs -0r rm -f --
  fi
}

# Submits an array in parts as long as the site takes them, of an earlier one what is left: NAME SCRIPT LIMIT OPTION...
array() {
  local name=$1 script=$2 limit=$3 first=$terms index offset size last=''
  local -A chosen=()
  shift 3
  for index in ${left//,/ }; do
    offset=$((index / max_array_size * max_array_size))
    chosen[$offset]+="${chosen[$offset]:+ }$((index - offset))"
  done
  for ((offset = 0; offset < count[$name]; offset += max_array_size)); do
    size=$((count[$name] - offset < max_array_size ? count[$name] - offset : max_array_size))
    if [[ -n $left && -z ${chosen[$offset]-} ]]; then continue; fi
    terms=$first
    twins "$name" "$offset"
    # a limit holds over all parts: the next one starts when the one before has ended
    if [[ -n $limit && -n $last ]]; then terms+=${terms:+,}afterany:$last; fi
    if [[ -n $left ]]; then index=${chosen[$offset]// /,}; else index=0-$((size - 1)); fi
    part "$name" "$script" "$offset" --array="$index$limit" "$@"
    last=$answer parts[$name:$offset]="$answer ${chosen[$offset]:-0-$((size - 1))}"
  done
}

# Submits a job with all that belongs to it: NAME TITLE SCRIPT COUNT LIMIT EDGES OPTION...
job() {
  local name=$1 script=$3 limit=''
  order+=("$name")
  current=$name
  title[$name]=$2 count[$name]=$4 edges[$name]=$6 id[$name]=''
  if [[ $5 =~ ^[1-9][0-9]*$ ]]; then limit=%$5; fi
  shift 6
  earlier "$name"
  if [[ -n ${ended[$name]-} ]]; then return; fi
  again[$name]=1
  if ! conditions "$name"; then
    ended[$name]=skipped
    if [[ $mode == submit ]]; then printf 'skipped\\n' >"$run/state/$name"; fi
    return
  fi
  forget "$name"
  if ((count[$name])); then array "$name" "$script" "$limit" "$@"; else part "$name" "$script" 0 "$@"; fi
}
"""

PREPARE = """\
if [[ $mode == submit ]]; then
  if ((!resume)) && [[ -e $run/inputs.sh ]]; then die "$run has a run already: --resume goes on with it"; fi
  mkdir -p -- "$run"/{scripts,logs,state,values,work,output,data}
  mkdir "$run/.submitting" 2>/dev/null || die "another submit.sh works in $run (if not, remove $run/.submitting)"
  locked=1
  if ((resume)); then
    look || die "squeue does not say whether jobs of this run go on"
    if ((busy)); then die "jobs of this run have not ended: wait for them (--status), or cancel them (scancel)"; fi
  fi
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
new=() answer=''
unlock
trap - EXIT INT TERM
"""

REPORT = """\
# Reads the states of the jobs of this run into states; busy says whether one is not over. Fails without an answer.
look() {
  local name number offset index state reason key known line=0
  local -A owner=() place=() first=() newest=()
  states=() recent=() busy=0
  if [[ ! -f $run/submitted.tsv ]]; then return; fi
  # what Slurm still knows, one instance a line: id, index, state and reason
  known=$(squeue --noheader --array --states=all --user="$(id -un)" --format='%F %K %T %r' 2>/dev/null) || return
  while IFS=$'\\t' read -r name number _ offset; do
    line=$((line + 1))
    owner[$number]=$name recent[$name]=$number first[$number]=${offset:-0} place[$number]=$line
  done <"$run/submitted.tsv"
  while read -r number index state reason; do
    name=${owner[${number:--}]-} key=$name
    if [[ -z $name ]]; then continue; fi
    if [[ $index == [0-9]* ]]; then key=$name.$((index + first[$number]))
    # what never began of an array is one line
    elif ((${count[$name]:-0})); then key=$name.rest.${first[$number]}; fi
    if ((${newest[$key]:-0} > place[$number])); then continue; fi
    newest[$key]=${place[$number]}
    if [[ $state == CANCELLED && $reason == DependencyNeverSatisfied ]]; then state=HOPELESS; fi
    states[$key]=$state
    case $state in
      COMPLETED | FAILED | CANCELLED | HOPELESS | TIMEOUT | NODE_FAIL | PREEMPTED | BOOT_FAIL | DEADLINE) ;;
      OUT_OF_MEMORY | REVOKED) ;;
      *) busy=1 ;;
    esac
  done <<<"$known"
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
  local name=$1 index edge rest none='not run' hopeless=''
  local -A tally=()
  for edge in ${edges[$name]}; do
    case $edge:${bad[${edge#*:}]-} in
      success:*:1 | same:*:1 | any-success:*:1) hopeless=cancelled ;;
      success:* | same:* | any-success:*) if [[ -n ${idle[${edge#*:}]-} ]]; then hopeless=${hopeless:-skipped}; fi ;;
      failure:*:) hopeless=${hopeless:-skipped} ;;
    esac
  done
  # Slurm forgets jobs some minutes after their end
  if [[ -n ${recent[$name]-} ]]; then none=${hopeless:-unknown}; fi
  hopeless=${hopeless:-cancelled}
  if ((count[$name] == 0)); then
    judge "$name" "$none" "$hopeless"
    tally[$found]=1
  else
    for ((index = 0; index < count[$name]; index++)); do
      rest=${states[$name.rest.$((index - index % max_array_size))]-$none}
      if [[ $rest == HOPELESS ]]; then rest=$hopeless; fi
      judge "$name.$index" "${rest,,}" "$hopeless"
      tally[$found]=$((${tally[$found]:-0} + 1))
    done
  fi
  found=''
  if ((${tally[skipped]:-0} == (count[$name] ? count[$name] : 1))); then idle[$name]=1; fi
  for index in "${!tally[@]}"; do
    found+=${found:+, }$index
    if ((count[$name])); then found+=" ${tally[$index]} of ${count[$name]}"; fi
    case $index in succeeded | skipped) ;; *) bad[$name]=1 ;; esac
  done
}

status() {
  local name
  local -A bad=() idle=()
  look || say "squeue gives no answer: this is what the jobs have told"
  printf '%-32s %-12s %s\\n' JOB ID STATE
  for name in "${order[@]}"; do
    outcome "$name"
    printf '%-32s %-12s %s\\n' "$name" "${recent[$name]:--}" "$found"
  done
}

# Waits until no job goes on; fails when one of them should have succeeded and did not.
await() {
  local name
  local -A bad=() idle=()
  while ! look || ((busy)); do sleep "$pause"; done
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
