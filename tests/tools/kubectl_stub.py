#!/usr/bin/env python3
"""kubectl_stub.py ARGUMENT...: plays kubectl and its clusters for the test of
kubectl-clonewire.  A pod that is created is a process of this machine.

STUB_DIR has "claims" (CONTEXT NAMESPACE CLAIM MODE PATH on a line; "-" for the
current context) and gets "calls" (arguments of each call), "made/" (every object that
was created) and "objects/" (those that are left).  STUB_PROGRAMS is where the
programs are, STUB_ENV more variables for them.
"""

import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import time

HOME = pathlib.Path(os.environ["STUB_DIR"])
OBJECTS, MADE = HOME / "objects", HOME / "made"


def options(arguments):
    """Options, and the words that are none."""
    given, words = {}, []
    items = iter(arguments)
    for item in items:
        if item in ("-n", "-o", "-f"):
            given[item] = next(items)
        elif item.startswith("--"):
            name, _, value = item.partition("=")
            given[name] = value
        else:
            words.append(item)
    return given, words


class Cluster:
    def __init__(self, given):
        self.context = given.get("--context", "-")
        self.namespace = given.get("--namespace", "default")

    def path(self, kind, name):
        return OBJECTS / f"{self.context},{self.namespace},{kind.lower()},{name}"

    def claim(self, name):
        for line in (HOME / "claims").read_text().splitlines():
            context, namespace, claim, mode, path = line.split()
            if [context, namespace, claim] == [self.context, self.namespace,
                                               name]:
                return mode, path
        sys.exit(f'persistentvolumeclaims "{name}" not found')

    def create(self, text):
        import yaml  # the only call that needs it, and it takes its time

        for document in yaml.safe_load_all(text):
            kind, name = document["kind"], document["metadata"]["name"]
            path = self.path(kind, name)
            if path.exists():
                sys.exit(f"{kind} {name} already exists")
            path.mkdir(parents=True)
            (path / "object").write_text(json.dumps(document))
            (MADE / f"{path.name}.yaml").write_text(yaml.safe_dump(document))
            if kind == "Pod":
                self.start(path, document)

    def start(self, path, pod):
        (container,) = pod["spec"]["containers"]
        volumes = {v["name"]: v for v in pod["spec"]["volumes"]}
        _, disk = self.claim(
            volumes["disk"]["persistentVolumeClaim"]["claimName"])
        secret = self.path("Secret", volumes["key"]["secret"]["secretName"])
        psk = json.loads((secret / "object").read_text())["stringData"]
        (path / "psk").write_text(psk["psk"])
        (path / "psk").chmod(0o600)
        address = f"127.{random.randint(1, 254)}.{random.randint(0, 254)}.9"
        (path / "address").write_text(address)
        variables = {e["name"]: e["value"].replace("/dev/disk", disk)
                     .replace("/disk/", disk + "/")
                     .replace("/etc/clonewire/psk", str(path / "psk"))
                     for e in container["env"]}
        if container["name"] == "target":
            variables["CLONEWIRE_LISTEN"] = f"{address}:8443"
        variables |= dict(item.split("=", 1)
                          for item in os.environ.get("STUB_ENV", "").split())
        known = {name: os.environ[name] for name in ("PATH",)}
        program = f"{os.environ['STUB_PROGRAMS']}/{container['command'][0]}"
        with open(path / "log", "wb") as log:
            process = subprocess.Popen(
                ["sh", "-c", f'"{program}"; echo $? >"{path}/status"'],
                env=known | variables, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, start_new_session=True)
        (path / "pid").write_text(str(process.pid))

    def phase(self, path):
        if not (path / "status").exists():
            return "Running"
        return ("Succeeded" if (path / "status").read_text().strip() == "0"
                else "Failed")

    def get(self, kind, name, wanted):
        if kind == "pvc":
            mode, path = self.claim(name)
            return f"{mode} uid-of-{path}"
        path = self.path(kind, name)
        if not path.exists():
            sys.exit(f'{kind} "{name}" not found')
        if kind == "service":
            path = self.path("Pod", name)
        if ".phase" in wanted:
            return self.phase(path)
        if "IP" in wanted or ".ip" in wanted:
            return (path / "address").read_text()
        if ".exitCode" in wanted and (path / "status").exists():
            return (path / "status").read_text().strip()
        return "8443" if "nodePort" in wanted else ""

    def logs(self, name, follow):
        path = self.path("Pod", name)
        with open(path / "log", encoding="utf-8") as log:
            while True:
                is_over = not follow or self.phase(path) != "Running"
                sys.stdout.write(log.read())
                sys.stdout.flush()
                if is_over:
                    return
                time.sleep(0.05)

    def delete(self, kinds, selector):
        label, _, value = selector.partition("=")
        for path in sorted(OBJECTS.glob(f"{self.context},{self.namespace},*")):
            document = json.loads((path / "object").read_text())
            if (path.name.split(",")[2] not in kinds.split(",")
                    or document["metadata"]["labels"][label] != value):
                continue
            if (path / "pid").exists() and not (path / "status").exists():
                os.killpg(int((path / "pid").read_text()), signal.SIGKILL)
            subprocess.run(["rm", "-r", path], check=True)


def main(arguments):
    with open(HOME / "calls", "a", encoding="utf-8") as calls:
        calls.write(" ".join(arguments) + "\n")
    given, (verb, *words) = options(arguments)
    cluster = Cluster(given)
    if verb == "create":
        cluster.create(sys.stdin.read())
    elif verb == "get":
        found = re.fullmatch(r"jsonpath=(.*)", given["-o"])
        print(cluster.get(*words, found[1]), end="")
    elif verb == "logs":
        cluster.logs(words[0], "--follow" in given)
    elif verb == "delete":
        cluster.delete(words[0], given["--selector"])
    else:
        sys.exit(f"no {verb} here")


main(sys.argv[1:])
