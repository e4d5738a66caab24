package main_test

import (
	"context"
	endian "encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/tree"
)

// wireQuery is a query as dig sends one: with EDNS and, where there is a cookie, that.
func wireQuery(t testing.TB, id uint16, name msg.Name, typ msg.Type, cookie []byte) []byte {
	m := msg.NewQuery(name, typ, false)
	m.ID = id
	m.EDNS = &msg.EDNS{Size: 1232}
	if cookie != nil {
		m.EDNS.Options = []msg.Option{{Code: msg.OptionCookie, Data: cookie}}
	}
	p, err := m.Append(nil, 65535)
	must(t, err)
	return p
}

// askOnce sends a query over a socket of its own and reads the answer, which must come.
func (l *lab) askOnce(ctx context.Context, network, address string, q []byte) (*msg.Message, error) {
	c, err := l.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	return exchangeOn(c, network, q)
}

// exchangeOn asks over a connection that is there.
func exchangeOn(c net.Conn, network string, q []byte) (*msg.Message, error) {
	p := make([]byte, 65535)
	n := 0
	if strings.HasPrefix(network, "tcp") {
		if _, err := c.Write(append(endian.BigEndian.AppendUint16(nil, uint16(len(q))), q...)); err != nil {
			return nil, err
		}
		if _, err := io.ReadFull(c, p[:2]); err != nil {
			return nil, err
		}
		n = int(endian.BigEndian.Uint16(p))
		if _, err := io.ReadFull(c, p[:n]); err != nil {
			return nil, err
		}
	} else {
		if _, err := c.Write(q); err != nil {
			return nil, err
		}
		var err error
		if n, err = c.Read(p); err != nil {
			return nil, err
		}
	}
	m := new(msg.Message)
	if err := m.Unpack(p[:n]); err != nil {
		return nil, err
	}
	if m.ID != endian.BigEndian.Uint16(q) {
		return nil, fmt.Errorf("an answer to %d, not to %d", m.ID, endian.BigEndian.Uint16(q))
	}
	return m, nil
}

// TestNoQueryIsLost asks for everything in the tree, one question after the other and each from a port of its own, with the client's
// half of a cookie as dig has it and without. UDP from the kernel to weir and back loses nothing here, so that a
// question without an answer is weir's fault.
func TestNoQueryIsLost(t *testing.T) {
	l := newLab(t)
	tr, err := tree.New(tree.Options{})
	must(t, err)
	l.serveNames("--tree")
	z, _ := tr.Zone(msg.MustName("weir.example."))
	const rounds = 12
	asked := 0
	var slowest time.Duration
	for round := range rounds {
		for i, rr := range z.Records {
			for _, at := range []string{authority4, "2001:db8:53::8", resolver4, resolver6} {
				if strings.HasPrefix(at, "203") != (round%2 == 0) {
					continue
				}
				var cookie []byte
				if i%2 == 0 {
					cookie = endian.BigEndian.AppendUint64(nil, uint64(asked))
				}
				q := wireQuery(t, uint16(asked), rr.Name, rr.Type, cookie)
				asked++
				begun := time.Now()
				if _, err := l.askOnce(t.Context(), "udp", net.JoinHostPort(at, "53"), q); err != nil {
					t.Fatalf("question %d, %v %v at %s: %v", asked, rr.Name, rr.Type, at, err)
				}
				slowest = max(slowest, time.Since(begun))
			}
		}
	}
	t.Logf("%d questions, the slowest answered after %v", asked, slowest)
}

// streams ask for a zone's SOA record without a pause: over UDP in both families, over new TCP connections and over one that lasts. Every
// question must be answered, and never by less than was there before.
type streams struct {
	t             testing.TB
	ctx           context.Context
	cancel        context.CancelFunc
	running       sync.WaitGroup
	asked, serial atomic.Int64
	anySerial     bool
}

func (u *up) streams(t testing.TB, zone string) *streams {
	t.Helper()
	s := &streams{t: t}
	s.ctx, s.cancel = context.WithCancel(t.Context())
	name := msg.MustName(zone)
	for _, c := range []struct{ how, network, at string }{
		{"UDP", "udp", weir4 + ":53"}, {"UDP over IPv6", "udp", "[" + weir6 + "]:53"}, {"TCP", "tcp", weir4 + ":53"},
	} {
		s.running.Go(func() {
			s.stream(c.how, name, func(q []byte) (*msg.Message, error) {
				return u.askOnce(context.Background(), c.network, c.at, q)
			})
		})
	}
	lasting := u.mustDial("tcp", weir4+":53")
	s.running.Go(func() {
		s.stream("a lasting connection", name, func(q []byte) (*msg.Message, error) {
			lasting.SetDeadline(time.Now().Add(patience))
			return exchangeOn(lasting, "tcp", q)
		})
	})
	return s
}

// streamOf is one of them alone, over UDP, that does not mind an earlier serial.
func (u *up) streamOf(t testing.TB, zone string) *streams {
	t.Helper()
	s := &streams{t: t, anySerial: true}
	s.ctx, s.cancel = context.WithCancel(t.Context())
	s.running.Go(func() {
		s.stream("UDP", msg.MustName(zone), func(q []byte) (*msg.Message, error) {
			q[2] |= 1 // RD, for what is forwarded
			return u.askOnce(context.Background(), "udp", weir4+":53", q)
		})
	})
	return s
}

func (s *streams) stream(how string, name msg.Name, ask func(q []byte) (*msg.Message, error)) {
	defer s.cancel()
	for last, id := uint32(0), uint16(1); s.ctx.Err() == nil; id++ {
		m, err := ask(wireQuery(s.t, id, name, msg.TypeSOA, nil))
		if err != nil {
			s.t.Errorf("%s: question %d: %v", how, id, err)
			return
		}
		if m.Rcode != msg.RcodeSuccess || len(m.Answer) != 1 {
			s.t.Errorf("%s: %v", how, m)
			return
		}
		soa, _ := m.Answer[0].SOA()
		if soa.Serial < last && !s.anySerial {
			s.t.Errorf("%s: serial %d after %d", how, soa.Serial, last)
			return
		}
		last = soa.Serial
		s.asked.Add(1)
		s.serial.Store(int64(last))
	}
}

// sees waits until an answer has that serial.
func (s *streams) sees(serial int) {
	s.t.Helper()
	eventually(s.t, fmt.Sprintf("serial %d is seen", serial), func() bool { return s.ctx.Err() != nil || s.serial.Load() >= int64(serial) })
}

// end ends them.
func (s *streams) end() {
	s.cancel()
	s.running.Wait()
}

// smallZone writes a zone of that serial, which is there whole or not at all.
func smallZone(t testing.TB, file, origin string, serial int) {
	t.Helper()
	text := fmt.Sprintf("$ORIGIN %s.\n$TTL 60\n@ SOA ns hostmaster %d 3600 600 604800 60\n@ NS ns\nns A 192.0.2.2\n", origin, serial)
	must(t, os.WriteFile(file+".new", []byte(text), 0o644))
	must(t, os.Rename(file+".new", file))
}

// TestReloadsLoseNoQuery asks without a pause while the zones are read again dozens of times, each time with another content.
func TestReloadsLoseNoQuery(t *testing.T) {
	const reloads = 40
	file := filepath.Join(t.TempDir(), "example.org.zone")
	smallZone(t, file, "example.org", 1)
	u := newLab(t).serveNames("--zone", "example.org="+file)
	s := u.streams(t, "example.org.")
	for n := range reloads {
		smallZone(t, file, "example.org", n+2)
		must(t, u.cmd.Process.Signal(syscall.SIGHUP))
		s.sees(n + 2)
	}
	s.end()
	t.Logf("%d questions during %d reloads", s.asked.Load(), reloads)
	if n := strings.Count(u.said(), "zones read again"); n == 0 || strings.Contains(u.said(), "stays as it was") {
		t.Errorf("what was said of the reloads: %s", u.said())
	}
	must(t, u.cmd.Process.Signal(syscall.SIGTERM))
	<-u.waited
}
