#!/usr/bin/env python3
"""memory.py [--claims N] [--backups N] [--program P]: the controller's resident memory, idle, and beside so
many claims and finished backups.

Needs build/release/stillpoint and kubectl alone: it runs beside an embedded cluster, which is another
process. The claims are never bound: they are there to be listed.
"""

import concurrent.futures
import json
import os
import subprocess
import tempfile
import time

from local_cluster import arguments

STATUS = {"phase": "Completed", "reason": "Succeeded", "consistency": "Application", "observedGeneration": 1,
          "startTime": "2026-01-01T00:00:00Z", "completionTime": "2026-01-01T00:00:01Z",
          "target": "deployment/shop"}


def volume(i):
    return {"claim": f"c{i}", "claimUID": f"uid-{i}", "snapshotName": f"snapshot-of-c{i}",
            "snapshotUID": f"snapshot-uid-{i}", "contentName": f"snapcontent-{i}",
            "class": "pocket", "driver": "pocket.backups.example.com"}


class Cluster:
    def __init__(self, kubeconfig):
        self.kubeconfig = kubeconfig

    def kubectl(self, *args, stdin=None):
        done = subprocess.run(["kubectl", "--kubeconfig", self.kubeconfig, *args], input=stdin,
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(done.stderr)

    def create(self, objects):
        """In lists of 250, several at once: kubectl sends one object after another."""
        lists = [objects[i:i + 250] for i in range(0, len(objects), 250)]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda items: self.kubectl(
                "create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": items})),
                          lists))


def claims(count):
    return [{"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": f"c{i}"},
             "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "none",
                      "resources": {"requests": {"storage": "1Gi"}}}} for i in range(count)]


def backups(count):
    return [{"apiVersion": "backups.example.com/v1alpha1", "kind": "VolumeBackup",
             "metadata": {"name": f"b{i}"}, "spec": {"applicationRef": "shop"}} for i in range(count)]


def rss(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as f:
        lines = dict(line.split(":", 1) for line in f)
    return [int(lines[key].split()[0]) / 1024 for key in ("VmRSS", "RssAnon")]


def controller(program, kubeconfig, seconds):
    running = subprocess.Popen([program, "controller", "--kubeconfig", kubeconfig, "--leader-elect=false",
                                "--metrics-address=0", "--health-address=0"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(seconds)
        return rss(running.pid)
    finally:
        running.terminate()
        running.wait(60)


def main():
    parser = arguments(__doc__)
    parser.add_argument("--claims", type=int, default=10_000)
    parser.add_argument("--backups", type=int, default=1_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        cluster = Cluster(os.path.join(work, "kubeconfig"))
        pocket = subprocess.Popen([options.program, "pocket", "--kubeconfig", cluster.kubeconfig,
                                   "--directory", os.path.join(work, "cluster")],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            while not os.path.exists(cluster.kubeconfig):
                time.sleep(0.1)
            print("MiB: resident, and of that its own (RssAnon)")
            print("idle: {:.1f}, {:.1f}".format(*controller(options.program, cluster.kubeconfig, 5)))
            cluster.create(claims(options.claims))
            cluster.create(backups(options.backups))
            for i in range(options.backups):
                cluster.kubectl("patch", f"vb/b{i}", "--subresource=status", "--type=merge", "-p",
                                json.dumps({"status": STATUS | {"volumes": [volume(n) for n in range(3)]}}))
            print("{} claims, {} backups of 3 volumes: {:.1f}, {:.1f}".format(
                options.claims, options.backups, *controller(options.program, cluster.kubeconfig, 30)))
        finally:
            pocket.terminate()
            pocket.wait(60)


if __name__ == "__main__":
    main()
