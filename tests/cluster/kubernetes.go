// Subcommands apiserver, controller-manager and scheduler: Kubernetes' own
// commands, unchanged, with their own flags.
package main

import (
	"errors"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

func runAPIServer(args []string) error {
	return runKubernetes(apiserver.NewAPIServerCommand(), args)
}

func runControllerManager(args []string) error {
	return runKubernetes(controllermanager.NewControllerManagerCommand(), args)
}

func runScheduler(args []string) error {
	return runKubernetes(scheduler.NewSchedulerCommand(), args)
}

func runKubernetes(command *cobra.Command, args []string) error {
	command.SetArgs(args)
	if cli.Run(command) != 0 {
		return errors.New("ended with the error above")
	}
	return nil
}
