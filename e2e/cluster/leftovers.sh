#!/bin/bash
# leftovers.sh [STATE_DIR]: lists what a cluster left behind on this machine. Exit status 1 if there is
# anything, so also while one is up.
set -uo pipefail
[[ ${1:-} ]] && export STILLPOINT_CLUSTER_STATE=$1
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

need_root
found=0
report() { # KIND, one per line on standard input
  local line
  while read -r line; do
    echo "$1: $line"
    found=1
  done
}

report "process" < <(for pid in $(processes_of_state); do ps -o pid=,args= -p "$pid" | cut -c1-120; done)
report "mount" < <(mounts_of_state)
report "loop device" < <(losetup -l -n -O NAME,BACK-FILE | grep -F "$state/")
report "network namespace" < <(find "$state/containerd/state" -path '*/netns/*' 2>/dev/null)
report "link" < <(ip -o link show "$link" 2>/dev/null | cut -c1-80)
report "link" < <(ip -o -4 address | grep -F "$node_ip/" | grep -v " $link ")
report "cgroup" < <(cgroups_of_pods | sed 's|.*/k8s.io/||' | sort -u)
report "process of a pod" < <(for dir in $(cgroups_of_pods); do cat "$dir/cgroup.procs"; done 2>/dev/null |
  sort -un | xargs -r ps -o pid=,args= -p)
for family in iptables ip6tables; do
  report "$family" < <(kube_chains "$family" | grep '^:')
done
report "shim socket" < <(find /run/containerd/s -type s 2>/dev/null)
report "pod address" < <(find /var/lib/cni/results -type f 2>/dev/null)
report "socket" < <(find /var/lib/kubelet/device-plugins -type s 2>/dev/null)
report "log link" < <(find /var/log/containers -lname "$state/*" 2>/dev/null)
report "folder" < <([[ ! -e $state ]] || echo "$state")
exit "$found"
