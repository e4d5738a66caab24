package serve_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/weirnet/weir/apps/echo"
	"github.com/weirnet/weir/apps/serve"
)

// recorder is the host's network on its loopback; it records what was asked for
// and refuses to listen where told to.
type recorder struct {
	asked   []string
	refuse  string
	sockets []interface{ Close() error }
}

var errRefused = errors.New("address in use")

func (r *recorder) Listen(network, address string) (net.Listener, error) {
	if err := r.note(network, address); err != nil {
		return nil, err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	r.sockets = append(r.sockets, ln)
	return ln, err
}

func (r *recorder) ListenPacket(network, address string) (net.PacketConn, error) {
	if err := r.note(network, address); err != nil {
		return nil, err
	}
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	r.sockets = append(r.sockets, pc)
	return pc, err
}

func (r *recorder) note(network, address string) error {
	asked := network + " " + address
	r.asked = append(r.asked, asked)
	if asked == r.refuse {
		return errRefused
	}
	return nil
}

func TestServiceListensOnEachAddressInItsFamily(t *testing.T) {
	tests := []struct {
		addrs []string
		want  string
	}{
		{nil, "tcp :7, udp :7"},
		{[]string{"192.0.2.2", "2001:db8::2"}, "tcp4 192.0.2.2:7, udp4 192.0.2.2:7, tcp6 [2001:db8::2]:7, udp6 [2001:db8::2]:7"},
	}
	for _, tt := range tests {
		var addrs []netip.Addr
		for _, a := range tt.addrs {
			addrs = append(addrs, netip.MustParseAddr(a))
		}
		var nw recorder
		srv, err := echo.Service().Listen(&nw, addrs...)
		if err != nil {
			t.Fatal(err)
		}
		srv.Close()
		if got := strings.Join(nw.asked, ", "); got != tt.want {
			t.Errorf("asked for %s\nwant %s", got, tt.want)
		}
	}
}

func TestServiceThatCannotListenLeavesNothingOpen(t *testing.T) {
	nw := recorder{refuse: "udp6 [2001:db8::2]:7"}
	_, err := echo.Service().Listen(&nw, netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("2001:db8::2"))
	if !errors.Is(err, errRefused) || !strings.HasPrefix(err.Error(), "echo: ") {
		t.Fatalf("Listen = %v, want echo: %v", err, errRefused)
	}
	for _, s := range nw.sockets {
		if err := s.Close(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("a socket was left open: Close = %v", err)
		}
	}
}

func TestServerEndsWithItsContext(t *testing.T) {
	var nw recorder
	srv, err := echo.Service().Listen(&nw)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := srv.Serve(ctx); err != nil {
		t.Errorf("Serve = %v, want nil", err)
	}
}

var _ serve.Network = (*recorder)(nil)
