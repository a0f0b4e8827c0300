#!/bin/bash
# sim_test.sh: the simulator's part of `make test`: the runs that are kept, every single fault in
# small scenarios, and as many seeds as a minute allows. Most seeds are the same each time (SIM_SEED
# takes others). Some come from the contents of the last commit: nobody has seen them, and a red run
# can still be run again. Many that nobody has seen are the matter of `make sim`.
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
seed=${SIM_SEED:-32000000}
echo "up to 12000 seeds from $seed on, for 60 s"
"$sim" --runs 12000 --seed "$seed" --time 60s --junit "$results/sim-seeds.xml" || status=1
if contents=$(git rev-parse --verify --quiet 'HEAD^{tree}'); then
  echo "1500 seeds of the contents $contents"
  "$sim" --runs 1500 --commit "$contents" --junit "$results/sim-fresh.xml" || status=1
fi
exit "$status"
