package stack

import (
	"context"
	"fmt"
	"net"

	"github.com/weirnet/weir/stack/event"
)

// ListenEvents listens on a TCP address, as Listen does, for a handler: its calls run inside the
// stack's receive path, with what was received lent to them. There is no Accept, no
// goroutine and no object per connection; see package event. The error is a *net.OpError around
// EADDRINUSE or EADDRNOTAVAIL, or EINVAL where there is no handler.
//
//	l, err := st.ListenEvents("tcp", ":7", &event.Funcs{Data: (*event.Conn).Write}, event.Options{})
func (s *Stack) ListenEvents(network, address string, h event.Handler, o event.Options) (*event.Listener, error) {
	e, err := parseStream("listen", network, address)
	if err != nil {
		return nil, err
	}
	l, err := event.Listen(s.h, e.addr, e.any, h, o)
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Addr: net.TCPAddrFromAddrPort(e.addr), Err: err}
	}
	return l, nil
}

// DialEvents begins to connect to a TCP address for a handler, and does not wait: OnOpen or OnClose tells
// how it went, maybe before DialEvents returns. Where the context ends before OnOpen, the attempt is given up and
// OnClose says ECONNABORTED; after that the context means nothing. The error is a *net.OpError around what is known
// before the first packet, such as ENETUNREACH or the context's error; then there is no call.
func (s *Stack) DialEvents(ctx context.Context, network, address string, h event.Handler, o event.DialOptions) (*event.Conn, error) {
	e, err := parseStream("dial", network, address)
	if err != nil {
		return nil, err
	}
	c, err := event.Dial(ctx, s.h, e.addr, h, o)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Addr: net.TCPAddrFromAddrPort(e.addr), Err: err}
	}
	return c, nil
}

// parseStream is parse for the networks of TCP.
func parseStream(op, network, address string) (endpoint, error) {
	proto, e, err := parse(op, network, address)
	if err == nil && e.name != "" {
		return e, &net.OpError{Op: op, Net: network, Err: &net.DNSError{
			Err: "not an IP address, and DialEvents does not wait for names: look it up first", Name: e.name, IsNotFound: true,
		}}
	}
	if err == nil && proto != "tcp" {
		err = &net.OpError{Op: op, Net: network, Err: fmt.Errorf("not a stream network: handlers of datagrams are for ListenPacketEvents")}
	}
	return e, err
}
