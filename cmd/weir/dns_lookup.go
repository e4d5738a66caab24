package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirnet/weir/apps/dns/client"
	"github.com/weirnet/weir/apps/dns/msg"
)

// lookupFlags are the flags of weir dns lookup.
type lookupFlags struct {
	network   dnsNetwork
	server    string
	reverse   string
	short     bool
	tcp, tls  bool
	tlsName   string
	dnssec    bool
	noRecurse bool
	bufsize   uint16
	wait      seconds
}

func newDNSLookup() *cobra.Command {
	f := &lookupFlags{wait: seconds(5 * time.Second)}
	cmd := &cobra.Command{
		Use:   "lookup [flags] NAME [TYPE]\n  weir dns lookup [flags] -x ADDR",
		Short: "Ask a name server one question",
		Long: `Asks a name server for the records of a name, or with -x for the name of an address, and prints
the answer as dig does; --short prints the data alone. TYPE is A where it is left out.

The question goes over a stack of weir's own on a TUN device, as those of weir ping do; with --kernel over
the host's sockets, and with --tree to the resolver of the demonstration tree, in memory.`,
		Example: "  weir dns lookup --tree www.weir.example            # no root, no network\n" +
			"  weir dns lookup --kernel www.example.org AAAA      # the host's own resolver\n" +
			"  weir dns lookup --server 198.51.100.1 example.org MX\n" +
			"  weir dns lookup --tree -x 203.0.113.80\n" +
			"  weir dns lookup --tree --short big.weir.example TXT   # truncated, and asked again over TCP\n" +
			"  weir dns lookup --kernel --server 192.0.2.53 --dnssec --tcp example.org DNSKEY",
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd.Context(), cmd.OutOrStdout(), args)
		},
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.StringVar(&f.server, "server", "", "ask the server at `ADDR[:PORT]`; without it the host's first, or the tree's")
	fs.StringVarP(&f.reverse, "reverse", "x", "", "ask for the name of the address `ADDR`")
	fs.BoolVarP(&f.short, "short", "s", false, "print the data of the answer only, one record a line")
	fs.BoolVar(&f.tcp, "tcp", false, "ask over TCP")
	fs.BoolVar(&f.tls, "tls", false, "ask over TLS (DNS over TLS, port 853)")
	fs.StringVar(&f.tlsName, "tls-name", "", "the `NAME` that the server's certificate must have; without it nothing is proven")
	fs.BoolVar(&f.dnssec, "dnssec", false, "ask for signatures too (the DO bit)")
	fs.BoolVar(&f.noRecurse, "no-recurse", false, "ask for what the server knows itself")
	fs.Uint16Var(&f.bufsize, "bufsize", 1232, "take answers over UDP of so many `OCTETS`")
	fs.VarP(&f.wait, "wait", "w", "give up after so many `SECONDS`")
	f.network.register(fs)
	return cmd
}

// question is what is asked of whom.
type question struct {
	name    msg.Name
	typ     msg.Type
	server  netip.AddrPort
	dnssec  bool
	recurse bool
}

func (q question) message() *msg.Message {
	m := msg.NewQuery(q.name, q.typ, q.recurse)
	m.EDNS = &msg.EDNS{DO: q.dnssec}
	return m
}

// answer is what came back.
type answer struct {
	question
	reply  *msg.Message
	result client.Result
}

// parse reads what is asked.
func (f *lookupFlags) parse(args []string) (q question, err error) {
	q.dnssec, q.recurse, q.typ = f.dnssec, !f.noRecurse, msg.TypeA
	switch {
	case f.reverse != "" && len(args) > 0:
		return q, errors.New("-x takes the place of NAME and TYPE")
	case f.reverse != "":
		a, err := netip.ParseAddr(f.reverse)
		if err != nil {
			return q, fmt.Errorf("-x %s: not an IP address", f.reverse)
		}
		q.name, q.typ = msg.ReverseName(a), msg.TypePTR
	case len(args) < 1 || len(args) > 2:
		return q, errors.New("lookup needs NAME and maybe a TYPE, as in weir dns lookup www.example.org AAAA, or -x ADDR")
	default:
		if q.name, err = msg.ParseName(args[0]); err != nil {
			return q, err
		}
		if len(args) == 2 {
			if q.typ, err = msg.ParseType(args[1]); err != nil {
				return q, err
			}
		}
	}
	if q.typ == msg.TypeAXFR || q.typ == msg.TypeIXFR {
		return q, fmt.Errorf("%v is a transfer of many messages: use dig, or weir dns serve --secondary", q.typ)
	}
	if f.server == "" {
		q.server, err = f.network.defaultServer()
		return q, err
	}
	port := uint16(dnsPort)
	if f.tls {
		port = 853
	}
	q.server, err = parseServer(f.server, port)
	return q, err
}

func (f *lookupFlags) run(ctx context.Context, out io.Writer, args []string) (err error) {
	if f.tcp && f.tls {
		return errors.New("--tcp and --tls contradict each other")
	}
	if f.bufsize < 512 {
		return fmt.Errorf("--bufsize %d: must be from 512 to 65535", f.bufsize)
	}
	if err := f.network.check(); err != nil {
		return err
	}
	q, err := f.parse(args)
	if err != nil {
		return err
	}
	n, err := f.network.open(q.server.Addr().Is4(), q.server.Addr().Is6())
	if err != nil {
		return err
	}
	defer func() {
		if cerr := n.close(); err == nil {
			err = cerr
		}
	}()
	c := &client.Client{Network: n, UDPSize: f.bufsize, StreamTimeout: time.Duration(f.wait)}
	defer c.Close()
	o := client.Options{ServerName: f.tlsName, Timeout: time.Duration(f.wait)}
	switch {
	case f.tcp:
		o.Transport = client.TCP
	case f.tls:
		o.Transport = client.TLS
	}
	a, err := n.exchange(ctx, c, q, o)
	if err != nil {
		return err
	}
	_, err = io.WriteString(out, a.text(f.short))
	return err
}

// text is the answer for people, or the data alone.
func (a *answer) text(short bool) string {
	var b strings.Builder
	if short {
		for _, rr := range a.reply.Answer {
			b.WriteString(rr.DataString() + "\n")
		}
		return b.String()
	}
	b.WriteString(a.reply.String())
	again := ""
	if a.result.Truncated && a.result.Transport == client.TCP {
		again = ", after a truncated answer over UDP"
	}
	fmt.Fprintf(&b, "\n;; %v from %v over %v, %d octets%s\n", a.result.RTT.Round(10*time.Microsecond), a.server, a.result.Transport, a.result.OctetsIn, again)
	return b.String()
}
