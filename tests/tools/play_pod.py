#!/usr/bin/env python3
"""play_pod.py MANIFEST --image I --disk PATH --tls DIR --word FILE
[--name NAME] [--seccomp FILE] [--state DIR] [VARIABLE=VALUE...]: the pod, for podman.

Of a pod from deploy/, changes what `podman kube play` (4.3) cannot do: claims
and Secrets become paths of this machine, an emptyDir (which would be root's)
the directory --state or nothing, variables take no other's value, the pod shares the network
namespace podman runs in, there are no probes, and the termination log, which
a kubelet would mount, is a file that is mounted here.
"""

import argparse
import os
import pathlib
import stat

import yaml


def volume(name, path):
    mode = os.stat(path).st_mode
    kind = ("BlockDevice" if stat.S_ISBLK(mode) else
            "Directory" if stat.S_ISDIR(mode) else "File")
    return {"name": name, "hostPath": {"path": path, "type": kind}}


def convert(pod, options):
    spec = pod["spec"]
    (container,) = spec["containers"]
    if options.name:
        pod["metadata"]["name"] = options.name
    spec["hostNetwork"] = True
    spec["restartPolicy"] = options.restart
    mounts = [mount for mount in container["volumeMounts"]
              if options.state or mount["name"] != "state"]
    spec["volumes"] = [volume("disk", options.disk), volume("tls", options.tls),
                       volume("word", options.word)]
    container["volumeMounts"] = mounts
    if options.state:
        spec["volumes"].append(volume("state", options.state))
    for probe in ("readinessProbe", "livenessProbe"):
        container.pop(probe, None)
    for device in container.pop("volumeDevices", ()):
        mounts.append({"name": device["name"],
                       "mountPath": device["devicePath"]})
    mounts.append({"name": "word", "mountPath": "/dev/termination-log"})
    container["image"] = options.image
    container["imagePullPolicy"] = "Never"
    container["ports"] = []
    container["resources"] = {"limits": {"memory": options.memory}}
    if options.seccomp:  # podman 4.3 reads the annotation and no field
        pod["metadata"]["annotations"] = {
            "seccomp.security.alpha.kubernetes.io/pod":
                f"localhost/{options.seccomp}"}
    given = dict(item.split("=", 1) for item in options.variables)
    variables = {e["name"]: e["value"] for e in container["env"]
                 if "value" in e} | given
    if not options.state:
        variables.pop("CLONEWIRE_STATE_DIR", None)
    container["env"] = [{"name": k, "value": v} for k, v in variables.items()]
    return pod


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("manifest", type=pathlib.Path)
    for name in ("image", "disk", "tls", "word"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--name")
    parser.add_argument("--seccomp")
    parser.add_argument("--state")
    parser.add_argument("--memory", default="256Mi")
    parser.add_argument("--restart", default="Never")
    parser.add_argument("variables", nargs="*")
    options = parser.parse_intermixed_args()
    pod = yaml.safe_load(options.manifest.read_text())
    print(yaml.safe_dump(convert(pod, options), sort_keys=False))


main()
