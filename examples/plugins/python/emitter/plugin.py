"""A plugin with one type: a page, the pods that show it and the service before them."""

from dataclasses import dataclass, field
from typing import Annotated

from sheave import Minimum, Stable, fault, label
from sheave.emitter import Emitter, Object, Observation

MOST_PODS = 10


@dataclass
class Props:
    """What a blueprint writes."""

    message: Annotated[str, "What the page says."]
    replicas: Annotated[int, "How many pods show it.", Minimum(1)] = 1
    labels: Annotated[dict[str, str], "Labels for the objects."] = field(default_factory=dict)


@dataclass
class Outputs:
    """What other resources can read."""

    address: Annotated[str, "Where the page is, inside the cluster.", Stable]
    pods: Annotated[int, "How many pods show it now."]


class Page(Emitter[Props, Outputs]):
    """a page that says something"""

    def check(self, cx, props):
        if not props.message:
            yield fault("greeting.no-message", "the page says nothing", at="/message")
        if props.replicas > MOST_PODS:
            summary = f"{props.replicas} pods are too many for a page"
            yield fault("greeting.too-many-pods", summary, f"at most {MOST_PODS} show it", at="/replicas")

    def render(self, cx, props, found):
        name = label(cx.name)
        metadata = {"name": name} | ({"labels": props.labels} if props.labels else {})
        selector = {"app": name}
        page = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata,
            "data": {"index.html": f"<h1>{props.message}</h1>\n"},
        }
        container = {
            "name": "web",
            "image": "nginx:1.29",
            "ports": [{"containerPort": 80}],
            "volumeMounts": [{"name": "page", "mountPath": "/usr/share/nginx/html"}],
        }
        pods = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {
                "replicas": props.replicas,
                "selector": {"matchLabels": selector},
                "template": {
                    "metadata": {"labels": selector},
                    "spec": {"containers": [container], "volumes": [{"name": "page", "configMap": {"name": name}}]},
                },
            },
        }
        service = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {"selector": selector, "ports": [{"port": 80}]},
        }
        return [
            Object("page", page),
            Object("pods", pods, after=["page"], restart_on=["page"]),
            Object("service", service),
        ]

    def observe(self, cx, props, live):
        pods = live.get("pods") or {}
        ready = pods.get("status", {}).get("readyReplicas", 0)
        outputs = Outputs(address="http://" + label(cx.name), pods=ready)
        if ready < props.replicas:
            return Observation(outputs, ready=False, reason=f"{ready} of {props.replicas} pods are ready")
        return Observation(outputs)
