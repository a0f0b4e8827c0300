#!/bin/bash
# down.sh [STATE_DIR]: ends the cluster that up.sh started there, and removes all that belongs to it.
# Works also on one that was left half up. Its data is lost.
set -uo pipefail # not -e: what can be cleared is cleared
locked=
[[ ${1:-} == --locked ]] && locked=1 && shift # up.sh holds the lock
[[ ${1:-} ]] && export STILLPOINT_CLUSTER_STATE=$1
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

need_root
[[ $locked ]] || lock
if [[ ! -d $state ]]; then
  say "none is up in $state"
  exit 0
fi
[[ -e $state/.stillpoint-cluster ]] || die "$state is not the folder of a cluster"

# What containerd knows of its pods and containers, and forgets while it ends.
tasks=$state/containerd/state/io.containerd.runtime.v2.task/k8s.io
containers=() sockets=()
for task in "$tasks"/*/; do
  [[ -d $task ]] || continue
  containers+=("$(basename "$task")")
  [[ ! -e $task/address ]] || sockets+=("$(sed 's|^unix://||' "$task/address")")
done

# Supervisors first, or they would start again what ends. Nothing needs to end in good order.
kill_services() {
  local dir pid
  for dir in "$state"/service/*/; do
    runs "$dir/supervisor.pid" "$dir/supervisor.argv" && kill -KILL "$(cat "$dir/supervisor.pid")"
  done
  # The services themselves, and containerd's shims: each names the state directory in its arguments
  # and was started by us, or by what we started.
  for pid in $(processes_of_state); do
    is_ours "$pid" && kill -KILL "$pid"
  done
}

is_ours() {
  local program
  program=$(readlink "/proc/$1/exe") || return 1
  program=${program% (deleted)}
  [[ $program == */containerd-shim-runc-v2 || $program == */runc ]] && return
  local argv
  for argv in "$state"/service/*/argv; do
    [[ $program == "$(head -zn 1 "$argv" | tr -d '\0')" ]] && return
  done
  return 1
}

cgroups_of_this() {
  local ids
  ids=$(IFS='|' && echo "${containers[*]}")
  [[ ! $ids ]] || cgroups_of_pods | grep -E "/k8s.io/($ids)(/|$)"
}

kill_pods() {
  local dir
  for dir in $(cgroups_of_this); do
    xargs -r kill -KILL <"$dir/cgroup.procs"
  done
} 2>/dev/null

nothing_runs() { ! running; }
running() {
  local pid dir
  for pid in $(processes_of_state); do is_ours "$pid" && return; done
  for dir in $(cgroups_of_this); do [[ $(cat "$dir/cgroup.procs") ]] && return; done
  return 1
}

unmount() {
  local mount
  for mount in $(mounts_of_state); do
    umount "$mount" 2>/dev/null || umount -l "$mount"
  done
  losetup -j "$state/btrfs.img" | cut -d: -f1 | xargs -r losetup -d
}

remove_network() {
  local family file sandbox
  [[ $(cat "/sys/class/net/$link/ifalias" 2>/dev/null) != "$state" ]] || ip link delete "$link"
  for family in iptables ip6tables; do
    kube_chains "$family" >/dev/null || continue
    "$family-save" | grep -v -- KUBE- | "$family-restore"
  done
  for file in /var/lib/cni/results/stillpoint-*-eth0; do
    sandbox=${file#*/stillpoint-}
    rm -f "$file" "/var/lib/cni/results/cni-loopback-${sandbox%-eth0}-lo"
  done
  rmdir -p --ignore-fail-on-non-empty /var/lib/cni/results 2>/dev/null
}

# What containerd and the kubelet keep at fixed places.
remove_traces() {
  local dir
  ((${#sockets[@]})) && rm -f "${sockets[@]}"
  rmdir -p --ignore-fail-on-non-empty /run/containerd/s 2>/dev/null
  find /var/log/containers -lname "$state/*" -delete 2>/dev/null
  rmdir /var/log/containers 2>/dev/null
  rm -f /var/lib/kubelet/device-plugins/kubelet.sock
  rmdir -p --ignore-fail-on-non-empty /var/lib/kubelet/device-plugins 2>/dev/null
  for dir in $(cgroups_of_this); do rmdir "$dir"; done
  find /sys/fs/cgroup -maxdepth 2 -type d -name k8s.io -exec rmdir --ignore-fail-on-non-empty {} +
  sysctl -qp "$state/sysctl.before"
}

for _ in 1 2 3; do
  kill_services
  kill_pods
  wait_for 3 nothing_runs && break
done
remove_traces
unmount
remove_network
[[ ! $(mounts_of_state) ]] || die "something is still mounted below $state; nothing was deleted there"
rm -rf --one-file-system "$state"
say "down; $state is gone"
