#!/bin/bash
# admission_test.sh [RESULT.xml]: do the policies in deploy/base/admission let those write backups
# and restores who hold the rights that these would use, and nobody else? Asks the cluster of
# $KUBECONFIG as users who hold one right or another; needs the rights of its administrator.
#
#   operator   `edit` in the namespace, the role that Kubernetes ships
#   writer     stillpoint-view and -edit alone: may write our kinds and nothing else
#   shopkeeper writer who may also make claims and patch the one Deployment `shop`
set -euo pipefail
cd "$(dirname "$0")/.."
results=${1:-}
namespace=admission-test-$$
tests=0 failures=0 report=

kubectl() { command kubectl --request-timeout=30s "$@"; }
cleanup() {
  # No controller needs to be there to let these go.
  kubectl -n "$namespace" delete volumebackups,volumerestores --all --wait=false
  kubectl delete namespace "$namespace" --wait=false
} >/dev/null

record() { # name, complaint (empty: passed)
  tests=$((tests + 1))
  if [[ $2 ]]; then
    failures=$((failures + 1))
    echo "FAILED: $1: $2"
    report+="<testcase classname=\"admission\" name=\"$1\"><failure/></testcase>"
  else
    report+="<testcase classname=\"admission\" name=\"$1\"/>"
  fi
}

# expect NAME allowed|"PART OF THE REFUSAL" COMMAND...
expect() {
  local name=$1 want=$2 output got=allowed
  shift 2
  output=$("$@" 2>&1) || got=refused
  if [[ $want == "$got" || ($got == refused && $want != allowed && $output == *"$want"*) ]]; then
    record "$name" ""
  else
    record "$name" "$got: $output"
  fi
}

create() { # user, kind, spec as YAML flow mapping
  kubectl -n "$namespace" create --dry-run=server --as="$1" -f - <<<"
apiVersion: backups.example.com/v1alpha1
kind: $2
metadata: {name: test}
spec: $3"
}
patch() { # user, TYPE/NAME, merge patch
  kubectl -n "$namespace" patch --dry-run=server --type=merge --as="$1" "$2" -p "$3"
}
apply_status() { # user, kind, name, status as YAML flow mapping; as the controller does it
  kubectl apply --server-side --force-conflicts --subresource=status --dry-run=server --as="$1" \
    -f - <<<"
apiVersion: backups.example.com/v1alpha1
kind: $2
metadata: {name: $3, namespace: $namespace}
status: $4"
}

kubectl apply -k deploy/crd >/dev/null
kubectl apply -f deploy/base/rbac/users.yaml -f deploy/base/admission >/dev/null
kubectl wait --for=condition=Established --timeout=30s \
  crd/volume{backups,restores}.backups.example.com >/dev/null
kubectl create namespace "$namespace" >/dev/null
trap cleanup EXIT
for user in operator writer shopkeeper; do
  for role in stillpoint-view stillpoint-edit; do
    kubectl -n "$namespace" create rolebinding "$user-$role" --user="$user" --clusterrole="$role" >/dev/null
  done
done
kubectl -n "$namespace" create rolebinding operator-edit --user=operator --clusterrole=edit >/dev/null
kubectl -n "$namespace" create role shop --verb=patch --resource=deployments.apps \
  --resource-name=shop >/dev/null
kubectl -n "$namespace" create role claims --verb=create --resource=persistentvolumeclaims >/dev/null
for role in shop claims; do
  kubectl -n "$namespace" create rolebinding "$role" --user=shopkeeper --role="$role" >/dev/null
done

# A new policy is enforced a moment after it is accepted.
hooks='{name: freeze, shell: sync, postShell: sync}'
for _ in $(seq 100); do
  create writer VolumeBackup "{selector: {matchLabels: {app: none}}, hooks: [$hooks]}" &>/dev/null || break
  sleep 0.1
done

no_exec='user writer may not do that in namespace'
backup="selector: {matchLabels: {app: none}}"
expect "anyone writes a backup without hooks" allowed create writer VolumeBackup "{$backup}"
expect "no hooks without exec" "$no_exec" create writer VolumeBackup "{$backup, hooks: [$hooks]}"
expect "no profile without exec" "$no_exec" create writer VolumeBackup "{$backup, quiesce: mariadb}"
expect "a profile with exec" allowed create operator VolumeBackup "{$backup, quiesce: mariadb}"
expect "hooks with exec" allowed create operator VolumeBackup "{$backup, hooks: [$hooks]}"

kubectl -n "$namespace" create -f - >/dev/null <<Y
apiVersion: backups.example.com/v1alpha1
kind: VolumeBackup
metadata: {name: hooked}
spec: {$backup, hooks: [$hooks]}
---
apiVersion: backups.example.com/v1alpha1
kind: VolumeRestore
metadata: {name: repointed}
spec: {backupRef: hooked, applicationRef: shop}
Y
hooked=volumebackup/hooked
expect "cancel what somebody else hooked" allowed patch writer $hooked '{"spec":{"cancel":true}}'
expect "label it" allowed patch writer $hooked '{"metadata":{"labels":{"a":"b"}}}'
expect "delete it" allowed \
  kubectl -n "$namespace" delete --dry-run=server --as=writer volumebackup hooked
expect "no other hooks" "fixed once the VolumeBackup exists" patch writer $hooked '{"spec":{"hooks":[{"name":"x","shell":"id"}]}}'
expect "no other target" "fixed once the VolumeBackup exists" \
  patch writer $hooked '{"spec":{"selector":{"matchLabels":{"app":"bank"}}}}'
# Somebody was given the right to write statuses, perhaps by a wildcard.
kubectl -n "$namespace" create role statuses --verb=get,patch \
  --resource=volumebackups.backups.example.com/status >/dev/null
kubectl -n "$namespace" create rolebinding statuses --user=writer --role=statuses >/dev/null
time=2026-01-01T00:00:00Z
journal="{freeze: {intendedAt: \"$time\", deadline: \"$time\", holder: x, targets: []}}"
expect "no commands into the journal" "status.freeze holds commands" \
  apply_status writer VolumeBackup hooked "$journal"

restore='backupRef: hooked'
expect "no repoint without rights" "user writer may not patch deployments shop" \
  create writer VolumeRestore "{$restore, applicationRef: shop}"
expect "no replace without rights" "user writer may not patch statefulsets pg" \
  create writer VolumeRestore "{$restore, applicationRef: sts/pg, strategy: Replace}"
expect "no claims without rights" "user writer may not create persistentvolumeclaims" \
  create writer VolumeRestore "{$restore, strategy: ClaimsOnly}"
expect "claims with the right" allowed \
  create shopkeeper VolumeRestore "{$restore, strategy: ClaimsOnly}"
expect "repoint one's own Deployment" allowed \
  create shopkeeper VolumeRestore "{$restore, applicationRef: deployment/shop}"
expect "repoint it by another spelling" allowed \
  create shopkeeper VolumeRestore "{$restore, applicationRef: Deployment.apps/shop}"
expect "not another Deployment" "may not patch deployments bank" \
  create shopkeeper VolumeRestore "{$restore, applicationRef: bank}"
expect "not an unnamed workload" "name the workload in spec.applicationRef" \
  create shopkeeper VolumeRestore "{$restore}"
expect "no deletion of claims" "oldClaims: Delete deletes claims" \
  create shopkeeper VolumeRestore "{$restore, applicationRef: shop, oldClaims: Delete}"
expect "no hooks after a restore" "spec.postHooks runs commands in pods" create shopkeeper \
  VolumeRestore "{$restore, applicationRef: shop, postHooks: [{name: warm, shell: id}]}"
expect "an editor restores anything" allowed create operator VolumeRestore \
  "{$restore, strategy: Replace, oldClaims: Delete, postHooks: [{name: warm, shell: id}]}"
expect "label a restore" allowed \
  patch writer volumerestore/repointed '{"metadata":{"labels":{"a":"b"}}}'
expect "delete a restore" allowed \
  kubectl -n "$namespace" delete --dry-run=server --as=writer volumerestore repointed

# The controller, with the rights of deploy/ and no others, is never in its own way.
kubectl apply -f deploy/base/rbac/controller.yaml >/dev/null
controller=system:serviceaccount:stillpoint-system:stillpoint-controller
# kubectl reads what it patches, which the controller does not.
kubectl -n "$namespace" create role reader --verb=get \
  --resource=volumebackups.backups.example.com,volumerestores.backups.example.com >/dev/null
kubectl -n "$namespace" create rolebinding reader --role=reader \
  --serviceaccount=stillpoint-system:stillpoint-controller >/dev/null
expect "the controller takes its finalizer off" allowed \
  patch $controller $hooked '{"metadata":{"finalizers":[]}}'
expect "the controller writes its journal" allowed \
  apply_status $controller VolumeBackup hooked "$journal"
expect "the controller writes a restore's status" allowed \
  apply_status $controller VolumeRestore repointed "{phase: Resolving}"

echo "admission: $((tests - failures)) passed, $failures failed"
[[ ! $results ]] || echo "<testsuite tests=\"$tests\" failures=\"$failures\">$report</testsuite>" >"$results"
((failures == 0))
