# shellcheck shell=bash
# What the scripts of this folder share. Sourced, never run.

# shellcheck disable=SC2034 # used by the scripts that source this file
{
  here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  cache=${STILLPOINT_CACHE:-$HOME/.cache/stillpoint}/cluster
  state=$(realpath -m "${STILLPOINT_CLUSTER_STATE:-/tmp/stillpoint-cluster}")
  export STILLPOINT_CLUSTER_STATE=$state

  node=n1
  link=stillpoint0     # carries the node's address; its alias is the state directory that owns it
  node_ip=10.244.0.1   # pods get the rest of 10.244.0.0/24
  service_net=10.96.0.0/16
  tools_image=docker.io/local/tools:1
}

say() { echo "cluster: $*"; }
die() {
  echo "cluster: $*" >&2
  exit 1
}

need_root() { [[ $EUID -eq 0 ]] || die "this needs root"; }

# Only one of the scripts that start, stop or build runs at a time.
lock() {
  exec 9<"$here"
  flock -n 9 || {
    say "waiting for another run of these scripts"
    flock 9
  }
}

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for() {
  local until=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < until)) || return 1
    sleep 0.2
  done
}

# hash_of PATH|@TEXT...: one short name for the contents of all these files and folders.
hash_of() {
  local input
  for input in "$@"; do
    case $input in
      @*) echo "$input" ;;
      *) (cd "$here" && find "$input" -type f -print0 | sort -z | xargs -0 sha256sum) ;;
    esac
  done | sha256sum | cut -c1-12
}

# Is the process with this ID still the one that was started with these arguments?
runs() { # PID_FILE ARGV_FILE
  local pid
  pid=$(cat "$1" 2>/dev/null) && [[ $pid ]] || return 1
  # Through a pipe: cmp believes the size that a file of /proc does not have.
  cat 2>/dev/null <"/proc/$pid/cmdline" | cmp -s - "$2"
}

# Processes whose command line names the state directory, except the caller and its parents.
processes_of_state() {
  local dir pid self=" $$ $PPID $BASHPID "
  for dir in /proc/[0-9]*; do
    pid=${dir#/proc/}
    [[ $self == *" $pid "* ]] && continue
    [[ $(tr "\0" "\n" 2>/dev/null <"$dir/cmdline") == *"$state/"* ]] && echo "$pid"
  done
  return 0
}

# The state directory of the cluster that is on this machine.
link_owner() { cat "/sys/class/net/$link/ifalias" 2>/dev/null || true; }

# Pods are below k8s.io as the kubelet makes no cgroups for them (cgroupsPerQOS in up.sh).
cgroups_of_pods() { find /sys/fs/cgroup -depth -type d -path '*/k8s.io/*' 2>/dev/null; }

mounts_of_state() { awk -v s="$state/" 'index($5, s) == 1 {print $5}' /proc/self/mountinfo | sort -r; }

# The chains of kube-proxy and the kubelet, if there are any.
kube_chains() { # iptables|ip6tables
  command -v "$1-save" >/dev/null && "$1-save" 2>/dev/null | grep -- 'KUBE-'
}
