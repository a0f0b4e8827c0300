#!/bin/bash
# sim_test.sh: the simulator's part of `make test`: the runs that are kept, every single fault in
# small scenarios, and for a minute seeds that nobody has seen. They come from the contents of the
# last commit, so that a red run can be run again; SIM_SEED takes others.
# Leaves build/test-results/sim*.xml.
set -euo pipefail
cd "$(dirname "$0")/.."
results=$PWD/build/test-results
mkdir -p "$results"
tools/build.sh release stillpoint-sim
sim=build/release/stillpoint-sim
status=0

"$sim" --corpus sim/corpus --junit "$results/sim-corpus.xml" || status=1
"$sim" --exhaust single --junit "$results/sim-single.xml" || status=1
if [[ ${SIM_SEED:-} ]]; then
  first=(--seed "$SIM_SEED")
elif contents=$(git rev-parse --verify --quiet 'HEAD^{tree}'); then
  first=(--commit "$contents")
else
  first=(--seed 32000000)
fi
echo "seeds for 60 s: ${first[*]}"
"$sim" "${first[@]}" --time 60s --junit "$results/sim-seeds.xml" || status=1
exit "$status"
