#!/usr/bin/env python3
"""mariadb_freeze.py [--runs N] [--claims 1,3,10] [--program P]: how long a MariaDB server under load does not
write, by its own rows: in a backup, after `kill -9` of the controller in the freeze, and with the
controller's network cut in the freeze.

Needs the local cluster (make cluster) and build/release/stillpoint. Four clients write without pause,
each transaction to a table on every claim. What is told is the gap between two rows: no word of the
controller's. With the network cut the timer in the container is all that is left to end the freeze:
maxFreeze is 5 s there.
"""

import asyncio
import contextlib
import glob
import json
import os
import statistics
import threading
import time

from local_cluster import NS, ROOT, STATE, arguments, kubectl, namespace, start_controller

WRITERS = 4
MAX_FREEZE = 5  # where the freeze is disturbed

SERVER = """
mkdir -p /claims && chown -R mysql /claims
exec /usr/local/bin/entrypoint.sh
"""


def schema(claims):
    tables = "\n".join(
        f"CREATE TABLE t{i} (n BIGINT PRIMARY KEY, at TIMESTAMP(6), KEY (at)) ENGINE=InnoDB"
        + (f" DATA DIRECTORY='/claims/d{i}'" if i else "") + ";" for i in range(claims))
    inserts = "\n".join(f"INSERT INTO t{i} VALUES (i, SYSDATE(6));" for i in range(claims))
    return f"""CREATE DATABASE shop; USE shop;
{tables}
DELIMITER //
CREATE PROCEDURE write_rows(i BIGINT)
LOOP
  SET i = i + 1;
  START TRANSACTION; {inserts} COMMIT;
  DO SLEEP(0.002);
END LOOP //
"""


def app(claims):
    name = f"db{claims}"
    volumes = [f"{name}-d{i}" for i in range(claims)]
    objects = [{
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": volume},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "512Mi"}}},
    } for volume in volumes]
    image = {"image": "docker.io/local/mariadb:1", "imagePullPolicy": "Never"}
    objects.append({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name},
                             "annotations": {"backups.example.com/quiesce": "mariadb"}},
                "spec": {
                    "terminationGracePeriodSeconds": 5,
                    "containers": [{
                        "name": "mariadb", **image, "command": ["/bin/sh", "-c", SERVER],
                        "readinessProbe": {
                            "exec": {"command": ["mariadb", "-e", "SELECT 1"]}, "periodSeconds": 1},
                        "volumeMounts": [{"name": "v0", "mountPath": "/var/lib/mysql"}] + [
                            {"name": f"v{i}", "mountPath": f"/claims/d{i}"}
                            for i in range(1, claims)],
                    }],
                    "volumes": [{"name": f"v{i}", "persistentVolumeClaim": {"claimName": volume}}
                                for i, volume in enumerate(volumes)],
                },
            },
        },
    })
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})


def shell(claims, script, stdin=None):
    return kubectl("exec", "-i", f"deploy/db{claims}", "-c", "mariadb", "--", "sh", "-c", script,
                   stdin=stdin)


def sql(claims, statement):
    return shell(claims, "mariadb -N -B shop", statement).strip()


def start_database(claims):
    kubectl("apply", "-f", "-", stdin=app(claims))
    kubectl("rollout", "status", f"deploy/db{claims}", "--timeout=180s")
    shell(claims, "mariadb", schema(claims))
    for writer in range(WRITERS):
        shell(claims, f"mariadb shop -e 'CALL write_rows({writer}000000000)' >/dev/null 2>&1 </dev/null &")


def stop_database(claims):
    kubectl("delete", "deployment,vb", "--all", "--timeout=120s")
    kubectl("delete", "pvc", "--all", "--wait=false")


def longest_gap(claims, start):
    """Milliseconds between two rows, of whichever client, after `start` (seconds since 1970)."""
    return 1000 * float(sql(claims, f"""SELECT MAX(gap) FROM (
        SELECT s - LAG(s) OVER (ORDER BY s) gap FROM (
        SELECT UNIX_TIMESTAMP(at) s FROM t{claims - 1} WHERE at > FROM_UNIXTIME({start:.6f})) a) b"""))


def first_row_after(claims, moment):
    return 1000 * float(sql(claims, f"""SELECT UNIX_TIMESTAMP(MIN(at)) - {moment:.6f}
        FROM t{claims - 1} WHERE at > FROM_UNIXTIME({moment:.6f})"""))


def backup(claims, name, max_freeze):
    kubectl("apply", "-f", "-", stdin=json.dumps({
        "apiVersion": "backups.example.com/v1alpha1", "kind": "VolumeBackup", "metadata": {"name": name},
        "spec": {"applicationRef": f"db{claims}", "deletionPolicy": "Delete",
                 "maxFreeze": f"{max_freeze}s"}}))


def finish(name):
    kubectl("wait", f"vb/{name}", "--for=condition=Finished", "--timeout=180s")
    status = json.loads(kubectl("get", f"vb/{name}", "-o", "json"))["status"]
    kubectl("delete", f"vb/{name}")
    return status


def undisturbed(claims, name):
    began = time.time()
    backup(claims, name, 60)
    status = finish(name)
    if status.get("consistency") != "Application":
        raise SystemExit(json.dumps(status, indent=1))
    time.sleep(0.2)
    return longest_gap(claims, began)


@contextlib.contextmanager
def slow_cuts():
    knob = os.path.join(STATE, "btrfs/cut-delay")
    with open(knob + ".new", "w", encoding="utf-8") as f:
        f.write(f"{NS}/* 60s\n")
    os.rename(knob + ".new", knob)
    try:
        yield
    finally:
        os.remove(knob)


def disturbed(claims, name, disturb):
    """Milliseconds from the disturbance, in the freeze, to the next row."""
    with slow_cuts():
        backup(claims, name, MAX_FREEZE)
        kubectl("wait", f"vb/{name}", "--for=jsonpath={.status.phase}=Cutting", "--timeout=60s")
        time.sleep(0.3)
        moment = time.time()
        disturb()
        time.sleep(MAX_FREEZE + 1)
        return first_row_after(claims, moment)


class Wire:
    """The way from the controller to the API server: one that can become a black hole."""

    def __init__(self):
        text = kubectl("config", "view", "--raw", "--minify", "-o", "json")
        cluster = json.loads(text)
        server = cluster["clusters"][0]["cluster"]["server"]
        self.host, self.port = server.removeprefix("https://").rsplit(":", 1)
        self.through = asyncio.Event()
        self.loop = asyncio.new_event_loop()
        self.loop.call_soon(self.through.set)
        listening = self.loop.run_until_complete(asyncio.start_server(self.serve, self.host, 0))
        port = listening.sockets[0].getsockname()[1]
        cluster["clusters"][0]["cluster"]["server"] = f"https://{self.host}:{port}"
        self.kubeconfig = os.path.join(ROOT, "build/bench.kubeconfig")
        with open(os.open(self.kubeconfig, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w",
                  encoding="utf-8") as f:
            f.write(json.dumps(cluster))
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    async def pump(self, reader, writer):
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await self.through.wait()
                writer.write(data)
                await writer.drain()
        await self.through.wait()
        writer.close()

    async def serve(self, reader, writer):
        there_reader, there_writer = await asyncio.open_connection(self.host, self.port)
        await asyncio.gather(self.pump(reader, there_writer), self.pump(there_reader, writer))

    def cut(self):
        self.loop.call_soon_threadsafe(self.through.clear)

    def heal(self):
        self.loop.call_soon_threadsafe(self.through.set)


class Bench:
    def __init__(self, options, wire, log):
        self.options, self.wire, self.log = options, wire, log
        self.controller = None
        self.count = 0

    def start(self):
        self.controller = start_controller(self.options.program, self.log, self.wire.kubeconfig)
        time.sleep(2)

    def kill(self):
        self.controller.kill()
        self.controller.wait()

    def name(self):
        self.count += 1
        return f"b{self.count}"

    def undisturbed(self, claims):
        return undisturbed(claims, self.name())

    def killed(self, claims):
        name = self.name()
        gap = disturbed(claims, name, self.kill)
        self.start()
        finish(name)
        return gap

    def cut_off(self, claims):
        name = self.name()
        gap = disturbed(claims, name, self.wire.cut)
        self.wire.heal()
        finish(name)
        return gap


def show(values):
    return f"{min(values):.0f} / {statistics.median(values):.0f} / {max(values):.0f}"


def main():
    parser = arguments(__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--claims", default="1,3,10")
    options = parser.parse_args()
    log = open(os.path.join(ROOT, "build/bench-controller.log"), "w", encoding="utf-8")
    with namespace():
        bench = Bench(options, Wire(), log)
        bench.start()
        try:
            print("ms without a row, min / median / max")
            print("claims  undisturbed  usual longest gap  kill -9 to the next row  "
                  "network cut to the next row")
            for claims in [int(c) for c in options.claims.split(",")]:
                start_database(claims)
                quiet = time.time() + 2
                time.sleep(5)
                usual = longest_gap(claims, quiet)
                columns = [[measure(claims) for _ in range(options.runs)]
                           for measure in (bench.undisturbed, bench.killed, bench.cut_off)]
                print(f"{claims:6}  {show(columns[0])}  {usual:.0f}  {show(columns[1])}  "
                      f"{show(columns[2])}", flush=True)
                stop_database(claims)
        finally:
            bench.kill()
            os.remove(bench.wire.kubeconfig)
            for leftover in glob.glob(os.path.join(STATE, "btrfs/cuts", NS, "*.json")):
                os.remove(leftover)


if __name__ == "__main__":
    main()
