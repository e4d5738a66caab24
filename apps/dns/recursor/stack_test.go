package recursor_test

import (
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/recursor"
	"github.com/weirnet/weir/apps/dns/tree"
	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/stack/link/pipe"
)

// newStack returns a stack with addresses, closed at the end of f.
func newStack(t *testing.T, d stack.Device, addrs []netip.Prefix) *stack.Stack {
	t.Helper()
	st, err := stack.New(stack.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := st.AddInterface(d, stack.InterfaceConfig{Addresses: addrs}); err != nil {
		t.Fatal(err)
	}
	return st
}

// The whole on weir's own sockets, in virtual time: a signed tree on one stack, the resolver on another, which validates, asks
// over TCP what does not fit, and survives that the cable is pulled for a while.
func TestResolverOnWeir(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer time.AfterFunc(24*time.Hour, func() { panic("somebody waits for what does not come") }).Stop()
		tr, err := tree.New(tree.Options{Signed: true})
		if err != nil {
			t.Fatal(err)
		}
		cable, far := pipe.New(pipe.Options{})
		st := newStack(t, cable, []netip.Prefix{netip.MustParsePrefix("203.0.113.1/24"), netip.MustParsePrefix("2001:db8:53::1/64")})
		servers := newStack(t, far, tr.Addrs())
		served, err := tr.Serve(servers)
		if err != nil {
			t.Fatal(err)
		}
		r, err := recursor.New(recursor.Config{Network: st, Hints: tr.Hints, Anchors: tr.Anchors, Public: []msg.Name{msg.Root}})
		if err != nil {
			t.Fatal(err)
		}
		ask := func(name, typ string) *msg.Message {
			m, err := r.Resolve(t.Context(), question(name, typ), recursor.QueryOptions{AD: true})
			if err != nil {
				t.Fatal(err)
			}
			return m
		}
		if m := ask("www.weir.example", "A"); len(m.Answer) != 1 || !m.AuthenticData {
			t.Errorf("%v", m)
		}
		if m := ask("big.weir.example", "TXT"); len(m.Answer) == 0 || !m.AuthenticData {
			t.Errorf("over TCP: %v", m)
		}
		cable.Down()
		if m := ask("ftp.weir.example", "MX"); m.Rcode != msg.RcodeServerFailure {
			t.Errorf("without a cable: %v", m)
		}
		cable.Up()
		time.Sleep(2 * time.Minute)
		if m := ask("ftp.weir.example", "A"); len(m.Answer) != 2 || !m.AuthenticData {
			t.Errorf("with the cable again: %v", m)
		}
		r.Close()
		served.Close()
		st.Close()
		servers.Close()
	})
}

// A spoofer who sees the query, and answers at once, but from another address or another port, is not heard.
func TestSpoofedSourcesAreNotHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pipe.New(pipe.Options{})
		st := newStack(t, a, []netip.Prefix{netip.MustParsePrefix("192.0.2.1/24")})
		other := newStack(t, b, []netip.Prefix{netip.MustParsePrefix("192.0.2.53/24"), netip.MustParsePrefix("192.0.2.66/24")})
		open := func(address string) net.PacketConn {
			pc, err := other.ListenPacket("udp", address)
			if err != nil {
				t.Fatal(err)
			}
			return pc
		}
		right, port, host := open("192.0.2.53:53"), open("192.0.2.53:54"), open("192.0.2.66:53")
		go func() {
			buf := make([]byte, 1500)
			for {
				n, from, err := right.ReadFrom(buf)
				if err != nil {
					return
				}
				answer := func(last byte) []byte {
					var q msg.Message
					if err := q.Unpack(buf[:n]); err != nil {
						t.Error(err)
					}
					m := q.Reply()
					m.Authoritative = true
					if q.Question[0].Type == msg.TypeNS {
						m.Answer = []msg.RR{msg.NS(msg.Root, 60, msg.MustName("ns"))}
						m.Additional = []msg.RR{msg.A(msg.MustName("ns"), 60, netip.AddrFrom4([4]byte{192, 0, 2, last}))}
					} else {
						m.Answer = []msg.RR{msg.A(q.Question[0].Name, 60, netip.AddrFrom4([4]byte{192, 0, 2, last}))}
					}
					p, _ := m.Append(nil, 1232)
					return p
				}
				port.WriteTo(answer(66), from)
				host.WriteTo(answer(66), from)
				time.Sleep(10 * time.Millisecond)
				right.WriteTo(answer(53), from)
			}
		}()
		hints := []msg.RR{msg.NS(msg.Root, 60, msg.MustName("ns")), msg.A(msg.MustName("ns"), 60, netip.MustParseAddr("192.0.2.53"))}
		r, err := recursor.New(recursor.Config{Network: st, Hints: hints})
		if err != nil {
			t.Fatal(err)
		}
		m, err := r.Resolve(t.Context(), question("www", "A"), recursor.QueryOptions{})
		if err != nil || len(m.Answer) != 1 || m.Answer[0].Addr() != netip.MustParseAddr("192.0.2.53") {
			t.Errorf("%v %v", m, err)
		}
		r.Close()
		for _, pc := range []net.PacketConn{right, port, host} {
			pc.Close()
		}
		st.Close()
		other.Close()
	})
}
