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
from typing import Iterator, NamedTuple

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
    "env": [{"name": TEXT, "value": TEXT,
             "valueFrom": {"fieldRef": {"fieldPath": TEXT}}}],
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
        "backoffLimit": WHOLE, "ttlSecondsAfterFinished": WHOLE,
        "podFailurePolicy": {"rules": [{
            "action": TEXT,
            "onExitCodes": {"operator": TEXT, "values": [WHOLE]},
            "onPodConditions": [{"type": TEXT, "status": TEXT}]}]},
        "template": {"metadata": METADATA, "spec": POD_SPEC}}},
    "v1 Service": {"spec": {
        "clusterIP": TEXT, "type": TEXT, "selector": TEXTS,
        "ports": [{"name": TEXT, "port": WHOLE, "targetPort": QUANTITY}]}},
    "v1 Secret": {"type": TEXT, "stringData": TEXTS, "data": TEXTS},
    "v1 PersistentVolumeClaim": {"spec": {
        "accessModes": [TEXT], "volumeMode": TEXT, "storageClassName": TEXT,
        "resources": {"requests": {"*": QUANTITY}}}},
    "networking.k8s.io/v1 NetworkPolicy": {"spec": {
        "podSelector": SELECTOR, "policyTypes": [TEXT],
        "ingress": [{"from": POLICY_PEERS, "ports": POLICY_PORTS}],
        "egress": [{"to": POLICY_PEERS, "ports": POLICY_PORTS}]}},
    "cert-manager.io/v1 Issuer": {"spec": {
        "selfSigned": {}, "ca": {"secretName": TEXT}}},
    "cert-manager.io/v1 Certificate": {"spec": {
        "isCA": YES_NO, "commonName": TEXT, "secretName": TEXT,
        "dnsNames": [TEXT], "usages": [TEXT], "duration": TEXT,
        "privateKey": {"algorithm": TEXT, "size": WHOLE},
        "issuerRef": {"name": TEXT, "kind": TEXT}}},
    "monitoring.coreos.com/v1 PodMonitor": {"spec": {
        "selector": SELECTOR, "podTargetLabels": [TEXT],
        "podMetricsEndpoints": [{
            "port": TEXT, "scheme": TEXT, "interval": TEXT,
            "tlsConfig": {"insecureSkipVerify": YES_NO}}]}},
    "monitoring.coreos.com/v1 PrometheusRule": {"spec": {"groups": [{
        "name": TEXT, "rules": [{
            "alert": TEXT, "expr": TEXT, "for": TEXT, "labels": TEXTS,
            "annotations": TEXTS}]}]}},
    "kustomize.config.k8s.io/v1beta1 Kustomization": {
        "namePrefix": TEXT,
        "labels": [{"pairs": TEXTS, "includeSelectors": YES_NO,
                    "includeTemplates": YES_NO}],
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
        if re.match(r"(kustomize\.|cert-manager\.|monitoring\.coreos)", kind[0]):
            return  # of a tool or an operator, not of the API itself
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
        others = {v["name"] for v in container["env"] if "valueFrom" in v}
        for variable in container["env"]:
            if variable["name"] not in options | others:
                yield f"{variable['name']} is not an option"
        for probe in ("readinessProbe", "livenessProbe"):
            if probe in container and "timeoutSeconds" not in container[probe]:
                yield f"{probe} has no timeoutSeconds"


INSTANCE = "app.kubernetes.io/instance"


def labelled(document) -> Iterator[str]:
    """Several clones share a namespace: each object and each selector says
    which of them it belongs to, and names begin with that."""
    instance = document["metadata"].get("labels", {}).get(INSTANCE)
    if not instance:
        yield f"has no label {INSTANCE}"
        return
    if not document["metadata"]["name"].startswith(instance):
        yield f"{document['metadata']['name']} does not begin with {instance}"

    def selectors(value, key=""):
        if key in ("matchLabels", "selector") and "matchLabels" not in value:
            yield value
        elif isinstance(value, dict):
            for name, item in value.items():
                yield from selectors(item, name)
        elif isinstance(value, list):
            for item in value:
                yield from selectors(item)

    spec = document.get("spec", {})
    template = spec.get("template", {}).get("metadata", {}).get("labels")
    for labels in [*selectors(spec), *([template] if template else [])]:
        if labels.get(INSTANCE) != instance:
            yield f"{labels} is not of the instance {instance}"


def gives_up(job, hopeless) -> Iterator[str]:
    """hopeless: exit statuses for which a retry is of no use."""
    if pod_spec(job)["restartPolicy"] != "Never":
        yield "podFailurePolicy needs restartPolicy Never"
    rules = job["spec"].get("podFailurePolicy", {}).get("rules", [])
    values = {value for rule in rules if rule["action"] == "FailJob"
              for value in rule.get("onExitCodes", {}).get("values", ())}
    if values != hopeless:
        yield (f"FailJob for {sorted(values)}; operations.md says \"Again: no\" "
               f"of {sorted(hopeless)}")
    if "ttlSecondsAfterFinished" not in job["spec"]:
        yield "is never removed: no ttlSecondsAfterFinished"


def hopeless_statuses(operations) -> set[int]:
    rows = re.findall(r"^\| (\d+) \|[^|]*\|[^|]*\| no \|", operations, re.M)
    return {int(row) for row in rows}


def patched(kustomization, base) -> Iterator[str]:
    """base: kind and name -> document.  JSON patches change what is there."""
    for patch in kustomization.get("patches", ()):
        target = patch.get("target", {})
        wanted = [document for (kind, name), document in base.items()
                  if kind == target.get("kind")
                  and target.get("name", name) == name]
        for step in yaml.safe_load(patch.get("patch", "[]")):
            for document in wanted:
                value = document
                try:
                    for key in step["path"].strip("/").split("/"):
                        value = value[int(key) if isinstance(value, list)
                                      else key]
                except (KeyError, IndexError):
                    yield f"no {step['path']} to patch"


def pod_spec(document):
    if document["kind"] == "Pod":
        return document["spec"]
    if document["kind"] == "Job":
        return document["spec"]["template"]["spec"]
    return None


class Known(NamedTuple):
    """What documents are held against."""

    options: set[str]
    hopeless: set[int]
    swagger: Swagger | None
    base: dict  # kind and name -> document of base/


def check_document(document, known, is_shared) -> Iterator[str]:
    """is_shared: of all clones of a namespace."""
    kind = f"{document.get('apiVersion')} {document.get('kind')}"
    if kind not in KINDS:
        yield f"{kind}: of no kind that is known here"
        return
    common = {"apiVersion": TEXT, "kind": TEXT, "metadata": METADATA}
    problems = list(shape(document, common | KINDS[kind]))
    yield from problems
    if problems:
        return
    if document["kind"] == "Kustomization":
        yield from patched(document, known.base)
        return
    if not is_shared:
        yield from labelled(document)
    if known.swagger:
        yield from known.swagger.check(document)
    spec = pod_spec(document)
    if spec:
        yield from restricted(spec)
        yield from consistent(spec, known.options)
    if document["kind"] == "Job":
        yield from gives_up(document, known.hopeless)


def same_pods(deploy) -> Iterator[str]:
    """A Job is the Pod of the same name, with something around it."""
    for pod in sorted(deploy.glob("base/pods/*.yaml")):
        job = deploy / "base/jobs" / pod.name
        specs = [pod_spec(yaml.safe_load(path.read_text())) |
                 {"restartPolicy": None} for path in (pod, job)]
        if specs[0] != specs[1]:
            yield f"{job}: not the pod of {pod}"


def read_base(deploy) -> dict:
    documents = [document for path in sorted(deploy.glob("base/**/*-block.yaml"))
                 for document in yaml.safe_load_all(path.read_text())]
    return {(d.get("kind"), d["metadata"]["name"]): d for d in documents}


def main(deploy, options, swagger=None) -> int:
    deploy, options = pathlib.Path(deploy), pathlib.Path(options)
    known = Known(
        set(re.findall(r"CLONEWIRE_[A-Z0-9_]+", options.read_text())),
        hopeless_statuses(options.with_name("operations.md").read_text()),
        Swagger(pathlib.Path(swagger)) if swagger else None,
        read_base(deploy))
    problems = list(same_pods(deploy))
    files = sorted(deploy.rglob("*.yaml"))
    for path in files:
        documents = list(yaml.safe_load_all(path.read_text()))
        if path.name.endswith("-node.yaml") or "scrape_configs" in documents[0]:
            continue  # a patch; a file of Prometheus
        for document in documents:
            problems += [f"{path}: {problem}" for problem in check_document(
                document, known, path.parent.name == "monitoring")]
            for inner in document.get("resources", ()):
                if not (path.parent / inner).exists():
                    problems.append(f"{path}: no {inner}")
    print("\n".join(problems + [f"{len(files)} files"]))
    return 1 if problems or not files else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
