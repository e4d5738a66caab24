package client_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirnet/weir/apps/dns/client"
	"github.com/weirnet/weir/apps/dns/internal/fakenet"
	"github.com/weirnet/weir/apps/dns/msg"
)

// chatty is a network whose only server answers over TCP, and then says what nobody asked for every five seconds.
type chatty struct{ closed chan struct{} }

func (n *chatty) DialContext(context.Context, string, string) (net.Conn, error) {
	a, b := net.Pipe()
	go func() {
		defer close(n.closed)
		var size [2]byte
		io.ReadFull(b, size[:])
		p := make([]byte, binary.BigEndian.Uint16(size[:]))
		io.ReadFull(b, p)
		p[2] |= 0x80
		for {
			if _, err := b.Write(append(size[:], p...)); err != nil {
				return
			}
			time.Sleep(5 * time.Second)
		}
	}()
	return a, nil
}

// A server cannot keep a connection of ours by talking.
func TestTalkativeServerHoldsNoConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &chatty{make(chan struct{})}
		c := &client.Client{Network: n}
		defer c.Close()
		m := &msg.Message{Question: []msg.Question{{Name: msg.MustName("example"), Type: msg.TypeA, Class: msg.ClassINET}}}
		if _, _, err := c.Exchange(t.Context(), m, to, client.Options{Transport: client.TCP}); err != nil {
			t.Fatal(err)
		}
		select {
		case <-n.closed:
		case <-time.After(time.Minute):
			t.Error("the connection is kept after a minute without a question")
		}
	})
}

// A server that gave cookies and gives none any more is asked over TCP.
func TestServerWithoutItsCookies(t *testing.T) {
	gives := true
	h := fakenet.Edit(fakenet.Zone("example", records), func(q, m *msg.Message) {
		if c, ok := q.EDNS.Option(msg.OptionCookie); ok && gives {
			m.EDNS.Options = []msg.Option{{Code: msg.OptionCookie, Data: append(c[:8:8], "servers."...)}}
		}
	})
	in(t, h, func(w *world) {
		m, _, err := w.ask(client.Options{})
		w.right(m, err)
		gives = false
		m, res, err := w.ask(client.Options{})
		w.right(m, err)
		if res.Transport != client.TCP {
			w.Errorf("%+v", res)
		}
	})
}

// One FORMERR of a server that has answered with EDNS does not take EDNS from every later question.
func TestFormErrDoesNotEndEDNS(t *testing.T) {
	for _, plain := range []bool{false, true} { // with and without EDNS in it
		bad := true
		h := fakenet.Edit(fakenet.Zone("example", records), func(q, m *msg.Message) {
			if bad {
				m.Rcode, m.Answer, m.Authority = msg.RcodeFormatError, nil, nil
				if plain {
					m.EDNS = nil
				}
			}
		})
		in(t, h, func(w *world) {
			w.ask(client.Options{})
			bad = false
			m, res, err := w.ask(client.Options{})
			w.right(m, err)
			if res.NoEDNS {
				w.Errorf("asked without EDNS after one FORMERR: %+v", res)
			}
		})
	}
}

// A server that changes the case and has no TCP is believed when two answers, to questions from two ports, are the same.
func TestAnswersWithoutCaseMustAgree(t *testing.T) {
	const long = "a-name-whose-letters-are-too-many-to-keep-their-case-by-chance.example."
	zone := fakenet.Zone("example", long+" 60 IN A 192.0.2.80")
	for name, c := range map[string]struct {
		forged int // how many of the questions without random case get answers of their own
		sent   int
		ok     bool
	}{"honest": {0, 3, true}, "one forged": {1, 4, true}, "all differ": {9, 4, false}} {
		plain := 0
		h := fakenet.Edit(lowers(zone), func(q, m *msg.Message) {
			if q.Question[0].Name.String() == long {
				if plain++; plain <= c.forged {
					m.Answer = []msg.RR{msg.A(q.Question[0].Name, 60, netip.AddrFrom4([4]byte{198, 51, 100, byte(plain)}))}
				}
			}
		})
		in(t, h, func(w *world) {
			w.s.NoTCP = true
			ask := func() (*msg.Message, client.Result, error) {
				m := &msg.Message{Question: []msg.Question{{Name: msg.MustName(long), Type: msg.TypeA, Class: msg.ClassINET}}, EDNS: &msg.EDNS{}}
				return w.c.Exchange(w.Context(), m, to, client.Options{})
			}
			m, res, err := ask()
			if (err == nil) != c.ok || res.Sent != c.sent || c.ok && m.Answer[0].Addr().String() != "192.0.2.80" {
				w.Errorf("%s: %v, %d sent\n%v", name, err, res.Sent, m)
			}
			_, res, _ = ask()
			if remembered := res.Sent == 1; remembered != c.ok || (w.c.Count("without_case") == 1) != c.ok {
				w.Errorf("%s: then %d sent; %v", name, res.Sent, w.c.Counters())
			}
		})
	}
}
