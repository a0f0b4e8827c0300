#!/bin/bash
# rbac_used.sh [AUDIT_LOG]: are the controller's rights in deploy/ enough, and the least? Compares
# them with what it asked of the API server as a Pod in the cluster, by the audit log. Prints what
# was refused whenever it was asked, and what was granted and never used since the log began. What
# was refused at one time and allowed at another is no missing right: an API server that has just
# started knows no roles yet and refuses everything. Exits 1 if anything was refused, or nothing was
# asked at all.
set -euo pipefail
log=${1:-${STILLPOINT_CLUSTER_STATE:-/tmp/stillpoint-cluster}/log/audit.log}
account=system:serviceaccount:stillpoint-system:stillpoint-controller
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# One line per request: its answer, and the right that it took (verb, group, resource).
jq -r --arg account "$account" '
  select(.user.username == $account and .objectRef.resource) |
  [.annotations["authorization.k8s.io/decision"] // "", .verb, .objectRef.apiGroup // "",
   .objectRef.resource + (if .objectRef.subresource then "/" + .objectRef.subresource else "" end)] |
  join(" ")' "$log" | LC_ALL=C sort -u >"$work/asked"
# A websocket exec is logged as get, and takes create as well.
sed -n '/^forbid /d; s/^[^ ]* //p; s|^get \( pods/exec\)$|create \1|p' "$work/asked" |
  LC_ALL=C sort -u >"$work/used"
sed -n 's/^forbid //p' "$work/asked" | LC_ALL=C sort -u | LC_ALL=C comm -23 - "$work/used" \
  >"$work/refused"

{
  kubectl get clusterrole stillpoint-controller stillpoint-controller-cluster -o json
  kubectl -n stillpoint-system get role stillpoint-leader-election -o json
} | jq -r '
  (.items // [.])[].rules[] | .verbs[] as $verb | .apiGroups[] as $group | .resources[] |
  [$verb, $group, .] | join(" ")' | LC_ALL=C sort -u >"$work/granted"

echo "rbac: $(wc -l <"$work/used") rights used, $(wc -l <"$work/granted") granted"
comm -13 "$work/used" "$work/granted" | sed 's/^/rbac: never used: /'
sed 's/^/rbac: REFUSED: /' "$work/refused"
[[ -s $work/used && ! -s $work/refused ]]
