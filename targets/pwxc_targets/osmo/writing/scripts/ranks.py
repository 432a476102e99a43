"""The program that starts the copies of a command as `srun` does (slurm.md §14)."""

from __future__ import annotations

RANKS_FILE = "/tmp/pwxc/ranks.sh"
RANKS = """\
# Starts copies of a command beside each other, each with the number of its rank, and waits for all of them. Ends with
# the highest status, as srun does. The first argument is how many copies run here; PWXC_NODE, PWXC_FIRST and
# PWXC_RANKS say which part of a larger whole they are. With PWXC_MPI an MPI of the image starts them, if there is one.
pwxc_count=$1
shift
if [ -n "${PWXC_MPI-}" ] && command -v mpirun > /dev/null; then
  export SLURM_NTASKS="$pwxc_count" SLURM_NPROCS="$pwxc_count" SLURM_STEP_NUM_TASKS="$pwxc_count" SLURM_NODEID=0
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  # shellcheck disable=SC2016 # each rank sees its own number
  exec mpirun -n "$pwxc_count" sh -c 'SLURM_PROCID=${OMPI_COMM_WORLD_RANK:-${PMI_RANK:-0}}
    SLURM_LOCALID=${OMPI_COMM_WORLD_LOCAL_RANK:-${MPI_LOCALRANKID:-$SLURM_PROCID}}
    export SLURM_PROCID SLURM_LOCALID
    exec "$@"' sh "$@"
fi
pwxc_node=${PWXC_NODE:-0} pwxc_first=${PWXC_FIRST:-0} pwxc_all=${PWXC_RANKS:-$pwxc_count}
pwxc_input=/dev/null pwxc_local=0 pwxc_pids='' pwxc_status=0
if [ -n "${PWXC_INPUT-}" ]; then
  pwxc_input=$(mktemp)
  cat > "$pwxc_input"
fi
while [ "$pwxc_local" -lt "$pwxc_count" ]; do
  if [ -n "${PWXC_GPUS-}" ]; then
    CUDA_VISIBLE_DEVICES=$(seq -s , "$((pwxc_local * PWXC_GPUS))" "$((pwxc_local * PWXC_GPUS + PWXC_GPUS - 1))")
    export CUDA_VISIBLE_DEVICES="${CUDA_VISIBLE_DEVICES%,}"
  fi
  SLURM_PROCID=$((pwxc_first + pwxc_local)) SLURM_LOCALID=$pwxc_local SLURM_NODEID=$pwxc_node \\
    SLURM_NTASKS=$pwxc_all SLURM_NPROCS=$pwxc_all SLURM_STEP_NUM_TASKS=$pwxc_all "$@" < "$pwxc_input" &
  pwxc_pids="$pwxc_pids $!"
  pwxc_local=$((pwxc_local + 1))
done
for pwxc_signal in HUP INT QUIT USR1 USR2 TERM CONT; do
  # shellcheck disable=SC2064 # the signal and the processes are known now
  trap "kill -s $pwxc_signal$pwxc_pids 2> /dev/null" "$pwxc_signal"
done
for pwxc_pid in $pwxc_pids; do
  pwxc_code=0
  wait "$pwxc_pid" || pwxc_code=$?
  while [ "$pwxc_code" -gt 128 ] && kill -0 "$pwxc_pid" 2> /dev/null; do
    pwxc_code=0
    wait "$pwxc_pid" || pwxc_code=$?
  done
  if [ "$pwxc_code" -gt "$pwxc_status" ]; then pwxc_status=$pwxc_code; fi
done
if [ "$pwxc_input" != /dev/null ]; then rm -f "$pwxc_input"; fi
exit "$pwxc_status"
"""
