#!/usr/bin/env bash
# Installs Slurm and shellcheck if they are missing, starts a Slurm of four pretended nodes on this machine, and prints
# the line that makes it known: eval "$(tests/slurm/install.sh)". With --stop it ends what it started.
# Everything lives below $PWXC_SLURM_HOME (default /tmp/pwxc-test-slurm). Debian and Ubuntu only; root or sudo.
set -euo pipefail

home=${PWXC_SLURM_HOME:-/tmp/pwxc-test-slurm}
port=${PWXC_SLURM_PORT:-27817}
nodes=4
PATH=$PATH:/usr/sbin:/sbin

say() { printf 'install.sh: %s\n' "$*" >&2; }

stop() {
  local file pid
  for file in "$home"/run/*.pid; do
    [[ -s $file ]] || continue
    pid=$(tr -dc 0-9 <"$file")
    if [[ $(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null || :) == *"$home"* ]]; then kill "$pid"; fi
  done
}

packages() {
  local need=() sudo=()
  command -v munged >/dev/null || need+=(munge)
  command -v slurmctld >/dev/null || need+=(slurmctld)
  command -v slurmd >/dev/null || need+=(slurmd)
  command -v sbatch >/dev/null || need+=(slurm-client)
  command -v shellcheck >/dev/null || need+=(shellcheck)
  ((${#need[@]})) || return 0
  ((EUID == 0)) || sudo=(sudo -n)
  say "installing ${need[*]}"
  "${sudo[@]}" apt-get -qq update >&2
  # a policy that refuses keeps the packages from starting daemons of the system
  printf '#!/bin/sh\nexit 101\n' | "${sudo[@]}" tee /usr/sbin/policy-rc.d >/dev/null
  "${sudo[@]}" chmod 755 /usr/sbin/policy-rc.d
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${need[@]}" >&2
  "${sudo[@]}" rm -f /usr/sbin/policy-rc.d
}

configure() {
  local host user number
  host=$(hostname -s) user=$(id -un)
  mkdir -p "$home"/{etc,run,log,spool/ctld}
  chmod 755 "$home" "$home"/{etc,run,log}
  dd if=/dev/urandom of="$home/etc/munge.key" bs=128 count=1 status=none
  chmod 600 "$home/etc/munge.key"
  cat >"$home/etc/slurm.conf" <<CONF
ClusterName=pwxctest
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
AuthInfo=socket=$home/run/munge.socket,cred_expire=10
CredType=cred/munge
StateSaveLocation=$home/spool/ctld
SlurmdSpoolDir=$home/spool/%n
SlurmctldPidFile=$home/run/slurmctld.pid
SlurmdPidFile=$home/run/slurmd.%n.pid
SlurmctldLogFile=$home/log/slurmctld.log
SlurmdLogFile=$home/log/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SwitchType=switch/none
MpiDefault=none
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=100
ReturnToService=2
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1,bf_continue,default_queue_depth=2000
PriorityType=priority/basic
KillWait=3
CompleteWait=0
MinJobAge=3600
MaxArraySize=10001
MaxJobCount=20000
JobRequeue=1
CONF
  for ((number = 1; number <= nodes; number++)); do
    printf 'NodeName=n%d NodeHostname=%s NodeAddr=127.0.0.1 Port=%d CPUs=64 RealMemory=512000 TmpDisk=1000000\n' \
      "$number" "$host" $((port + number)) >>"$home/etc/slurm.conf"
  done
  printf 'PartitionName=debug Nodes=n[1-%d] Default=YES MaxTime=INFINITE State=UP\n' "$nodes" >>"$home/etc/slurm.conf"
}

start() {
  local number tries
  mkdir -p "$home/spool/munge"
  munged --force --key-file="$home/etc/munge.key" --socket="$home/run/munge.socket" --pid-file="$home/run/munged.pid" \
    --log-file="$home/log/munged.log" --seed-file="$home/spool/munge/seed" >&2
  slurmctld -c -f "$home/etc/slurm.conf" >&2
  for ((number = 1; number <= nodes; number++)); do
    mkdir -p "$home/spool/n$number"
    slurmd -f "$home/etc/slurm.conf" -N "n$number" >&2
  done
  for ((tries = 0; tries < 120; tries++)); do
    if [[ $(SLURM_CONF=$home/etc/slurm.conf sinfo -h -N -o '%T' 2>/dev/null | grep -c idle) == "$nodes" ]]; then return; fi
    sleep 0.5
  done
  say "the nodes did not come up; see $home/log"
  return 1
}

if [[ ${1-} == --stop ]]; then stop; exit 0; fi
packages
if ! SLURM_CONF=$home/etc/slurm.conf scontrol ping 2>/dev/null | grep -q 'is UP'; then
  stop
  configure
  start
fi
printf 'export SLURM_CONF=%q\n' "$home/etc/slurm.conf"
