// Package port finds a free port and keeps it free for the server that will use it.
package port

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Reserved is a socket that is bound but does not listen. Bound with
// SO_REUSEPORT, it lets a server that does the same in beside it, and keeps the
// kernel from giving the port to anybody who asks for a free one.
type Reserved struct {
	socket int
	Number int
}

// Reserve takes a free port on 127.0.0.1.
func Reserve() (*Reserved, error) {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return nil, err
	}
	port := &Reserved{socket: socket}
	unix.CloseOnExec(socket)
	if err := unix.SetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
		port.Release()
		return nil, err
	}
	if err := unix.Bind(socket, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		port.Release()
		return nil, fmt.Errorf("no free port on 127.0.0.1: %w", err)
	}
	address, err := unix.Getsockname(socket)
	if err != nil {
		port.Release()
		return nil, err
	}
	port.Number = address.(*unix.SockaddrInet4).Port
	return port, nil
}

// Release gives up our hold; a server that has the port by then keeps it.
func (p *Reserved) Release() { _ = unix.Close(p.socket) }
