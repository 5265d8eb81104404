// The flags that up, down, status and env have in common.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

// errUsage says that the flag package has already printed what was wrong.
var errUsage = errors.New("usage")

type options struct {
	dir string
	// name is empty when it was not given: then a cluster keeps the one it has,
	// and a new one takes its folder's.
	name    string
	timeout time.Duration
}

// A cluster's name becomes a kubeconfig context and part of user names.
var validName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

func parseOptions(args []string) (options, error) {
	var opts options
	flags := flag.NewFlagSet("sheave-cluster", flag.ContinueOnError)
	flags.SetOutput(os.Stderr)
	flags.StringVar(&opts.dir, "dir", os.Getenv("SHEAVE_TEST_CLUSTER_DIR"),
		"the cluster's folder; all it writes lies beneath it (default $SHEAVE_TEST_CLUSTER_DIR)")
	flags.StringVar(&opts.name, "name", "",
		"the cluster's name in its kubeconfig (default: the folder's name)")
	flags.DurationVar(&opts.timeout, "timeout", 3*time.Minute, "how long up waits for readiness")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			os.Exit(0)
		}
		return opts, errUsage
	}
	if flags.NArg() != 0 {
		return opts, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if opts.dir == "" {
		return opts, errors.New("--dir is needed: the folder that holds the cluster")
	}
	absolute, err := filepath.Abs(opts.dir)
	if err != nil {
		return opts, err
	}
	opts.dir = absolute
	if opts.name != "" {
		return opts, checkName(opts.name)
	}
	return opts, nil
}

// nameOfNew is the name for a cluster that is to be made.
func (o options) nameOfNew() (string, error) {
	name := o.name
	if name == "" {
		name = filepath.Base(o.dir)
	}
	return name, checkName(name)
}

func checkName(name string) error {
	if !validName.MatchString(name) {
		return fmt.Errorf("%q is no cluster name: give --name, in lower case letters, digits and hyphens", name)
	}
	if reservedName(name) {
		return fmt.Errorf("%q is one of the cluster's users: give another --name", name)
	}
	return nil
}
