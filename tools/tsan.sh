#!/bin/bash
# tsan.sh: the tests of the one thread beside the event loop's, kube's exec client, under the thread
# sanitizer.
set -euo pipefail
cd "$(dirname "$0")/.."
tools/build.sh tsan kube_test
exec tools/ctest.sh tsan tsan -R '^kube\..*(Exec|Lws)'
