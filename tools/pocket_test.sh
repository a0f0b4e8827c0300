#!/bin/bash
# pocket_test.sh [STILLPOINT]: kubectl against the embedded cluster, from outside: every verb that a
# person uses, in a namespace of its own. Says what it could not do without a kubectl.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tools/demo/kubectl.sh
. tools/demo/kubectl.sh
kubectl=
find_kubectl || exit 0
stillpoint=${1:-build/release/stillpoint}
work=$(mktemp -d "${TMPDIR:-/tmp}/stillpoint-pocket-test-XXXXXX")
export KUBECONFIG=$work/kubeconfig
failed=0
passed=0

finish() {
  kill "$pocket" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT

k() { "$kubectl" --request-timeout=20s -n test "$@"; }
ok() { # name, command...: it must succeed
  local name=$1
  shift
  if "$@" >"$work/out" 2>&1; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf 'FAILED %s\n' "$name"
    sed 's/^/    /' "$work/out"
  fi
}
says() { # name, regex, command...: its output must match, whether it succeeds or not
  local name=$1 regex=$2
  shift 2
  "$@" >"$work/out" 2>&1 || true
  if grep -qE -- "$regex" "$work/out"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf 'FAILED %s: no line matches %s\n' "$name" "$regex"
    sed 's/^/    /' "$work/out"
  fi
}
ready() { k get --raw /readyz >/dev/null 2>&1; }

"$stillpoint" pocket --kubeconfig "$KUBECONFIG" --directory "$work/cluster" >/dev/null &
pocket=$!
for _ in $(seq 200); do ready && break; sleep 0.05; done
ready || { echo "pocket: it does not start" >&2; exit 1; }

cat >"$work/app.yaml" <<'YAML'
apiVersion: v1
kind: Secret
metadata: {name: login}
stringData: {word: sesame}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: app, labels: {app: app}}
spec:
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: main
        image: none
        command: [sh, -c, 'echo "started as $WORD"; exec sleep 1000000']
        env: [{name: WORD, valueFrom: {secretKeyRef: {name: login, key: word}}}]
        volumeMounts:
        - {name: data, mountPath: /srv/some/where}
        - {name: data, mountPath: /srv/part, subPath: a/part}
        - {name: scratch, mountPath: /srv/scratch}
      volumes:
      - {name: data, persistentVolumeClaim: {claimName: data}}
      - {name: scratch, emptyDir: {}}
YAML
cat >"$work/backup.yaml" <<'YAML'
apiVersion: backups.example.com/v1alpha1
kind: VolumeBackup
metadata: {name: one, labels: {x: a}}
spec: {applicationRef: app}
YAML

says 'version' 'Server Version: v1' k version
says 'api-resources' 'volumebackups +vb +backups.example.com/v1alpha1' k api-resources
says 'api-versions' '^apps/v1$' k api-versions
says 'namespaces' 'kube-system +Active' k get namespaces
ok "create namespace" k create namespace test
ok 'apply' k apply -f "$work/app.yaml"
says 'create a list' 'configmap/listed created' k create -f - <<<'{"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "listed"}}]}'
says 'apply again' 'deployment.apps/app unchanged' k apply -f "$work/app.yaml"
ok 'rollout status' k rollout status deployment/app --timeout=20s
says 'get pods' 'app-.* 1/1 +Running' k get pods
says 'get -o wide' 'NODE' k get pods -o wide
says 'get -A' '^test +app-' k get pods -A
says 'get -l' 'No resources found' k get pods -l app=other
says 'get claim' 'data +Bound' k get pvc
says 'get -o yaml' 'kind: Deployment' k get deployment app -o yaml
says 'get -o json of a list' '"kind": "List"' k get pods -o json
says 'get all' 'deployment.apps/app' k get all
says 'describe' 'Replicas:.*1 desired' k describe deployment app
says 'describe pod' 'Ready: +True' k describe pods
says 'logs' '^started as sesame$' k logs deploy/app
says 'exec' '^hello$' k exec deploy/app -- echo hello
says 'exec in the volume' 'written' k exec deploy/app -- sh -c 'echo written > /srv/some/where/file; cat /srv/some/where/file'
says 'a part of the volume' '^part$' k exec deploy/app -- sh -c 'touch /srv/part/file && ls /srv/some/where/a'
says 'an emptyDir' '^file$' k exec deploy/app -- sh -c 'touch /srv/scratch/file && ls /srv/scratch'
says 'exec stdin' '^from outside$' bash -c "echo from outside | '$kubectl' -n test exec -i deploy/app -- cat"
says 'exec exit code' 'exit code 3' k exec deploy/app -- sh -c 'exit 3'
says 'exec of what is not there' 'executable file not found' k exec deploy/app -- no-such-program
says 'explain' 'FIELD: maxFreeze|maxFreeze' k explain volumebackup.spec
says 'explain a kind of Kubernetes' 'KIND: +Pod' k explain pod
ok 'apply our kind' k apply -f "$work/backup.yaml"
says 'our columns' 'NAME +TARGET +PHASE' k get vb
says 'server-side apply' 'serverside-applied' k apply --server-side -f "$work/backup.yaml" --force-conflicts
says 'dry run' 'created \(server dry run\)' k create configmap c --from-literal=a=b --dry-run=server
says 'dry run leaves nothing' 'NotFound' k get configmap c
says 'patch' 'patched' k patch vb one --type=merge -p '{"spec":{"ttl":"3h"}}'
says 'label' 'labeled' k label vb one color=red
says 'unknown field' 'unknown field "spec.nonsense"' k patch vb one --type=merge -p '{"spec":{"nonsense":1}}'
says 'get -w' 'app' timeout 2 "$kubectl" -n test get deployments -w
ok 'edit' env KUBE_EDITOR="sed -i s/color:.red/color:\\ blue/" "$kubectl" -n test edit vb one
says 'edited' 'color=blue' k get vb one --show-labels
ok 'scale' k scale deployment/app --replicas=2
ok 'wait' k wait deployment/app --for=jsonpath='{.status.readyReplicas}'=2 --timeout=20s
says 'events' 'LAST SEEN|No events' k events
says 'auth can-i' '^yes$' k auth can-i create volumebackups
says 'replace' 'replaced' bash -c "'$kubectl' -n test get vb one -o yaml | '$kubectl' -n test replace -f -"
says 'not found' 'Error from server \(NotFound\): volumebackups.backups.example.com "two" not found' k get vb two
ok 'delete' k delete -f "$work/backup.yaml" --timeout=20s
ok 'delete pods' k delete pod -l app=app --timeout=20s
ok 'delete namespace' k delete namespace test --timeout=20s
says 'it is gone' 'NotFound' k get namespace test

echo "$passed passed, $failed failed"
((failed == 0))
