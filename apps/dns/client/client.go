package client

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
)

// Network is what exchanges go over. *stack.Stack is one, and so is *net.Dialer.
type Network interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// Transport is how a question is asked.
type Transport uint8

// The transports. UDP falls back to TCP where it must.
const (
	UDP Transport = iota
	TCP
	TLS // RFC 7858
)

func (t Transport) String() string { return [...]string{"udp", "tcp", "tls", "?"}[t&3] }

// Client asks servers. Its fields are set before the first exchange; the zero value of each but Network is its default.
// Close it when it is not needed any more.
type Client struct {
	Network Network
	// UDPSize is what we offer to take over UDP, in octets: 1232.
	UDPSize uint16
	// Timeout bounds the wait for an answer over UDP where Options does not: 2 s. StreamTimeout bounds an exchange
	// over TCP or TLS, with the connection: 5 s. The context bounds both.
	Timeout, StreamTimeout time.Duration
	// Idle is how long a connection is kept that has nothing to do: 10 s.
	Idle time.Duration
	// MaxConnections bounds the connections over TCP and TLS to all servers together: 256. For one more, that which has had nothing
	// to do for the longest time is closed (RFC 7766 §6.2), or one that its server has not answered for a second; where all are
	// busy the exchange fails with ErrConnections.
	MaxConnections int
	// MaxMismatches is how many datagrams that are not the answer are ignored before TCP is tried: 8.
	MaxMismatches int
	// MaxServers bounds the memory of what servers can do, and Remember its age: 4096, one hour.
	MaxServers int
	Remember   time.Duration
	// NoCase and NoCookies turn off random case and cookies.
	NoCase, NoCookies bool
	// TLS is the configuration for TLS; Options may name the server.
	TLS *tls.Config

	counters [counters]atomic.Uint64
	secret   secret
	mu       sync.Mutex
	servers  map[netip.AddrPort]*server
	conns    map[connKey]*stream
	open     map[*stream]struct{} // those in conns, and full ones in whose place others are
	releases uint64
	streams  sync.WaitGroup
	closed   bool
}

// Options is what may be said about one exchange.
type Options struct {
	Transport Transport
	// Timeout is how long to wait over UDP; zero is Client.Timeout.
	Timeout time.Duration
	// ServerName is the name that a TLS server must prove. Empty: it proves nothing, and the
	// exchange is only hidden (RFC 7858 §4.1).
	ServerName string
	// NoFallback leaves a truncated answer as it is.
	NoFallback bool
}

// Result is how an exchange went.
type Result struct {
	RTT        time.Duration // from the last question sent to its answer
	Transport  Transport     // by which the answer came
	Sent       int           // how many questions were sent
	OctetsOut  int           // of the last question
	OctetsIn   int           // of the answer
	Mismatched int           // datagrams that were not the answer
	Truncated  bool          // the answer over UDP was
	NoEDNS     bool          // the server does not know EDNS
}

func or[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

func (c *Client) udpSize() uint16 { return max(or(c.UDPSize, 1232), 512) }

// Exchange sends m to a server and returns its answer. The id is the client's business, and so are the case of the
// question, the size and the cookie of EDNS, where m has it; m is not changed. The answer has the question as m has it. The
// error is a *Error that says what was tried, around the network's or the context's.
func (c *Client) Exchange(ctx context.Context, m *msg.Message, to netip.AddrPort, o Options) (*msg.Message, Result, error) {
	x := exchange{c: c, m: *m, to: to, o: o, server: c.server(to)}
	reply, err := x.run(ctx)
	if err != nil {
		c.counters[countFailed].Add(1)
		err = &Error{Server: to, Transport: x.Transport, Question: questionOf(m), Err: err}
	}
	return reply, x.Result, err
}

// Close closes the connections that are kept. Exchanges that are under way on them fail.
func (c *Client) Close() {
	c.mu.Lock()
	c.closed = true
	list := c.open
	c.conns, c.open = nil, nil
	c.mu.Unlock()
	for s := range list {
		s.fail(net.ErrClosed)
	}
	c.streams.Wait()
}

// Connections returns how many connections are open, or being opened.
func (c *Client) Connections() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.open)
}

func questionOf(m *msg.Message) msg.Question {
	if len(m.Question) == 0 {
		return msg.Question{Name: msg.Root}
	}
	return m.Question[0]
}
