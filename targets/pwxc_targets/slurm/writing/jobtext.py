"""Shell text that every job script has: where it is, how it ends, what it tells the others.

A job tells its end by a file `state/NAME` in the run's folder: `succeeded`, `failed` or `skipped`.
"""

from __future__ import annotations

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
tell() { :; }
"""

ENDING = """\
child=''
finish() {
  local rc=$?
  trap - EXIT
  trap '' TERM INT
%s  if ((rc == 0)); then tell succeeded; else tell failed; fi
  exit "$rc"
}
stop() {
  trap '' TERM INT
  if [[ -n $child ]]; then kill -TERM -- "-$child" 2>/dev/null; wait "$child"; fi
  exit 143
}
trap finish EXIT
trap stop TERM INT
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

PARENTS = """\
# Says whether one of the parents, or one of its instances, ended in a state.
parents() {
  local want=$1 parent file
  local -a all=(%s)
  for parent in "${all[@]}"; do
    for file in "$PWXC_RUN/state/$parent" "$PWXC_RUN/state/$parent".*; do
      if [[ -f $file && $(<"$file") == "$want" ]]; then return 0; fi
    done
  done
  return 1
}
"""

MISSING = """\
# Says whether one of the parents has not told how it ended: it was killed or never ran.
missing() {
  local parent
  local -a all=(%s)
  for parent in "${all[@]}"; do
    compgen -G "$PWXC_RUN/state/$parent" >/dev/null || compgen -G "$PWXC_RUN/state/$parent.*" >/dev/null || return 0
  done
  return 1
}
"""

VALUE = """\
# Gives a value that a task has published: the last line KEY=VALUE of its files.
value() {
  local file line found=''
  for file in "$PWXC_RUN/values/$1"/$2; do
    [[ -f $file ]] || continue
    while IFS= read -r line || [[ -n $line ]]; do
      if [[ ${line%%=*} == "$3" && $line == *=* ]]; then found=${line#*=}; fi
    done <"$file"
  done
  printf '%s' "$found"
}
"""

SELECT = """\
# Links what matches a pattern (Perl's, at the start of the path) into a folder of its own.
pick() {
  local from=$1 to=$2 pattern=$3 path
  mkdir -p "$to"
  (cd "$from" && find . -type f -printf '%P\\n') | grep -P -- "^(?:$pattern)" | while IFS= read -r path; do
    mkdir -p "$to/$(dirname -- "$path")"
    cp -p -- "$from/$path" "$to/$path"
  done
  return 0
}
"""

TRANSFER = """\
# Copies objects from or to a store with its own tool.
fetch() {
  mkdir -p "$2"
  case $1 in
    s3://*) aws s3 cp --recursive "$1" "$2" || aws s3 cp "$1" "$2/" ;;
    gs://*) gcloud storage cp --recursive "$1" "$2" ;;
    azure://* | https://*.blob.core.windows.net/*) azcopy copy "$1" "$2" --recursive ;;
    http://* | https://*) (cd "$2" && curl --fail --silent --show-error --location --remote-name "$1") ;;
    file://*) cp -R -- "${1#file://}" "$2/" ;;
    *) echo "no tool is known that copies from $1" >&2; return 1 ;;
  esac
}
send() {
  case $2 in
    s3://*) aws s3 cp --recursive "$1" "$2" ;;
    gs://*) gcloud storage cp --recursive "$1/*" "$2" ;;
    azure://* | https://*.blob.core.windows.net/*) azcopy copy "$1/*" "$2" --recursive ;;
    file://*) mkdir -p -- "${2#file://}" && cp -R -- "$1/." "${2#file://}" ;;
    *) echo "no tool is known that copies to $2" >&2; return 1 ;;
  esac
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
