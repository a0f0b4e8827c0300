#!/bin/bash
# e2e.sh [GTEST-OPTION...]: the real-cluster suite, for example e2e.sh --gtest_filter='Restore*'.
# Starts the local cluster, and stops it again unless it was up before. With E2E_KUBECONFIG set it
# uses that cluster instead, which must be able to pull $E2E_IMAGE.
#
#   E2E_TIMEOUT   how long the suite may take (40m)
#
# The suite is told, by environment: E2E_KUBECONFIG, E2E_CONTROLLER (the program), E2E_IMAGE,
# E2E_DEPLOY (the folder with the manifests), E2E_CLUSTER_STATE (empty on a foreign cluster).
set -euo pipefail
cd "$(dirname "$0")/.."
state=${STILLPOINT_CLUSTER_STATE:-/tmp/stillpoint-cluster}
export E2E_IMAGE=${E2E_IMAGE:-docker.io/library/stillpoint:test}
export E2E_CONTROLLER=$PWD/build/release/stillpoint E2E_DEPLOY=$PWD/deploy E2E_CLUSTER_STATE=
results=$PWD/build/test-results/e2e.xml
mkdir -p "${results%/*}"
rm -f "$results"

tools/build.sh release stillpoint e2e_test

if [[ ! ${E2E_KUBECONFIG:-} ]]; then
  tools/image.sh "$E2E_IMAGE"
  if [[ ! -e $state/is-up ]]; then
    trap 'e2e/cluster/down.sh' EXIT
    trap 'exit 130' INT TERM
  fi
  e2e/cluster/up.sh
  e2e/cluster/import.sh build/image/stillpoint.tar "$E2E_IMAGE"
  export E2E_KUBECONFIG=$state/admin.kubeconfig E2E_CLUSTER_STATE=$state
  export PATH=$state/bin:$PATH
fi

status=0
KUBECONFIG=$E2E_KUBECONFIG e2e/admission_test.sh "${results%/*}/e2e-admission.xml" || status=$?

# A program that dies leaves no result file, which tools/count_tests.py counts as a failure.
timeout --kill-after=30 "${E2E_TIMEOUT:-40m}" build/release/e2e_test \
  --gtest_output="xml:$results" "$@" || status=$?
((status != 124)) || echo "e2e: stopped after ${E2E_TIMEOUT:-40m}"
tools/count_tests.py "$results" || true
exit "$status"
