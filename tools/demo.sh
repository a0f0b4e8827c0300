#!/bin/bash
# demo.sh: the main job, in front of you. On the embedded cluster (no root, no Kubernetes), or with
# CLUSTER=real on a real one on this machine. APP: demo/pocket.sh.
set -euo pipefail
case ${CLUSTER:-pocket} in
  pocket | real) exec "$(dirname "$0")/demo/${CLUSTER:-pocket}.sh" ;;
  *)
    echo "demo: CLUSTER is pocket (the default) or real, not \"$CLUSTER\"" >&2
    exit 2
    ;;
esac
