#!/bin/bash
# contract.sh [KUBECONFIG]: what the product relies on in the Kubernetes API, asked of that server.
# Without a KUBECONFIG: of the local test cluster (e2e/cluster), which must be up. Every suite of the
# program runs by itself, several at once, as they mostly wait.
#
#   CONTRACT_IMAGE, CONTRACT_STORAGE_CLASS, CONTRACT_SNAPSHOT_CLASS   see contract/support/settings.h
#   CONTRACT_PROGRAM   the program (built, when not given)
#   CONTRACT_JOBS      how many suites at once (6)
#   CONTRACT_SUITES    which of them, as a regular expression ('.')
#   CONTRACT_TIMEOUT   for each suite (10m)
set -euo pipefail
cd "$(dirname "$0")/.."
state=${STILLPOINT_CLUSTER_STATE:-/tmp/stillpoint-cluster}
CONTRACT_KUBECONFIG=$(realpath "${1:-${CONTRACT_KUBECONFIG:-$state/admin.kubeconfig}}")
[[ -r $CONTRACT_KUBECONFIG ]] || {
  echo "contract: there is no $CONTRACT_KUBECONFIG: name one, or run \`make cluster\`" >&2
  exit 2
}
export CONTRACT_KUBECONFIG
program=${CONTRACT_PROGRAM:-build/release/contract_test}
[[ ${CONTRACT_PROGRAM:-} ]] || tools/build.sh release contract_test
export PATH=$state/bin:$PATH

if command -v kubectl >/dev/null; then
  kubectl --kubeconfig "$CONTRACT_KUBECONFIG" apply -f deploy/crd/stillpoint.yaml >/dev/null
fi

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
run_suite() { # SUITE
  local started=$SECONDS code=0
  timeout "${CONTRACT_TIMEOUT:-10m}" "$program" --gtest_filter="$1.*" --gtest_brief=1 \
    --gtest_color=no >"$results/$1" 2>&1 || code=$?
  if ((code == 0)); then
    printf 'ok    %-15s %3d tests %4d s\n' "$1" \
      "$(sed -n 's/^\[==========\] \([0-9]*\) tests\? from.*ran.*/\1/p' "$results/$1")" \
      $((SECONDS - started))
  else
    printf 'WRONG %-15s exit %d after %d s\n' "$1" "$code" $((SECONDS - started))
    grep -v '^Running main' "$results/$1"
  fi
  return "$code"
}
export -f run_suite
export program results

# Those with pods first: they take the longest.
mapfile -t suites < <("$program" --gtest_list_tests | sed -n 's/^\([A-Za-z]*\)\.$/\1/p' |
  grep -E "${CONTRACT_SUITES:-.}" | awk '{print ($0 ~ /Snapshot|Rollout|Volume|Exec/) ? 0 : 1, $0}' |
  sort -s -n -k 1,1 | cut -d' ' -f2)
status=0
printf '%s\n' "${suites[@]}" |
  xargs -P "${CONTRACT_JOBS:-6}" -I{} bash -c 'run_suite {} || exit 1' || status=1
echo "contract: ${#suites[@]} suites in $SECONDS s: $( ((status == 0)) && echo "all as expected" || echo "NOT as expected")"
exit "$status"
