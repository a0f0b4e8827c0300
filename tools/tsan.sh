#!/bin/bash
# tsan.sh: what runs beside the event loop's thread (kube's exec client) under the thread sanitizer.
set -euo pipefail
cd "$(dirname "$0")/.."
tools/build.sh tsan kube_test
mkdir -p build/test-results
ctest --preset tsan -R '^kube\..*(Exec|Lws)' --no-tests=error -j "$(nproc)" --quiet \
  --output-junit "$PWD/build/test-results/tsan.xml" --output-log build/tsan/test.log || {
  tail -n 60 build/tsan/test.log >&2
  exit 1
}
python3 tools/count_tests.py build/test-results/tsan.xml
