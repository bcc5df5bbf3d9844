#!/usr/bin/env python3
"""manifests.py DEPLOY OPTIONS.MD [SWAGGER.JSON]: problems, one on a line.

Strictly: a field that the API does not know is an error, as it would be
silently ignored by a cluster.  What is known is what stands below; with the
swagger.json of a Kubernetes source tree, also what stands there.
"""

import json
import pathlib
import re
import sys
from typing import Iterator

import yaml

TEXT, WHOLE, YES_NO = str, int, bool
QUANTITY = (str, int)
TEXTS = {"*": TEXT}  # any key

METADATA = {"name": TEXT, "namespace": TEXT, "labels": TEXTS,
            "annotations": TEXTS}
SELECTOR = {"matchLabels": TEXTS}
SECCOMP = {"type": TEXT, "localhostProfile": TEXT}
PROBE = {"httpGet": {"path": TEXT, "port": QUANTITY, "scheme": TEXT},
         "initialDelaySeconds": WHOLE, "periodSeconds": WHOLE,
         "timeoutSeconds": WHOLE, "failureThreshold": WHOLE}
SECURITY = {"runAsNonRoot": YES_NO, "runAsUser": WHOLE, "runAsGroup": WHOLE,
            "seccompProfile": SECCOMP}
CONTAINER = {
    "name": TEXT, "image": TEXT, "imagePullPolicy": TEXT,
    "command": [TEXT], "args": [TEXT],
    "env": [{"name": TEXT, "value": TEXT}],
    "ports": [{"name": TEXT, "containerPort": WHOLE, "protocol": TEXT}],
    "readinessProbe": PROBE, "livenessProbe": PROBE,
    "resources": {"requests": {"*": QUANTITY}, "limits": {"*": QUANTITY}},
    "securityContext": SECURITY | {
        "allowPrivilegeEscalation": YES_NO, "readOnlyRootFilesystem": YES_NO,
        "capabilities": {"drop": [TEXT]}},
    "terminationMessagePath": TEXT, "terminationMessagePolicy": TEXT,
    "volumeDevices": [{"name": TEXT, "devicePath": TEXT}],
    "volumeMounts": [{"name": TEXT, "mountPath": TEXT, "readOnly": YES_NO}],
}
POD_SPEC = {
    "restartPolicy": TEXT, "automountServiceAccountToken": YES_NO,
    "enableServiceLinks": YES_NO, "terminationGracePeriodSeconds": WHOLE,
    "nodeSelector": TEXTS,
    "securityContext": SECURITY | {"fsGroup": WHOLE,
                                   "fsGroupChangePolicy": TEXT},
    "containers": [CONTAINER],
    "volumes": [{"name": TEXT,
                 "persistentVolumeClaim": {"claimName": TEXT,
                                           "readOnly": YES_NO},
                 "emptyDir": {"sizeLimit": QUANTITY},
                 "secret": {"secretName": TEXT, "defaultMode": WHOLE}}],
}
POLICY_PORTS = [{"port": QUANTITY, "protocol": TEXT}]
POLICY_PEERS = [{"podSelector": SELECTOR, "namespaceSelector": SELECTOR}]
KINDS = {
    "v1 Pod": {"spec": POD_SPEC},
    "batch/v1 Job": {"spec": {
        "backoffLimit": WHOLE,
        "template": {"metadata": METADATA, "spec": POD_SPEC}}},
    "v1 Service": {"spec": {
        "clusterIP": TEXT, "selector": TEXTS,
        "ports": [{"name": TEXT, "port": WHOLE, "targetPort": QUANTITY}]}},
    "v1 Secret": {"type": TEXT, "stringData": TEXTS, "data": TEXTS},
    "v1 PersistentVolumeClaim": {"spec": {
        "accessModes": [TEXT], "volumeMode": TEXT, "storageClassName": TEXT,
        "resources": {"requests": {"*": QUANTITY}}}},
    "networking.k8s.io/v1 NetworkPolicy": {"spec": {
        "podSelector": SELECTOR, "policyTypes": [TEXT],
        "ingress": [{"from": POLICY_PEERS, "ports": POLICY_PORTS}],
        "egress": [{"to": POLICY_PEERS, "ports": POLICY_PORTS}]}},
    "kustomize.config.k8s.io/v1beta1 Kustomization": {
        "resources": [TEXT], "images": [{"name": TEXT, "newTag": TEXT}],
        "patches": [{"path": TEXT, "patch": TEXT,
                     "target": {"kind": TEXT, "name": TEXT}}]},
}


def shape(value, known, where="") -> Iterator[str]:
    """Where value is not as known says."""
    if isinstance(known, list):
        if not isinstance(value, list):
            yield f"{where}: not a list"
            return
        for i, item in enumerate(value):
            yield from shape(item, known[0], f"{where}[{i}]")
    elif isinstance(known, dict):
        if not isinstance(value, dict):
            yield f"{where}: not an object"
            return
        for key, item in value.items():
            inner = known.get(key, known.get("*"))
            if inner is None:
                yield f"{where}.{key}: no such field"
            else:
                yield from shape(item, inner, f"{where}.{key}")
    elif not isinstance(value, known) or (isinstance(value, bool) and
                                          known is not bool):
        yield f"{where}: {value!r} is of the wrong type"


class Swagger:
    """The API as a Kubernetes source tree describes it."""

    def __init__(self, path):
        self.definitions = json.loads(path.read_text())["definitions"]
        self.kinds = {
            (f"{g['group']}/{g['version']}".lstrip("/"), g["kind"]): name
            for name, d in self.definitions.items()
            for g in d.get("x-kubernetes-group-version-kind", [])}

    def check(self, document) -> Iterator[str]:
        kind = document["apiVersion"], document["kind"]
        if kind[0].startswith("kustomize."):
            return  # a file of a tool, no object of the API
        if kind not in self.kinds:
            yield f"the API has no {' '.join(kind)}"
            return
        yield from self._value(document, self.definitions[self.kinds[kind]], "")

    def _value(self, value, schema, where) -> Iterator[str]:
        reference = schema.get("$ref", "").removeprefix("#/definitions/")
        if reference:
            schema = self.definitions[reference]
        if reference.endswith(("IntOrString", "Quantity")):
            if not isinstance(value, (str, int)):
                yield f"{where}: {value!r} is no {reference.split('.')[-1]}"
            return
        known = {"string": str, "integer": int, "boolean": bool, "array": list,
                 "object": dict, "number": (int, float)}
        wanted = known[schema.get("type", "object")]
        if not isinstance(value, wanted):
            yield f"{where}: {value!r} is no {schema['type']}"
        elif wanted is list:
            for i, item in enumerate(value):
                yield from self._value(item, schema["items"], f"{where}[{i}]")
        elif wanted is dict:
            yield from self._object(value, schema, where)

    def _object(self, value, schema, where) -> Iterator[str]:
        for missing in set(schema.get("required", ())) - set(value):
            yield f"{where}.{missing}: missing"
        for key, item in value.items():
            inner = schema.get("properties", {}).get(
                key, schema.get("additionalProperties"))
            if inner is None:
                yield f"{where}.{key}: the API has no such field"
            else:
                yield from self._value(item, inner, f"{where}.{key}")


def restricted(spec) -> Iterator[str]:
    """What Pod Security's "restricted" standard wants, and we more."""
    pod = spec.get("securityContext", {})
    for container in spec["containers"]:
        own = container.get("securityContext", {})
        if pod.get("runAsNonRoot") is not True or pod.get("runAsUser") == 0:
            yield "may run as root"
        if own.get("allowPrivilegeEscalation") is not False:
            yield "may gain privileges"
        if own.get("capabilities") != {"drop": ["ALL"]}:
            yield "keeps capabilities"
        if own.get("readOnlyRootFilesystem") is not True:
            yield "may write to its root filesystem"
        if pod.get("seccompProfile", {}).get("type") not in (
                "RuntimeDefault", "Localhost"):
            yield "has no seccomp profile"
        if "memory" not in container["resources"]["limits"]:
            yield "has no memory limit"
        if re.match(r"[^/:]*[.:][^/]*/", container["image"]):
            yield f"names a registry: {container['image']}"


def consistent(spec, options) -> Iterator[str]:
    """Volumes that are mounted are there, and variables are options."""
    volumes = {volume["name"] for volume in spec["volumes"]}
    for container in spec["containers"]:
        used = {u["name"] for key in ("volumeDevices", "volumeMounts")
                for u in container.get(key, ())}
        if used != volumes:
            yield f"volumes {sorted(volumes)}, used {sorted(used)}"
        for variable in container["env"]:
            if variable["name"] not in options:
                yield f"{variable['name']} is not an option"


def pod_spec(document):
    if document["kind"] == "Pod":
        return document["spec"]
    if document["kind"] == "Job":
        return document["spec"]["template"]["spec"]
    return None


def check_document(document, options, swagger, is_patch) -> Iterator[str]:
    kind = f"{document.get('apiVersion')} {document.get('kind')}"
    if kind not in KINDS:
        yield f"{kind}: of no kind that is known here"
        return
    common = {"apiVersion": TEXT, "kind": TEXT, "metadata": METADATA}
    problems = list(shape(document, common | KINDS[kind]))
    yield from problems
    if problems or is_patch:
        return
    if swagger:
        yield from swagger.check(document)
    spec = pod_spec(document)
    if spec:
        yield from restricted(spec)
        yield from consistent(spec, options)


def same_pods(deploy) -> Iterator[str]:
    """A Job is the Pod of the same name, with something around it."""
    for pod in sorted(deploy.glob("base/pods/*.yaml")):
        job = deploy / "base/jobs" / pod.name
        documents = [yaml.safe_load(path.read_text()) for path in (pod, job)]
        if pod_spec(documents[0]) != pod_spec(documents[1]):
            yield f"{job}: not the pod of {pod}"


def main(deploy, options, swagger=None) -> int:
    deploy = pathlib.Path(deploy)
    names = set(re.findall(r"CLONEWIRE_[A-Z0-9_]+",
                           pathlib.Path(options).read_text()))
    api = Swagger(pathlib.Path(swagger)) if swagger else None
    problems = list(same_pods(deploy))
    files = sorted(deploy.rglob("*.yaml"))
    for path in files:
        is_patch = path.name.endswith("-node.yaml")
        for document in yaml.safe_load_all(path.read_text()):
            problems += [f"{path}: {problem}" for problem in check_document(
                document, names, api, is_patch)]
            for inner in document.get("resources", ()):
                if not (path.parent / inner).exists():
                    problems.append(f"{path}: no {inner}")
    print("\n".join(problems + [f"{len(files)} files"]))
    return 1 if problems or not files else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
