package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirnet/weir/cmd/weir/internal/node"
)

// ncFlags are the flags of weir nc.
type ncFlags struct {
	client clientFlags
	udp    bool
	listen bool
	end    bool // half-close at the end of the input
	wait   seconds
	v4, v6 bool
}

func newNC() *cobra.Command {
	f := &ncFlags{}
	cmd := &cobra.Command{
		Use:   "nc [flags] HOST PORT\n  weir nc -l [flags] [HOST] PORT",
		Short: "Connect standard input and output to a TCP or UDP peer, by a stack of its own",
		Long: `Brings a stack up on a TUN device of its own and connects standard input and output to
a peer: the host's kernel, at any of its addresses, or another weir beyond, where the
host forwards. With -l it waits for the peer to connect, and says where.
A name is looked up by the host's resolver.`,
		Example: "  printf hello | weir nc -N 198.51.100.1 7    # a server on this host\n" +
			"  weir nc -u 192.0.2.2 7                      # a weir up on this host, which must forward\n" +
			"  weir nc -l 9000 > file                      # then: nc -N 198.51.100.2 9000 < file",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 1 || len(args) > 2 {
				return errors.New("nc needs HOST and PORT, or -l and PORT")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr(), args)
		},
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.BoolVarP(&f.udp, "udp", "u", false, "UDP, a datagram for each read of the input")
	fs.BoolVarP(&f.listen, "listen", "l", false, "wait for the peer to begin")
	fs.BoolVarP(&f.end, "shutdown", "N", false, "close the sending half at the end of the input")
	fs.VarP(&f.wait, "wait", "w", "give up when a connection takes, or nothing moves for, so many `SECONDS`; 0 is never")
	fs.BoolVarP(&f.v4, "ipv4", "4", false, "IPv4 only")
	fs.BoolVarP(&f.v6, "ipv6", "6", false, "IPv6 only")
	f.client.register(fs)
	return cmd
}

// target reads HOST and PORT. A listener's host may be left out.
func (f *ncFlags) target(ctx context.Context, args []string) (host netip.Addr, port string, err error) {
	if f.v4 && f.v6 {
		return host, "", errors.New("-4 and -6 contradict each other")
	}
	port = args[len(args)-1]
	if len(args) == 2 {
		host, err = parseTarget(ctx, args[0], f.v4, f.v6)
		return host, port, err
	}
	if !f.listen {
		return host, "", errors.New("nc needs HOST and PORT, or -l and PORT")
	}
	return host, port, nil
}

func (f *ncFlags) run(ctx context.Context, in io.Reader, out, messages io.Writer, args []string) (err error) {
	host, port, err := f.target(ctx, args)
	if err != nil {
		return err
	}
	n, err := f.client.open(f.families(host))
	if err != nil {
		return err
	}
	defer func() {
		if cerr := n.Close(); err == nil {
			err = cerr
		}
	}()
	var c net.Conn
	if f.listen {
		c, err = f.accept(ctx, n, host, port, messages)
	} else {
		c, err = f.dial(ctx, n, host, port)
	}
	if ctx.Err() != nil {
		return nil // interrupted before there was a peer
	}
	if err != nil {
		return err
	}
	defer c.Close()
	return exchange(ctx, c, in, out, exchangeOptions{datagrams: f.udp, end: f.end, idle: time.Duration(f.wait)})
}

// families says which families the stack needs addresses of.
func (f *ncFlags) families(host netip.Addr) (v4, v6 bool) {
	if host.IsValid() && !f.listen {
		return host.Is4(), host.Is6()
	}
	return !f.v6, !f.v4
}

func (f *ncFlags) network() string {
	if f.udp {
		return "udp"
	}
	return "tcp"
}

func (f *ncFlags) dial(ctx context.Context, n *node.Node, host netip.Addr, port string) (net.Conn, error) {
	if f.wait > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(f.wait))
		defer cancel()
	}
	c, err := n.Stack.DialContext(ctx, f.network(), net.JoinHostPort(host.String(), port))
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return nil, fmt.Errorf("%w%s", err, f.client.hint(host))
	}
	return c, err
}

// accept waits for one peer.
func (f *ncFlags) accept(ctx context.Context, n *node.Node, host netip.Addr, port string, messages io.Writer) (net.Conn, error) {
	address := net.JoinHostPort("", port)
	where := n.Addrs()
	if host.IsValid() {
		address, where = net.JoinHostPort(host.String(), port), []netip.Addr{host}
	}
	network := f.network()
	if f.v4 {
		network += "4"
	} else if f.v6 {
		network += "6"
	}
	say := func() {
		fmt.Fprintf(messages, "weir nc: waiting at %s port %s\n", strings.Trim(fmt.Sprint(where), "[]"), port)
	}
	if f.udp {
		pc, err := n.Stack.ListenPacket(network, address)
		if err != nil {
			return nil, err
		}
		say()
		return awaitDatagram(ctx, pc)
	}
	ln, err := n.Stack.Listen(network, address)
	if err != nil {
		return nil, err
	}
	defer ln.Close()
	say()
	defer context.AfterFunc(ctx, func() { ln.Close() })()
	return ln.Accept()
}
