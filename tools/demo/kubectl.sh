# kubectl.sh: finds a kubectl, for scripts that source it. Sets `kubectl`.
# shellcheck shell=bash
find_kubectl() {
  kubectl=$(command -v kubectl || true)
  [[ $kubectl ]] && return
  local built
  for built in "${STILLPOINT_CACHE:-$HOME/.cache/stillpoint}"/cluster/kubernetes-*/bin/kubectl; do
    [[ -x $built ]] && kubectl=$built && return
  done
  echo "There is no kubectl here. One file from https://kubernetes.io/docs/tasks/tools/ will do." >&2
  return 1
}
