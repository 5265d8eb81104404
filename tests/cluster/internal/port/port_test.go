package port

import (
	"context"
	"fmt"
	"net"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestOnlyTheServerItIsMeantForGetsThePort(t *testing.T) {
	reserved, err := Reserve()
	if err != nil {
		t.Fatal(err)
	}
	defer reserved.Release()
	address := fmt.Sprintf("127.0.0.1:%d", reserved.Number)
	if stranger, err := net.Listen("tcp", address); err == nil {
		stranger.Close()
		t.Error("a stranger got the port")
	}
	if connection, err := net.Dial("tcp", address); err == nil {
		connection.Close()
		t.Error("somebody listens before the server does")
	}
	sharing := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		var failed error
		err := raw.Control(func(socket uintptr) {
			failed = unix.SetsockoptInt(int(socket), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
		})
		if err != nil {
			return err
		}
		return failed
	}}
	server, err := sharing.Listen(context.Background(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	// All connections must reach the server, none the reservation.
	for range 20 {
		connection, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		accepted, err := server.Accept()
		if err != nil {
			t.Fatal(err)
		}
		accepted.Close()
		connection.Close()
	}
}
