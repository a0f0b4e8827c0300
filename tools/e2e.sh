#!/bin/bash
# e2e.sh [GTEST-OPTION...]: the real-cluster suite, for example e2e.sh --gtest_filter='Restore*'.
# Starts the local cluster, and stops it again unless it was up before. With E2E_KUBECONFIG set it
# uses that cluster instead, which must be able to pull $E2E_IMAGE. Without options the
# contract suite (tools/contract.sh) is asked of the local cluster as well.
#
#   E2E_TIMEOUT   how long the suite may take (40m)
#
# The suite is told, by environment: E2E_KUBECONFIG, E2E_CONTROLLER (the program), E2E_IMAGE,
# E2E_CLUSTER_STATE (empty on a foreign cluster).
set -euo pipefail
cd "$(dirname "$0")/.."
state=${STILLPOINT_CLUSTER_STATE:-/tmp/stillpoint-cluster}
E2E_IMAGE=${E2E_IMAGE:-$(sed -n 's/^ *image: //p' deploy/base/controller/deployment.yaml)}
export E2E_IMAGE
export E2E_CONTROLLER=$PWD/build/release/stillpoint E2E_CLUSTER_STATE=
results=$PWD/build/test-results/e2e.xml
mkdir -p "${results%/*}"
rm -f "$results"

leave() {
  local status=$?
  # The cluster's own words go with it, so keep them if something went wrong.
  if ((status != 0)) && [[ -d $state/log ]]; then
    rm -rf build/e2e-log && cp -r "$state/log" build/e2e-log
    echo "e2e: the cluster's logs are in build/e2e-log"
  fi
  e2e/cluster/down.sh
}
suite=
interrupted() {
  [[ ! $suite ]] || kill "$suite" 2>/dev/null || true # timeout passes it on to all that it started
  exit 130
}
trap interrupted INT TERM

tools/build.sh release stillpoint e2e_test contract_test

if [[ ! ${E2E_KUBECONFIG:-} ]]; then
  tools/image.sh "$E2E_IMAGE"
  [[ -e $state/is-up ]] || trap leave EXIT
  e2e/cluster/up.sh
  e2e/cluster/import.sh build/image/stillpoint.tar "$E2E_IMAGE"
  export E2E_KUBECONFIG=$state/admin.kubeconfig E2E_CLUSTER_STATE=$state
  export PATH=$state/bin:$PATH
fi

status=0
KUBECONFIG=$E2E_KUBECONFIG e2e/admission_test.sh "${results%/*}/e2e-admission.xml" || status=$?

# A program that dies leaves no result file, which tools/count_tests.py counts as a failure.
timeout --kill-after=30 "${E2E_TIMEOUT:-40m}" build/release/e2e_test \
  --gtest_output="xml:$results" "$@" &
suite=$!
code=0
wait "$suite" || code=$?
((code == 0)) || status=$code
((code != 124)) || echo "e2e: stopped after ${E2E_TIMEOUT:-40m}"
# A right that the controller asked for and never had is missing in deploy/. A run of some tests may
# have no controller in the cluster that could ask.
if [[ $E2E_CLUSTER_STATE ]]; then
  KUBECONFIG=$E2E_KUBECONFIG e2e/rbac_used.sh || (($# > 0)) || status=1
fi
if [[ $E2E_CLUSTER_STATE ]] && (($# == 0)); then
  CONTRACT_RESULTS=${results%/*}/e2e- CONTRACT_PROGRAM=build/release/contract_test \
    tools/contract.sh "$E2E_KUBECONFIG" &
  suite=$!
  wait "$suite" || status=$?
fi
tools/count_tests.py "$results" || true
exit "$status"
