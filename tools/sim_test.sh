#!/bin/bash
# sim_test.sh: the simulator's part of `make test`: the runs that are kept, and every single fault in
# ten small scenarios. Fresh seeds are the matter of `make sim`. Leaves build/test-results/sim*.xml.
set -euo pipefail
cd "$(dirname "$0")/.."
results=$PWD/build/test-results
mkdir -p "$results"
tools/build.sh release stillpoint-sim
sim=build/release/stillpoint-sim
status=0

"$sim" --corpus sim/corpus --junit "$results/sim-corpus.xml" || status=1
"$sim" --exhaust single --junit "$results/sim-single.xml" || status=1
exit "$status"
