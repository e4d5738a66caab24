package stub

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirnet/weir/apps/dns/client"
)

// asking returns a resolver that asks the server over the host's loopback.
func asking(t testing.TB, s *server, conf Conf) *Resolver {
	t.Helper()
	r := New(patient(conf, s.addr))
	t.Cleanup(func() { r.Close() })
	return r
}

// patient is a configuration over the host's loopback that waits for a minute where conf does not say how long: nobody is asked a
// second time because the machine is busy.
func patient(conf Conf, servers ...netip.AddrPort) Config {
	if conf.Timeout == 0 {
		conf.Timeout = time.Minute
	}
	c := &client.Client{Network: &net.Dialer{}, StreamTimeout: conf.Timeout}
	return Config{Network: c.Network, Client: c, Servers: servers, Conf: &conf}
}

// resolver is what this package's and package net's resolvers have in common.
type resolver interface {
	LookupHost(ctx context.Context, host string) ([]string, error)
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
	LookupAddr(ctx context.Context, addr string) ([]string, error)
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
	LookupTXT(ctx context.Context, name string) ([]string, error)
	LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
	LookupNS(ctx context.Context, name string) ([]*net.NS, error)
	LookupCNAME(ctx context.Context, host string) (string, error)
}

// call calls one of them by what a row of the table says: "mx mx.example".
func call(ctx context.Context, r resolver, row string) (result any, err error) {
	f, name, _ := strings.Cut(row, " ")
	switch f {
	case "host":
		list, err := r.LookupHost(ctx, name)
		slices.Sort(list) // by RFC 6724, and from where package net asks is the machine's
		return list, err
	case "ip", "ip4", "ip6", "ipx":
		list, err := r.LookupNetIP(ctx, f, name)
		for i, a := range list {
			list[i] = a.Unmap() // package net maps those of literals
		}
		slices.SortFunc(list, netip.Addr.Compare)
		return list, err
	case "addr":
		return values(r.LookupAddr(ctx, name))
	case "mx":
		return values(r.LookupMX(ctx, name))
	case "txt":
		return values(r.LookupTXT(ctx, name))
	case "srv":
		cname, list, err := r.LookupSRV(ctx, "http", "tcp", name)
		return fmt.Sprintf("%s %s", cname, text(list)), err
	case "plainsrv":
		cname, list, err := r.LookupSRV(ctx, "", "", name)
		return fmt.Sprintf("%s %s", cname, text(list)), err
	case "ns":
		return values(r.LookupNS(ctx, name))
	}
	return r.LookupCNAME(ctx, name)
}

func values[T any](list []T, err error) (any, error) { return text(list), err }

// text shows what pointers point to.
func text[T any](list []T) string {
	var s []string
	for _, v := range list {
		s = append(s, fmt.Sprintf("%+v", reflect.Indirect(reflect.ValueOf(v))))
	}
	return strings.Join(s, ", ")
}

// shape is what matters of an error.
func shape(err error) string {
	var d *net.DNSError
	if errors.As(err, &d) {
		return fmt.Sprintf("DNSError %q of %q not found %v timeout %v temporary %v", d.Err, d.Name, d.IsNotFound, d.IsTimeout, d.IsTemporary)
	}
	return fmt.Sprintf("%T %v", err, err)
}

// The results and the errors are those of package net, which asks the same server.
func TestLookupsAreThoseOfPackageNet(t *testing.T) {
	s := newServer(t)
	goes := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, s.addr.String())
	}}
	ours := asking(t, s, Conf{NDots: 1})
	for _, row := range []string{
		"host www.example", "host www.example.", "host WWW.Example", "host four.example", "host six.example", "host many.example",
		"host alias.example", "host dangling.example", "host nobody.example", "host text.example", "host fail.example.", "host refused.example.",
		"host lame.example.", "host a..example", "host -a.example", "host a-.example", "host 192.0.2.1", "host 2001:db8::1", "host ",
		"host 12345", "host a b.example", "host under_score.example", "host .", "host " + strings.Repeat("a", 64) + ".example",
		"host " + strings.Repeat("abc.", 70) + "example", "host fe80::1%lo",
		"ip www.example", "ip4 www.example", "ip6 www.example", "ip4 six.example", "ip6 four.example", "ip many.example", "ip4 192.0.2.1",
		"ip6 192.0.2.1", "ip 2001:db8::1", "ip4 2001:db8::1", "ipx www.example", "ip4 nobody.example", "ip fail.example.", "ip ",
		"addr 192.0.2.80", "addr 2001:db8::80", "addr 192.0.2.99", "addr 192.0.2.81", "addr nonsense", "addr ",
		"mx mx.example", "mx nobody.example", "mx www.example", "mx badmx.example", "mx ipmx.example", "mx fail.example.", "mx ",
		"txt text.example", "txt www.example", "txt nobody.example", "txt large.example", "txt refused.example.", "txt a..b",
		"srv srv.example", "srv nobody.example", "plainsrv _http._tcp.srv.example", "plainsrv www.example",
		"ns ns.example", "ns www.example", "ns lame.example.",
		"cname alias.example", "cname www.example", "cname dangling.example", "cname nobody.example", "cname text.example", "cname ", "cname fail.example.",
	} {
		want, wantErr := call(t.Context(), goes, row)
		got, err := call(t.Context(), ours, row)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q: %v, package net has %v", row, got, want)
		}
		if shape(err) != shape(wantErr) {
			t.Errorf("%q: error %s, package net has %s", row, shape(err), shape(wantErr))
		}
	}
}

// A lookup ends with its context, as one of package net does.
func TestLookupEndsWithItsContext(t *testing.T) {
	r := asking(t, newServer(t), Conf{NDots: 1})
	for _, row := range []string{"host silent.example", "txt silent.example", "addr 192.0.2.80"} {
		limit := 50 * time.Millisecond
		if strings.HasPrefix(row, "addr") {
			limit = time.Hour // canceled long before
		}
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		if strings.HasPrefix(row, "addr") {
			cancel()
		}
		_, err := call(ctx, r, row)
		<-ctx.Done()
		var d *net.DNSError
		if !errors.As(err, &d) || d.IsNotFound || d.IsTimeout == strings.HasPrefix(row, "addr") || !errors.Is(err, ctx.Err()) {
			t.Errorf("%s: %s, with the context's %v", row, shape(err), ctx.Err())
		}
		cancel()
	}
}
