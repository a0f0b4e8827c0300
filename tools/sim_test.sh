#!/bin/bash
# sim_test.sh [TIME]: the simulator's part of `make test`: the runs that are kept, every single fault
# in ten small scenarios, and TIME (60s) of seeds, the first one from the commit. Leaves
# build/test-results/sim*.xml.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-60s}
results=$PWD/build/test-results
mkdir -p "$results"
tools/build.sh release stillpoint-sim
sim=build/release/stillpoint-sim
status=0

"$sim" --corpus sim/corpus --junit "$results/sim-corpus.xml" || status=1
"$sim" --exhaust single --junit "$results/sim-single.xml" || status=1
commit=$(git rev-parse HEAD 2>/dev/null || echo 1)
"$sim" --time "$time" --commit "$commit" --junit "$results/sim-seeds.xml" || status=1
exit "$status"
