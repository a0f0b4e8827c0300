#!/bin/bash
# test.sh: the phases of `make test`, each with its time. Goes on after a failed phase, so that one
# run tells everything. Closes with `N passed, N failed` over all test programs, where a failed phase
# that has no test cases (a build, lint) counts as one. The same line is left in
# build/test-results/summary for .ci/run.
set -euo pipefail
cd "$(dirname "$0")/.."
results=$PWD/build/test-results
rm -rf "$results"
mkdir -p "$results"
failed_phases=()
uncounted=0  # failed phases whose failure no test case shows

phase() { # key (its test results, if any: build/test-results/KEY*.xml), name, command...
  local key=$1 name=$2 start=$SECONDS files
  shift 2
  echo "== $name"
  if "$@"; then
    echo "== $name: ok in $((SECONDS - start)) s"
    return
  fi
  echo "== $name: FAILED after $((SECONDS - start)) s"
  failed_phases+=("$name")
  files=("$results/$key"*.xml)
  if [[ ! -e ${files[0]} ]] || tools/count_tests.py "${files[@]}" &>/dev/null; then
    uncounted=$((uncounted + 1))
  fi
  return 1
}

summarize() {
  local line failed files=("$results"/*.xml)
  [[ -e ${files[0]} ]] || files=()
  line=$(tools/count_tests.py "${files[@]}" || true)
  failed=$(sed -E 's/.* ([0-9]+) failed.*/\1/' <<<"$line")
  failed=$((failed + uncounted))
  ((${#failed_phases[@]} == 0)) || echo "failed: $(printf '%s; ' "${failed_phases[@]}")"
  sed -E "s/ [0-9]+ failed/ $failed failed/" <<<"$line" | tee "$results/summary"
  ((failed == 0))
}

if phase build "debug build (ASan, UBSan)" tools/build.sh debug; then
  phase unit "unit tests" tools/ctest.sh debug unit || true
fi
phase sim "simulator (corpus, every single fault)" tools/sim_test.sh || true
phase pocket "embedded cluster (contract suite)" \
  env CONTRACT_RESULTS="$results/pocket-" tools/contract.sh --pocket || true
phase lint "lint" tools/lint.sh || true
if [[ ${CI:-} == true ]]; then
  phase tsan "exec thread (TSan)" tools/tsan.sh || true
  phase e2e "real cluster" tools/e2e.sh || true
  # After it, as the program and kubectl are there then.
  phase kubectl "embedded cluster (kubectl)" tools/pocket_test.sh || true
fi
summarize
