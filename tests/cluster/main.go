// Command sheave-cluster is a whole Kubernetes control plane in one binary, for
// tests: `up` starts its parts as processes of their own, `down` ends them.
// This file is the map: which subcommand is which function.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"k8s.io/klog/v2"
)

// revision identifies the sources this binary was built from. The build sets
// it, and `up` replaces a cluster that another revision started.
var revision = "unknown"

// command is one subcommand. Those without a summary are the cluster's parts,
// which `up` starts; they are not for people.
type command struct {
	summary string
	run     func(args []string) error
}

var commands = map[string]command{
	"up":     {"start a cluster, wait until it is ready, and leave it running", people(up)},
	"down":   {"end a cluster's processes and remove its folder", people(down)},
	"status": {"say which parts run; exit 1 unless all do", people(status)},
	"env":    {"print the `export` lines that point a shell at a cluster", people(env)},

	"etcd":               {run: runEtcd},
	"apiserver":          {run: runAPIServer},
	"controller-manager": {run: runControllerManager},
	"scheduler":          {run: runScheduler},
	"loadbalancer":       {run: runLoadBalancer},
	"volumes":            {run: runVolumes},
}

func main() {
	if len(os.Args) < 2 {
		usage()
		os.Exit(2)
	}
	name := os.Args[1]
	if name == "help" || name == "-h" || name == "--help" {
		usage()
		return
	}
	chosen, known := commands[name]
	if !known {
		fmt.Fprintf(os.Stderr, "sheave-cluster: no subcommand %q\n\n", name)
		usage()
		os.Exit(2)
	}
	err := chosen.run(os.Args[2:])
	switch {
	case err == nil:
	case errors.Is(err, errUsage):
		os.Exit(2)
	default:
		fmt.Fprintf(os.Stderr, "sheave-cluster %s: %v\n", name, err)
		os.Exit(1)
	}
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: sheave-cluster SUBCOMMAND --dir DIR [--name NAME]")
	fmt.Fprintln(os.Stderr)
	for _, name := range []string{"up", "down", "status", "env"} {
		fmt.Fprintf(os.Stderr, "  %-8s%s\n", name, commands[name].summary)
	}
}

// people wraps a subcommand that a person or a build runs: it reads the common
// flags, an interrupt cancels the context, and what client libraries log stays out
// of the terminal: the errors themselves come back anyway.
func people(run func(context.Context, cluster, options) error) func([]string) error {
	return func(args []string) error {
		opts, err := parseOptions(args)
		if err != nil {
			return err
		}
		klog.LogToStderr(false)
		klog.SetOutput(io.Discard)
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		return run(ctx, cluster{dir: opts.dir}, opts)
	}
}
