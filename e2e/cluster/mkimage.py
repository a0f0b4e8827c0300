#!/usr/bin/env python3
"""mkimage.py [--user USER] ROOTFS NAME:TAG OUT.tar [ENTRYPOINT...]: a container image of one layer.

ROOTFS is a folder or a tar file. The image is a docker-archive, as `ctr images import` and
`docker load` read it. Its program runs as USER (default: root). The same input gives the same bytes: sorted, no times, no user names.
"""

import hashlib
import io
import json
import os
import sys
import tarfile

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def normalised(info):
    info.mtime = 0
    info.uname = info.gname = ""
    info.pax_headers = {}
    return info


def entries(rootfs):
    for folder, folders, files in os.walk(rootfs):
        for name in folders + files:
            yield os.path.join(folder, name)


def write_layer(rootfs, path):
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as layer:
        if os.path.isdir(rootfs):
            for path in sorted(entries(rootfs)):
                layer.add(path, os.path.relpath(path, rootfs), recursive=False, filter=normalised)
            return
        with tarfile.open(rootfs) as source:
            members = sorted(source, key=lambda member: member.name)
            # A hard link must come after the file that it names.
            for member in sorted(members, key=tarfile.TarInfo.islnk):
                if member.ischr() or member.isblk():
                    continue  # the runtime makes /dev
                content = source.extractfile(member) if member.isreg() else None
                layer.addfile(normalised(member), content)


def file_digest(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def add_bytes(archive, name, content):
    info = tarfile.TarInfo(name)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))


def main():
    arguments = sys.argv[1:]
    user = ""
    if arguments[:1] == ["--user"]:
        user = arguments[1] if len(arguments) > 1 else ""
        del arguments[:2]
    if len(arguments) < 3:
        sys.exit(__doc__)
    rootfs, reference, out, *entrypoint = arguments
    layer = out + ".layer"
    try:
        write_layer(rootfs, layer)
        config = {
            "architecture": {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine],
            "os": "linux",
            "config": {"Env": ["PATH=" + PATH], "Entrypoint": entrypoint or None, "User": user},
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + file_digest(layer)]},
        }
        config_bytes = json.dumps(config, sort_keys=True).encode()
        config_name = hashlib.sha256(config_bytes).hexdigest() + ".json"
        manifest = [{"Config": config_name, "RepoTags": [reference], "Layers": ["layer.tar"]}]
        with tarfile.open(out, "w", format=tarfile.GNU_FORMAT) as archive:
            add_bytes(archive, config_name, config_bytes)
            add_bytes(archive, "manifest.json", json.dumps(manifest).encode())
            archive.add(layer, "layer.tar", filter=normalised)
    finally:
        if os.path.exists(layer):
            os.remove(layer)


if __name__ == "__main__":
    main()
