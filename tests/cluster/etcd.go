// Subcommand etcd: one member, in this process, that never waits for the disk.
package main

import (
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"syscall"

	"go.etcd.io/etcd/server/v3/embed"
)

// runEtcd serves until it is told to end. The port is the kernel's choice; the
// ready file says which, once requests are answered.
func runEtcd(args []string) error {
	flags := flag.NewFlagSet("etcd", flag.ContinueOnError)
	data := flags.String("data-dir", "", "where the data lies")
	ready := flags.String("ready-file", "", "is made when etcd answers, and holds its URL")
	if err := flags.Parse(args); err != nil {
		return errUsage
	}
	anyPort := []url.URL{{Scheme: "http", Host: "127.0.0.1:0"}}
	config := embed.NewConfig()
	config.Name = "test"
	config.Dir = *data
	config.UnsafeNoFsync = true // the data ends with the cluster
	config.ListenClientUrls, config.AdvertiseClientUrls = anyPort, anyPort
	config.ListenPeerUrls, config.AdvertisePeerUrls = anyPort, anyPort
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	config.EnableGRPCGateway = false // it would dial the port that we do not know yet
	// Left at zero, every request would be called slow, and logged.
	config.WarningUnaryRequestDuration = embed.DefaultWarningUnaryRequestDuration
	config.LogLevel = "warn"
	config.LogOutputs = []string{"stderr"}
	// Tests may write much in one go, and nobody defragments.
	config.QuotaBackendBytes = 8 << 30

	server, err := embed.StartEtcd(config)
	if err != nil {
		return err
	}
	defer server.Close()
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM, os.Interrupt)
	select {
	case <-server.Server.ReadyNotify():
	case err := <-server.Err():
		return err
	case <-end:
		return nil
	}
	address := fmt.Sprintf("http://%s", server.Clients[0].Addr())
	if err := writeAtomically(*ready, []byte(address)); err != nil {
		return err
	}
	select {
	case err := <-server.Err():
		return err
	case <-server.Server.StopNotify():
		return errors.New("etcd stopped by itself")
	case <-end:
		return nil
	}
}
