package server_test

import (
	"net"
	"testing"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/server"
)

// hostNetwork is package net.
type hostNetwork struct{}

func (hostNetwork) Listen(network, address string) (net.Listener, error) {
	return net.Listen(network, address)
}

func (hostNetwork) ListenPacket(network, address string) (net.PacketConn, error) {
	return net.ListenPacket(network, address)
}

// The same server on the host's own sockets.
func TestServerOnPackageNet(t *testing.T) {
	l := &lab{t: t, book: &book{}}
	l.srv = server.New(l.book, server.Config{})
	udp, err := l.srv.Listen(hostNetwork{}, "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tcp, err := l.srv.Listen(hostNetwork{}, "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.serve(nil)
	for _, name := range []string{"direct.example.", "other.example."} {
		u, err := net.Dial("udp", udp.String())
		if err != nil {
			t.Fatal(err)
		}
		defer u.Close()
		u.SetDeadline(time.Now().Add(time.Minute))
		if m := ask(t, u, query(name, msg.TypeA)); m.ID != 4711 {
			t.Error(m)
		}
		c, err := net.Dial("tcp", tcp.String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(time.Minute))
		c.Write(framed(pack(t, query(name, msg.TypeA))))
		if m := unpack(t, readFramed(t, c)); m.ID != 4711 {
			t.Error(m)
		}
	}
	l.stop()
	if s := l.srv.Snapshot(); s.Answered() != 4 || s.Direct != 2 {
		t.Errorf("counted: %+v", s)
	}
}
