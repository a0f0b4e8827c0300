"""What the benches share: the local cluster (make cluster), and a controller beside it."""

import argparse
import contextlib
import os
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
STATE = os.environ.get("STILLPOINT_CLUSTER_STATE", "/tmp/stillpoint-cluster")
KUBECONFIG = os.path.join(STATE, "admin.kubeconfig")
NS = "bench"


def arguments(about):
    """A parser that knows the program; `about` is the bench's own text."""
    parser = argparse.ArgumentParser(description=about,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=os.path.join(ROOT, "build/release/stillpoint"))
    return parser


def kubectl(*args, stdin=None, check=True):
    done = subprocess.run(
        [os.path.join(STATE, "bin/kubectl"), "--kubeconfig", KUBECONFIG, "-n", NS, *args],
        input=stdin, capture_output=True, text=True, check=False)
    if check and done.returncode != 0:
        raise SystemExit(f"kubectl {' '.join(args)}: {done.stderr}")
    return done.stdout


@contextlib.contextmanager
def namespace():
    """The CRDs and an empty namespace, which goes when the bench ends."""
    kubectl("apply", "-f", os.path.join(ROOT, "deploy/crd/stillpoint.yaml"))
    kubectl("create", "namespace", NS, check=False)
    try:
        yield
    finally:
        kubectl("delete", "namespace", NS, "--wait=false", check=False)


def start_controller(program, log, kubeconfig=KUBECONFIG):
    return subprocess.Popen(
        [program, "controller", "--kubeconfig", kubeconfig, "--namespace", NS,
         "--leader-elect=false", "--metrics-address=0", "--health-address=0"],
        stderr=log, stdout=log)
