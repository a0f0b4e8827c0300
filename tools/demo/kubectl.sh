# kubectl.sh: finds a kubectl, for scripts that source it; builds one when there is none. Sets
# `kubectl`.
# shellcheck shell=bash
find_kubectl() {
  local cache=${STILLPOINT_CACHE:-$HOME/.cache/stillpoint} built
  kubectl=$(command -v kubectl || true)
  [[ $kubectl ]] && return
  for built in "$cache"/cluster/kubernetes-*/bin/kubectl "$cache"/kubectl/kubectl; do
    [[ -x $built ]] && kubectl=$built && return
  done
  # Debian 12's own is of 1.20, which cannot exec over a websocket nor wait for a JSONPath.
  if ! command -v go >/dev/null; then
    echo "There is no kubectl here, and no Go to build one with. One file from" \
      "https://kubernetes.io/docs/tasks/tools/ in your PATH will do." >&2
    return 1
  fi
  echo "There is no kubectl here: building one, which takes some minutes, once."
  (cd e2e/cluster/modules/kubernetes && CGO_ENABLED=0 GOWORK=off GOFLAGS="-mod=readonly -trimpath" \
    GOBIN=$cache/kubectl go install -ldflags "-s -w" k8s.io/kubernetes/cmd/kubectl) || return
  kubectl=$cache/kubectl/kubectl
}
