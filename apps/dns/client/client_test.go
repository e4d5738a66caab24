package client_test

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirnet/weir/apps/dns/client"
	"github.com/weirnet/weir/apps/dns/internal/fakenet"
	"github.com/weirnet/weir/apps/dns/msg"
)

var to = netip.MustParseAddrPort("192.0.2.53:53")

const records = `
example. 60 IN NS ns.example.
www.example. 60 IN A 192.0.2.80
`

type world struct {
	*testing.T
	net *fakenet.Net
	c   *client.Client
	s   *fakenet.Server
}

// in runs a test in virtual time with one server, which answers after 20 ms.
func in(t *testing.T, h fakenet.Handler, f func(w *world)) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t, net: &fakenet.Net{}, s: &fakenet.Server{Handle: h, Delay: 10 * time.Millisecond}}
		w.c = &client.Client{Network: w.net}
		w.net.Add("192.0.2.53", w.s)
		f(w)
		w.c.Close()
	})
}

func (w *world) ask(o client.Options) (*msg.Message, client.Result, error) {
	m := &msg.Message{Question: []msg.Question{{Name: msg.MustName("WwW.example"), Type: msg.TypeA, Class: msg.ClassINET}}, EDNS: &msg.EDNS{}}
	return w.c.Exchange(w.Context(), m, to, o)
}

// right fails the test unless the answer is the server's, with the question as it was asked.
func (w *world) right(m *msg.Message, err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
	if m.Question[0].Name != msg.MustName("WwW.example") || len(m.Answer) != 1 || m.Answer[0].Addr().String() != "192.0.2.80" {
		w.Fatalf("the answer is\n%v", m)
	}
}

func TestAnswerIsTaken(t *testing.T) {
	in(t, fakenet.Zone("example", records), func(w *world) {
		m, res, err := w.ask(client.Options{})
		w.right(m, err)
		if res.RTT != 20*time.Millisecond || res.Transport != client.UDP || res.Sent != 1 {
			w.Errorf("%+v", res)
		}
	})
}

// Ids, ports and case differ from question to question.
func TestQuestionsCannotBeGuessed(t *testing.T) {
	ids, cases := map[uint16]bool{}, map[msg.Name]bool{}
	in(t, fakenet.Zone("example", records), func(w *world) {
		for range 100 {
			w.ask(client.Options{})
		}
		for _, a := range w.net.Log() {
			ids[a.Msg.ID], cases[a.Q.Name] = true, true
		}
		if w.net.Dialled() != 100 {
			w.Errorf("%d sockets for 100 questions", w.net.Dialled())
		}
	})
	if len(ids) < 90 || len(cases) < 50 {
		t.Errorf("%d ids and %d forms of the name in 100 questions", len(ids), len(cases))
	}
}

// What is not the answer is ignored, and counted by what is wrong with it; the answer after it is taken.
func TestSpoofedRepliesAreIgnored(t *testing.T) {
	evil := func(q *msg.Message) *msg.Message {
		m := q.Reply()
		m.Authoritative = true
		m.Answer = []msg.RR{msg.A(q.Question[0].Name, 60, netip.MustParseAddr("203.0.113.66"))}
		return m
	}
	for reason, spoof := range map[string]func(*msg.Message, []byte) fakenet.Reply{
		"id": func(q *msg.Message, _ []byte) fakenet.Reply { m := evil(q); m.ID++; return fakenet.Reply{Msg: m} },
		"question": func(q *msg.Message, _ []byte) fakenet.Reply {
			m := evil(q)
			m.Question = []msg.Question{{Name: msg.MustName("www.example"), Type: msg.TypeAAAA, Class: 1}}
			return fakenet.Reply{Msg: m}
		},
		"case": func(q *msg.Message, _ []byte) fakenet.Reply {
			m := evil(q)
			b := []byte(q.Question[0].Name)
			b[1] ^= 0x20
			m.Question = []msg.Question{{Name: msg.Name(b), Type: msg.TypeA, Class: 1}}
			return fakenet.Reply{Msg: m}
		},
		"cookie": func(q *msg.Message, _ []byte) fakenet.Reply {
			m := evil(q)
			m.EDNS.Options = []msg.Option{{Code: msg.OptionCookie, Data: bytes.Repeat([]byte{7}, 24)}}
			return fakenet.Reply{Msg: m}
		},
		"malformed": func(q *msg.Message, wire []byte) fakenet.Reply {
			b, _ := evil(q).Append(nil, 0xffff)
			return fakenet.Reply{Wire: b[:len(b)-3]}
		},
	} {
		t.Run(reason, func(t *testing.T) {
			good := fakenet.Zone("example", records)
			in(t, func(q *msg.Message, wire []byte, tcp bool) []fakenet.Reply {
				list := good(q, wire, tcp)
				list[0].After = 10 * time.Millisecond
				if tcp {
					return list
				}
				return append([]fakenet.Reply{spoof(q, wire)}, list...)
			}, func(w *world) {
				m, res, err := w.ask(client.Options{})
				w.right(m, err)
				if res.Mismatched != 1 || w.c.Count("ignored."+reason) != 1 || res.Transport != client.UDP {
					w.Errorf("%+v, counters %v", res, w.c.Counters())
				}
			})
		})
	}
}

// Many wrong ids: somebody is guessing, and TCP tells who is who.
func TestGuessesLeadToTCP(t *testing.T) {
	good := fakenet.Zone("example", records)
	in(t, func(q *msg.Message, wire []byte, tcp bool) (list []fakenet.Reply) {
		if tcp {
			return good(q, wire, tcp)
		}
		for i := range 20 {
			m := q.Reply()
			m.ID += uint16(i + 1)
			list = append(list, fakenet.Reply{Msg: m})
		}
		return list
	}, func(w *world) {
		m, res, err := w.ask(client.Options{})
		w.right(m, err)
		if res.Transport != client.TCP || w.c.Count("guessed") != 1 || res.Mismatched != 8 {
			w.Errorf("%+v", res)
		}
	})
}

// lowers answers with the question in lower case.
func lowers(h fakenet.Handler) fakenet.Handler {
	return fakenet.Edit(h, func(q, m *msg.Message) {
		m.Question = []msg.Question{{Name: q.Question[0].Name.Fold(), Type: q.Question[0].Type, Class: 1}}
	})
}

// A server that does not keep the case is asked over TCP once, or over UDP again if it has no TCP, and is remembered.
func TestServersThatChangeTheCase(t *testing.T) {
	for _, noTCP := range []bool{false, true} {
		in(t, lowers(fakenet.Zone("example", records)), func(w *world) {
			w.s.NoTCP = noTCP
			for range 3 { // the odds that the random case is all lower are 2^-10
				m, _, err := w.ask(client.Options{})
				w.right(m, err)
			}
			w.net.Log()
			m, res, err := w.ask(client.Options{})
			w.right(m, err)
			if res.Sent != 1 || res.Transport != client.UDP {
				w.Errorf("no TCP %v: %+v", noTCP, res)
			}
			time.Sleep(2 * time.Hour)
			for sent := 1; sent == 1; sent = res.Sent { // what was learnt is forgotten, so that this ends
				m, res, err = w.ask(client.Options{})
				w.right(m, err)
			}
		})
	}
}

func TestTruncatedAnswerIsAskedOverTCP(t *testing.T) {
	h := fakenet.Zone("example", records)
	in(t, func(q *msg.Message, wire []byte, tcp bool) []fakenet.Reply {
		list := h(q, wire, tcp)
		if !tcp {
			list[0].Msg.Truncated, list[0].Msg.Answer = true, nil
		}
		return list
	}, func(w *world) {
		m, res, err := w.ask(client.Options{})
		w.right(m, err)
		if !res.Truncated || res.Transport != client.TCP || res.Sent != 2 {
			w.Errorf("%+v", res)
		}
		if m, _, err := w.ask(client.Options{NoFallback: true}); err != nil || !m.Truncated {
			w.Errorf("%v %v", m, err)
		}
	})
}

// A server that does not know EDNS is asked without, and the next time at once.
func TestServersWithoutEDNS(t *testing.T) {
	h := fakenet.Zone("example", records)
	in(t, func(q *msg.Message, wire []byte, tcp bool) []fakenet.Reply {
		if q.EDNS != nil {
			m := q.Reply()
			m.Rcode, m.EDNS = msg.RcodeFormatError, nil
			return []fakenet.Reply{{Msg: m}}
		}
		return h(q, wire, tcp)
	}, func(w *world) {
		m, res, err := w.ask(client.Options{})
		w.right(m, err)
		if !res.NoEDNS || res.Sent != 2 {
			w.Errorf("%+v", res)
		}
		m, res, err = w.ask(client.Options{})
		w.right(m, err)
		if !res.NoEDNS || res.Sent != 1 {
			w.Errorf("the second time: %+v", res)
		}
	})
}

// cookies is a server with cookies, which insists on them.
func cookies(h fakenet.Handler, own string, insist bool) fakenet.Handler {
	return func(q *msg.Message, wire []byte, tcp bool) []fakenet.Reply {
		data, ok := q.EDNS.Option(msg.OptionCookie)
		list := h(q, wire, tcp)
		if !ok {
			return list
		}
		m := list[0].Msg
		if insist && string(data[8:]) != own {
			m.Rcode, m.Answer = msg.RcodeBadCookie, nil
		}
		m.EDNS.Options = []msg.Option{{Code: msg.OptionCookie, Data: append(bytes.Clone(data[:8]), own...)}}
		return list
	}
}

func TestCookieOfTheServerIsGivenBack(t *testing.T) {
	in(t, cookies(fakenet.Zone("example", records), "16 octets of it.", true), func(w *world) {
		m, res, err := w.ask(client.Options{})
		w.right(m, err)
		if res.Sent != 2 {
			w.Errorf("BADCOOKIE: %+v", res)
		}
		m, res, err = w.ask(client.Options{})
		w.right(m, err)
		if res.Sent != 1 {
			w.Errorf("the second time: %+v", res)
		}
		// From now on an answer without a cookie is not the server's: it goes over TCP.
		w.s.Handle = fakenet.Zone("example", records)
		_, res, err = w.ask(client.Options{})
		if err != nil || res.Transport != client.TCP || w.c.Count("ignored.cookie") != 1 {
			w.Errorf("an answer without the cookie was taken: %+v, %v", res, err)
		}
	})
}

func TestNoAnswerIsATimeout(t *testing.T) {
	in(t, nil, func(w *world) {
		w.s.NoUDP = true
		begun := time.Now()
		_, _, err := w.ask(client.Options{Timeout: 3 * time.Second})
		var e *client.Error
		if !errors.As(err, &e) || !e.Timeout() || time.Since(begun) != 3*time.Second {
			w.Errorf("%v after %v", err, time.Since(begun))
		}
		ctx, cancel := context.WithCancel(w.Context())
		time.AfterFunc(time.Second, cancel)
		begun = time.Now()
		m := msg.NewQuery(msg.Root, msg.TypeNS, false)
		if _, _, err = w.c.Exchange(ctx, m, to, client.Options{}); !errors.Is(err, context.Canceled) || time.Since(begun) != time.Second {
			w.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}

// Questions share a connection, answers come in any order, and it is closed when it has nothing to do.
func TestConnectionIsShared(t *testing.T) {
	h := fakenet.Zone("example", records)
	n := 0
	in(t, func(q *msg.Message, wire []byte, tcp bool) []fakenet.Reply {
		list := h(q, wire, tcp)
		n++
		list[0].After = time.Duration(200-n) * time.Millisecond
		return list
	}, func(w *world) {
		done := make(chan error)
		for range 100 {
			go func() {
				_, _, err := w.ask(client.Options{Transport: client.TCP})
				done <- err
			}()
		}
		for range 100 {
			if err := <-done; err != nil {
				w.Error(err)
			}
		}
		if w.net.Dialled() != 1 {
			w.Errorf("%d connections", w.net.Dialled())
		}
		time.Sleep(time.Minute)
		if _, _, err := w.ask(client.Options{Transport: client.TCP}); err != nil || w.net.Dialled() != 2 {
			w.Errorf("after a minute: %v, %d connections", err, w.net.Dialled())
		}
	})
}
