// A plugin with one type: a page, the pods that show it and the service before them.
package main

import (
	"fmt"

	"sheave"
	"sheave/emitter"
)

// Props is what a blueprint writes.
type Props struct {
	Message  string            `json:"message" doc:"What the page says."`
	Replicas int               `json:"replicas" doc:"How many pods show it." default:"1" min:"1"`
	Labels   map[string]string `json:"labels" doc:"Labels for the objects." default:"{}"`
}

// Outputs are what other resources can read.
type Outputs struct {
	Address string `json:"address" doc:"Where the page is, inside the cluster." sheave:"stable"`
	Pods    int    `json:"pods" doc:"How many pods show it now."`
}

const mostPods = 10

func init() {
	emitter.Register(emitter.Type[Props, Outputs]{
		Name:    "Page",
		Summary: "a page that says something",
		Check:   check,
		Render:  render,
		Observe: observe,
	})
}

func check(cx *sheave.Context, props Props) []sheave.Diagnostic {
	var found []sheave.Diagnostic
	if props.Message == "" {
		found = append(found, sheave.Fault("greeting.no-message", "the page says nothing").At("/message"))
	}
	if props.Replicas > mostPods {
		why := sheave.Fault("greeting.too-many-pods", fmt.Sprintf("%d pods are too many for a page", props.Replicas))
		found = append(found, why.At("/replicas").Because(fmt.Sprintf("at most %d show it", mostPods)))
	}
	return found
}

func render(cx *sheave.Context, props Props, _ emitter.Live) ([]emitter.Object, error) {
	name := sheave.Label(cx.Name)
	selector := sheave.M{"app": name}
	metadata := func() sheave.M {
		metadata := sheave.M{"name": name}
		if len(props.Labels) > 0 {
			metadata["labels"] = props.Labels
		}
		return metadata
	}
	page := sheave.M{
		"apiVersion": "v1",
		"kind":       "ConfigMap",
		"metadata":   metadata(),
		"data":       sheave.M{"index.html": "<h1>" + props.Message + "</h1>\n"},
	}
	pods := sheave.M{
		"apiVersion": "apps/v1",
		"kind":       "Deployment",
		"metadata":   metadata(),
		"spec": sheave.M{
			"replicas": props.Replicas,
			"selector": sheave.M{"matchLabels": selector},
			"template": sheave.M{
				"metadata": sheave.M{"labels": selector},
				"spec": sheave.M{
					"containers": sheave.L{sheave.M{
						"name":         "web",
						"image":        "nginx:1.29",
						"ports":        sheave.L{sheave.M{"containerPort": 80}},
						"volumeMounts": sheave.L{sheave.M{"name": "page", "mountPath": "/usr/share/nginx/html"}},
					}},
					"volumes": sheave.L{sheave.M{"name": "page", "configMap": sheave.M{"name": name}}},
				},
			},
		},
	}
	service := sheave.M{
		"apiVersion": "v1",
		"kind":       "Service",
		"metadata":   metadata(),
		"spec":       sheave.M{"selector": selector, "ports": sheave.L{sheave.M{"port": 80}}},
	}
	return []emitter.Object{
		{Slot: "page", Manifest: page},
		{Slot: "pods", Manifest: pods, After: []string{"page"}, RestartOn: []string{"page"}},
		{Slot: "service", Manifest: service},
	}, nil
}

func observe(cx *sheave.Context, props Props, live emitter.Live) (emitter.Observation[Outputs], error) {
	status, _ := live["pods"]["status"].(sheave.M)
	ready, _ := status["readyReplicas"].(float64)
	outputs := Outputs{Address: "http://" + sheave.Label(cx.Name), Pods: int(ready)}
	if outputs.Pods < props.Replicas {
		return emitter.Waiting(fmt.Sprintf("%d of %d pods are ready", outputs.Pods, props.Replicas), outputs), nil
	}
	return emitter.Ready(outputs), nil
}

func main() {}
