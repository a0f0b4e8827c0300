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
# Which of the processes that name the state directory did up.sh start, itself or through another?
is_ours() { # PID
  local name argv
  mapfile -d '' -t argv 2>/dev/null <"/proc/$1/cmdline" || return 1
  name=$(readlink "/proc/$1/exe") || return 1 # a zombie
  name=${name% (deleted)}
  case ${name##*/} in
    etcd | kube-apiserver | kube-controller-manager | kube-scheduler | kube-proxy | kubelet) ;;
    containerd | containerd-shim-runc-v2 | runc | btrfs-csi) ;;
    csi-provisioner | csi-snapshotter | snapshot-controller) ;;
    bash) [[ ${argv[1]-} == */service.sh && ${argv[2]-} == supervise ]] ;;
    *) return 1 ;;
  esac
}
ours() {
  local pid
  for pid in $(processes_of_state); do
    if is_ours "$pid"; then echo "$pid"; fi
  done
}

# Also when somebody has deleted the folder, or a part of it.
if [[ ! -e $state/.stillpoint-cluster && $(link_owner) != "$state" && ! $(ours) ]]; then
  [[ ! -e $state ]] || die "$state is not the folder of a cluster"
  say "none is up in $state"
  exit 0
fi

# What containerd knows of its pods and their containers, and forgets while it ends.
containers=$(find "$state/containerd/state/io.containerd.runtime.v2.task/k8s.io" \
  -mindepth 1 -maxdepth 1 -printf '%f\n' 2>/dev/null | paste -sd '|')
cgroups_of_this() { [[ ! $containers ]] || cgroups_of_pods | grep -E "/k8s.io/($containers)(/|$)"; }
pods() {
  local dir
  for dir in $(cgroups_of_this); do cat "$dir/cgroup.procs" 2>/dev/null; done
}

# Nothing needs to end in good order. All are stopped before any is killed, so that none of them sees
# another one go and acts on it: a supervisor would start it again.
kill_all() {
  local pids pid
  mapfile -t pids < <(ours)
  ((${#pids[@]})) && kill -STOP "${pids[@]}"
  for pid in "${pids[@]}"; do
    [[ $(cat "/proc/$pid/comm") != containerd-shim* ]] || pgrep -P "$pid"
  done | xargs -r kill -KILL
  pods | xargs -r kill -KILL
  ((${#pids[@]})) && kill -KILL "${pids[@]}"
} 2>/dev/null

nothing_runs() { [[ ! $(ours) && ! $(pods) ]]; }

unmount() {
  local mount
  for mount in $(mounts_of_state); do
    umount "$mount" 2>/dev/null || umount -l "$mount"
  done
  losetup -j "$state/btrfs.img" | cut -d: -f1 | xargs -r losetup -d
}

remove_network() {
  local family file sandbox
  [[ $(link_owner) != "$state" ]] || ip link delete "$link"
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
  local socket
  for socket in /run/containerd/s/*; do
    grep -qF " $socket" /proc/net/unix || rm -f "$socket"
  done
  rmdir -p --ignore-fail-on-non-empty /run/containerd/s 2>/dev/null
  find /var/log/containers -lname "$state/*" -delete 2>/dev/null
  rmdir /var/log/containers 2>/dev/null
  rm -f /var/lib/kubelet/device-plugins/kubelet.sock
  rmdir -p --ignore-fail-on-non-empty /var/lib/kubelet/device-plugins 2>/dev/null
  cgroups_of_pods | xargs -r rmdir --ignore-fail-on-non-empty
  find /sys/fs/cgroup -maxdepth 2 -type d -name k8s.io -exec rmdir --ignore-fail-on-non-empty {} +
  [[ ! -e $state/sysctl.before ]] || sysctl -qp "$state/sysctl.before"
}

for _ in 1 2 3; do
  kill_all
  wait_for 3 nothing_runs && break
done
remove_traces
unmount
remove_network
[[ ! $(mounts_of_state) ]] || die "something is still mounted below $state; nothing was deleted there"
rm -rf --one-file-system "$state"
say "down; $state is gone"
