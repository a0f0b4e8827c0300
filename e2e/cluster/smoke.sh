#!/bin/bash
# smoke.sh: does the cluster that is up do what the end-to-end tests need? About a minute. It works in a
# namespace of its own, which it removes.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

[[ -e $state/is-up ]] || die "no cluster is up in $state"
ns=smoke-$$
export KUBECONFIG=$state/admin.kubeconfig
kubectl() { "$state/bin/kubectl" -n "$ns" "$@"; }
knob() { if [[ ${2:-} ]]; then echo "$2" >"$state/btrfs/$1"; else rm -f "$state/btrfs/$1"; fi; }

work=$(mktemp -d)
clean_up() {
  rm -rf "$work"
  rm -f "$state"/btrfs/{cut-delay,ready-delay,never-ready,fail-snapshot}
  "$state/bin/kubectl" delete namespace "$ns" --wait=false >/dev/null 2>&1 || true
}
trap clean_up EXIT

tests=0
check() { # WHAT COMMAND...
  local from=$EPOCHREALTIME took
  # In the background, as "set -e" is off in the condition of a ||.
  "${@:2}" >"$work/out" 2>&1 &
  wait $! || {
    cat "$work/out" >&2
    die "FAILED: $1"
  }
  took=$((${EPOCHREALTIME/./} - ${from/./}))
  printf 'ok %2d  %-58s %3d.%d s\n' $((++tests)) "$1" $((took / 1000000)) $((took % 1000000 / 100000))
}

apply() { kubectl apply -f - >/dev/null; }
claim() { # NAME CLASS MODE [SNAPSHOT]
  apply <<Y
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: $1, labels: {group: $1}}
spec:
  accessModes: [$3]
  storageClassName: $2
  resources: {requests: {storage: 64Mi}}
  ${4:+dataSource: {apiGroup: snapshot.storage.k8s.io, kind: VolumeSnapshot, name: $4\}}
Y
}
snapshot() { # NAME CLAIM
  apply <<Y
apiVersion: snapshot.storage.k8s.io/v1
kind: VolumeSnapshot
metadata: {name: $1}
spec: {volumeSnapshotClassName: btrfs, source: {persistentVolumeClaimName: $2}}
Y
}
deployment() { # NAME IMAGE REPLICAS CLAIM MOUNT_PATH
  apply <<Y
apiVersion: apps/v1
kind: Deployment
metadata: {name: $1}
spec:
  replicas: $3
  strategy: {type: Recreate}
  selector: {matchLabels: {app: $1}}
  template:
    metadata: {labels: {app: $1}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: main
        image: $2
        imagePullPolicy: Never
        volumeMounts: [{name: data, mountPath: $5}]
      volumes: [{name: data, persistentVolumeClaim: {claimName: $4}}]
Y
}
rolled_out() { kubectl rollout status --timeout=60s "deployment/$1"; }
field() { kubectl get "$1" "$2" -o "jsonpath={$3}"; }
is() { [[ $(field "$1" "$2" "$3") == "$4" ]]; }
sql() { kubectl exec "deployment/$1" -- mariadb -N -e "$2"; }

# --- databases, snapshots, restores ------------------------------------------------------------------

mariadb_runs() {
  claim data btrfs ReadWriteOnce
  deployment mariadb local/mariadb:1 1 data /var/lib/mysql
  rolled_out mariadb
  wait_for 30 sql mariadb "SELECT 1"
  sql mariadb "CREATE DATABASE app; CREATE TABLE app.t (x INT); INSERT INTO app.t VALUES (42)"
}
snapshot_is_ready() {
  snapshot one data
  wait_for 30 is volumesnapshot one .status.readyToUse true
}
restored_database_has_the_row() {
  sql mariadb "DELETE FROM app.t"
  claim restored btrfs ReadWriteOnce one
  deployment restored local/mariadb:1 1 restored /var/lib/mysql
  rolled_out restored
  wait_for 30 sql restored "SELECT 1"
  [[ $(sql restored "SELECT x FROM app.t") == 42 ]]
}
cut_is_on_record() {
  python3 - "$state/btrfs/cuts/$ns/one.json" <<'P'
import json, sys
cut = json.load(open(sys.argv[1]))
assert cut["claim"] == "data" and cut["requested"] <= cut["cutStart"] <= cut["cutEnd"], cut
P
}
late_binding_waits_for_a_pod() {
  claim late btrfs-wffc ReadWriteMany one
  sleep 2
  is pvc late .status.phase Pending
}
pods_share_a_claim() {
  deployment sharers local/tools:1 3 late /data
  rolled_out sharers
  is pvc late .status.phase Bound
  local pod
  for pod in $(kubectl get pods -l app=sharers -o name); do
    kubectl exec "$pod" -- sh -c 'echo here >>/data/shared'
  done
  [[ $(kubectl exec deployment/sharers -- grep -c here /data/shared) == 3 ]]
}
group_snapshot_is_ready() {
  kubectl label pvc data restored group=both --overwrite
  apply <<'Y'
apiVersion: groupsnapshot.storage.k8s.io/v1
kind: VolumeGroupSnapshot
metadata: {name: both}
spec: {volumeGroupSnapshotClassName: btrfs, source: {selector: {matchLabels: {group: both}}}}
Y
  wait_for 60 is volumegroupsnapshot both .status.readyToUse true
  [[ -s $state/btrfs/cuts/$ns/both.data.json && -s $state/btrfs/cuts/$ns/both.restored.json ]]
}

# --- faults ------------------------------------------------------------------------------------------

cut_waits() {
  knob cut-delay "$ns/data 1h"
  snapshot slow data
  snapshot quick restored
  wait_for 30 test -e "$state/btrfs/cuts/$ns/quick.json"
  [[ ! -e $state/btrfs/cuts/$ns/slow.json ]]
  knob cut-delay
  wait_for 10 test -e "$state/btrfs/cuts/$ns/slow.json"
}
readiness_waits() {
  knob never-ready yes
  snapshot unready data
  wait_for 30 test -e "$state/btrfs/cuts/$ns/unready.json"
  wait_for 30 is volumesnapshot unready .status.readyToUse false
  knob never-ready
  wait_for 60 is volumesnapshot unready .status.readyToUse true
}
failure_is_shown_and_passes() {
  knob fail-snapshot 2
  snapshot failing data
  wait_for 30 kubectl get volumesnapshot failing -o 'jsonpath={.status.error.message}'
  wait_for 60 is volumesnapshot failing .status.readyToUse true
  [[ $(cat "$state/btrfs/fail-snapshot") == 0 ]]
  knob fail-snapshot
}
driver_comes_back() {
  "$here/service.sh" stop driver
  snapshot late data
  sleep 2
  [[ ! -e $state/btrfs/cuts/$ns/late.json ]]
  "$here/service.sh" start driver
  wait_for 60 is volumesnapshot late .status.readyToUse true
}
api_server_comes_back() {
  "$here/service.sh" restart apiserver
  wait_for 30 kubectl get --raw /readyz
}
hung_api_server_wakes() {
  "$here/service.sh" pause apiserver
  if kubectl --request-timeout=1s get namespace; then return 1; fi
  "$here/service.sh" resume apiserver
  wait_for 10 kubectl get namespace
}

# --- pods and the API --------------------------------------------------------------------------------

image_without_a_shell_runs() {
  kubectl run pad --image=local/scratchpad:1 --image-pull-policy=Never
  kubectl wait --for=condition=Ready --timeout=30s pod/pad
  if kubectl exec pad -- /bin/sh -c true; then return 1; fi
}
pod_reaches_the_api_server() {
  mkdir -p "$work/root"
  cp -L "$state/bin/kubectl" "$work/root/kubectl"
  "$here/import.sh" "$work/root" local/smoke-kubectl:1 /kubectl
  kubectl create rolebinding view --clusterrole=view "--serviceaccount=$ns:default"
  kubectl run client --image=local/smoke-kubectl:1 --image-pull-policy=Never --restart=Never -- get pvc data
  kubectl wait --for=jsonpath='{.status.phase}'=Succeeded --timeout=30s pod/client
  kubectl logs client | grep Bound
}
services_route_between_pods() {
  kubectl expose deployment mariadb --port=3306
  local address
  address=$(field service mariadb .spec.clusterIP)
  wait_for 15 greeted "$address"
}
greeted() { kubectl exec deployment/sharers -- nc -w 2 "$1" 3306 | grep -a MariaDB; }
admission_policy_refuses() {
  apply <<Y
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: $ns}
spec:
  matchConstraints:
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: $ns}}
    resourceRules:
    - {apiGroups: [""], apiVersions: [v1], resources: [configmaps], operations: [CREATE]}
  validations:
  - expression: authorizer.group('').resource('pods').subresource('exec').namespace(request.namespace).check('create').allowed()
    message: needs pods/exec
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: $ns}
spec: {policyName: $ns, validationActions: [Deny]}
Y
  kubectl create role maker --verb=create --resource=configmaps
  kubectl create rolebinding maker --role=maker --user=somebody
  wait_for 15 refused
  kubectl create configmap by-admin
  kubectl delete validatingadmissionpolicy,validatingadmissionpolicybinding "$ns"
}
refused() {
  local answer
  answer=$(kubectl create configmap by-somebody --as=somebody --dry-run=server 2>&1) && return 1
  [[ $answer == *"needs pods/exec"* ]]
}

"$state/bin/kubectl" create namespace "$ns" >/dev/null
check "MariaDB runs on a claim" mariadb_runs
check "a snapshot of it becomes ready" snapshot_is_ready
check "the restored database has the row" restored_database_has_the_row
check "the driver has written down the cut" cut_is_on_record
check "a late-binding claim waits for a pod" late_binding_waits_for_a_pod
check "three pods share it" pods_share_a_claim
check "a group snapshot becomes ready" group_snapshot_is_ready
check "knob cut-delay: one claim's cut waits" cut_waits
check "knob never-ready: cut, but not ready" readiness_waits
check "knob fail-snapshot: an error is shown, then success" failure_is_shown_and_passes
check "an image without a shell runs" image_without_a_shell_runs
check "a pod reaches the API server by its ServiceAccount" pod_reaches_the_api_server
check "a service leads to a pod" services_route_between_pods
check "a ValidatingAdmissionPolicy refuses" admission_policy_refuses
check "the driver was stopped, and is back" driver_comes_back
check "the API server was restarted" api_server_comes_back
check "the API server hung, and woke" hung_api_server_wakes
say "all $tests are well"
