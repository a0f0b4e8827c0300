#!/bin/bash
# ctest.sh PRESET NAME [CTEST-OPTION...]: runs the unit tests of one build, prints what failed and
# one line of counts, and leaves build/test-results/NAME.xml.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1 name=$2
shift 2
log=build/$preset/ctest.log
results=$PWD/build/test-results
mkdir -p "$results"

export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
if symbolizer=$(command -v llvm-symbolizer-19); then
  export ASAN_SYMBOLIZER_PATH=$symbolizer TSAN_SYMBOLIZER_PATH=$symbolizer
  UBSAN_OPTIONS+=:external_symbolizer_path=$symbolizer
  TSAN_OPTIONS+=:external_symbolizer_path=$symbolizer
fi
status=0
ctest --preset "$preset" -j "$(nproc)" --no-tests=error --timeout 120 \
  --output-junit "$results/$name.xml" "$@" >"$log" 2>&1 || status=$?
if ((status != 0)); then
  grep -vE '^ *Start +[0-9]+:|Passed +[0-9.]+ sec$' "$log" | tail -n 300
fi
if [[ -e $results/$name.xml ]]; then tools/count_tests.py "$results/$name.xml" || true; fi
exit "$status"
