#!/usr/bin/env python3
"""freeze_window.py [--runs N] [--claims 1,3,10] [--program P]: how long an application stands still, beside the
slowest real cut of the same backup.

Needs the local cluster (make cluster) and build/release/stillpoint. The application's own hooks note
/proc/uptime as the last thing of the freeze and the first thing of the thaw; the driver notes when
each volume was really cut. So neither figure is the controller's own word.
"""

import glob
import json
import os
import statistics
import time
from datetime import datetime

from local_cluster import NS, ROOT, STATE, arguments, kubectl, namespace, start_controller


def app(claims):
    names = [f"d{i}" for i in range(claims)]
    objects = [{
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": f"app{claims}-{n}"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "64Mi"}}},
    } for n in names]
    objects.append({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": f"app{claims}"},
        "spec": {
            "selector": {"matchLabels": {"app": f"app{claims}"}},
            "template": {
                "metadata": {
                    "labels": {"app": f"app{claims}"},
                    "annotations": {
                        "backups.example.com/pre-hook": "cat /proc/uptime >>/tmp/frozen",
                        "backups.example.com/post-hook": "cat /proc/uptime >>/tmp/thawed",
                    },
                },
                "spec": {
                    "terminationGracePeriodSeconds": 0,
                    "containers": [{
                        "name": "app", "image": "docker.io/local/tools:1", "imagePullPolicy": "Never",
                        "command": ["/bin/sleep", "infinity"],
                        "volumeMounts": [{"name": n, "mountPath": f"/{n}"} for n in names],
                    }],
                    "volumes": [{"name": n,
                                 "persistentVolumeClaim": {"claimName": f"app{claims}-{n}"}}
                                for n in names],
                },
            },
        },
    })
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})


def last_uptime(claims, file):
    text = kubectl("exec", f"deploy/app{claims}", "--", "tail", "-n", "1", f"/tmp/{file}")
    return float(text.split()[0])


def cut_ends(backup):
    ends = []
    for volume in backup["status"]["volumes"]:
        name = volume["snapshotName"]
        with open(os.path.join(STATE, "btrfs/cuts", NS, name + ".json"), encoding="utf-8") as f:
            text = json.load(f)["cutEnd"]
        head, _, tail = text.rstrip("Z").partition(".")
        whole = datetime.fromisoformat(head + "+00:00").timestamp()
        ends.append(whole + float("0." + (tail or "0")))
    return ends


def one(claims, run):
    name = f"b{claims}-{run}-{int(time.time())}"
    kubectl("apply", "-f", "-", stdin=json.dumps({
        "apiVersion": "backups.example.com/v1alpha1", "kind": "VolumeBackup",
        "metadata": {"name": name},
        "spec": {"applicationRef": f"app{claims}", "deletionPolicy": "Delete"}}))
    kubectl("wait", f"vb/{name}", "--for=condition=Finished", "--timeout=180s")
    backup = json.loads(kubectl("get", f"vb/{name}", "-o", "json"))
    if backup["status"]["consistency"] != "Application":
        raise SystemExit(json.dumps(backup["status"], indent=1))
    boot = time.time() - float(open("/proc/uptime", encoding="utf-8").read().split()[0])
    frozen, thawed = last_uptime(claims, "frozen"), last_uptime(claims, "thawed")
    slowest = max(cut_ends(backup)) - (boot + frozen)
    kubectl("delete", f"vb/{name}")
    return {"freeze": thawed - frozen, "cut": slowest, "over": thawed - frozen - slowest}


def api_calls(since):
    writes = reads = 0
    with open(os.path.join(STATE, "log/audit.log"), encoding="utf-8") as f:
        f.seek(since)
        for line in f:
            event = json.loads(line)
            if "stillpoint" not in event.get("userAgent", ""):
                continue
            if event["verb"] in ("create", "update", "patch", "delete"):
                writes += 1
            elif event["verb"] in ("get", "list"):
                reads += 1
    return writes, reads


def rss(pid):
    for line in open(f"/proc/{pid}/status", encoding="utf-8"):
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def measure(options):
    log = open(os.path.join(ROOT, "build/bench-controller.log"), "w", encoding="utf-8")
    controller = start_controller(options.program, log)
    try:
        time.sleep(2)
        print(f"controller idle: {rss(controller.pid):.1f} MiB")
        print("claims  freeze s (min/median/max)  slowest cut s  over the cut ms (median/max)  "
              "API writes  reads")
        for claims in [int(c) for c in options.claims.split(",")]:
            kubectl("apply", "-f", "-", stdin=app(claims))
            kubectl("rollout", "status", f"deploy/app{claims}", "--timeout=120s")
            results, writes, reads = [], 0, 0
            for run in range(options.runs):
                audit = os.path.getsize(os.path.join(STATE, "log/audit.log"))
                results.append(one(claims, run))
                time.sleep(0.5)
                writes, reads = api_calls(audit)
            freeze = [r["freeze"] for r in results]
            over = [1000 * r["over"] for r in results]
            print(f"{claims:6}  {min(freeze):.2f} / {statistics.median(freeze):.2f} / "
                  f"{max(freeze):.2f}         {statistics.median(r['cut'] for r in results):8.2f}"
                  f"       {statistics.median(over):.0f} / {max(over):.0f}"
                  f"   {writes:12} {reads:6}", flush=True)
        print(f"controller after that: {rss(controller.pid):.1f} MiB")
    finally:
        controller.terminate()
        controller.wait(60)
        for leftover in glob.glob(os.path.join(STATE, "btrfs/cuts", NS, "*.json")):
            os.remove(leftover)


def main():
    parser = arguments(__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--claims", default="1,3,10")
    options = parser.parse_args()
    with namespace():
        measure(options)


if __name__ == "__main__":
    main()
