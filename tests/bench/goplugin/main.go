// A do-nothing provider as a process of its own, the way that providers of Terraform are: started, called once, ended.
//
// Without arguments it measures: it starts itself as a plugin over and over, and prints the median time and memory as JSON.
package main

import (
	"encoding/json"
	"fmt"
	"net/rpc"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
)

// Starts that are measured, after one that is not.
const starts = 30

var handshake = plugin.HandshakeConfig{ProtocolVersion: 1, MagicCookieKey: "SHEAVE_BENCH", MagicCookieValue: "plugin"}

// A Provider answers with what it was asked.
type Provider interface {
	Apply(properties string) (string, error)
}

type nothing struct{}

func (nothing) Apply(properties string) (string, error) { return properties, nil }

type client struct{ rpc *rpc.Client }

func (c client) Apply(properties string) (reply string, err error) {
	err = c.rpc.Call("Plugin.Apply", properties, &reply)
	return reply, err
}

type server struct{ provider Provider }

func (s server) Apply(properties string, reply *string) (err error) {
	*reply, err = s.provider.Apply(properties)
	return err
}

type wiring struct{}

func (wiring) Server(*plugin.MuxBroker) (any, error) { return server{nothing{}}, nil }
func (wiring) Client(_ *plugin.MuxBroker, c *rpc.Client) (any, error) {
	return client{c}, nil
}

func main() {
	set := plugin.PluginSet{"provider": wiring{}}
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		plugin.Serve(&plugin.ServeConfig{HandshakeConfig: handshake, Plugins: set, Logger: hclog.NewNullLogger()})
		return
	}
	var times, memory []int64
	for range starts + 1 {
		micros, kib, err := once(set)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		times, memory = append(times, micros), append(memory, kib)
	}
	times, memory = times[1:], memory[1:]
	slices.Sort(times)
	slices.Sort(memory)
	_ = json.NewEncoder(os.Stdout).Encode(map[string]int64{"micros": times[starts/2], "kib": memory[starts/2]})
}

// once starts the plugin, calls it, and gives how long that took and what the process held meanwhile.
func once(set plugin.PluginSet) (micros, kib int64, err error) {
	began := time.Now()
	process := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig: handshake,
		Plugins:         set,
		Cmd:             exec.Command(os.Args[0], "serve"),
		Logger:          hclog.NewNullLogger(),
	})
	defer process.Kill()
	connection, err := process.Client()
	if err != nil {
		return 0, 0, err
	}
	raw, err := connection.Dispense("provider")
	if err != nil {
		return 0, 0, err
	}
	reply, err := raw.(Provider).Apply(`{"replicas": 3}`)
	if err != nil || reply != `{"replicas": 3}` {
		return 0, 0, fmt.Errorf("it answered %q: %v", reply, err)
	}
	took := time.Since(began)
	kib, err = resident(process.ID())
	return took.Microseconds(), kib, err
}

func resident(pid string) (int64, error) {
	status, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if rest, found := strings.CutPrefix(line, "VmRSS:"); found {
			return strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
		}
	}
	return 0, fmt.Errorf("no VmRSS of %s", pid)
}
