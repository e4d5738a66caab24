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

// TestReloadsLoseNoQuery asks without a pause, over UDP, over new TCP connections and over one that lasts, while the zones are read again
// dozens of times, each time with another content. Every question is answered, and never by less than was there before.
func TestReloadsLoseNoQuery(t *testing.T) {
	const reloads = 40
	file := filepath.Join(t.TempDir(), "example.org.zone")
	write := func(serial int) {
		text := fmt.Sprintf("$ORIGIN example.org.\n$TTL 60\n@ SOA ns hostmaster %d 3600 600 604800 60\n@ NS ns\nns A 192.0.2.2\n", serial)
		must(t, os.WriteFile(file+".new", []byte(text), 0o644))
		must(t, os.Rename(file+".new", file))
	}
	write(1)
	u := newLab(t).serveNames("--zone", "example.org="+file)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var wg sync.WaitGroup
	var asked, serial atomic.Int64
	stream := func(how, network, address string, ask func(q []byte) (*msg.Message, error)) {
		defer cancel()
		for last, id := uint32(0), uint16(1); ctx.Err() == nil; id++ {
			m, err := ask(wireQuery(t, id, msg.MustName("example.org."), msg.TypeSOA, nil))
			if err != nil {
				t.Errorf("%s: question %d: %v", how, id, err)
				return
			}
			if m.Rcode != msg.RcodeSuccess || len(m.Answer) != 1 {
				t.Errorf("%s: %v", how, m)
				return
			}
			soa, _ := m.Answer[0].SOA()
			if soa.Serial < last {
				t.Errorf("%s: serial %d after %d", how, soa.Serial, last)
				return
			}
			last = soa.Serial
			asked.Add(1)
			serial.Store(int64(last))
		}
	}
	for _, c := range []struct{ how, network, at string }{
		{"UDP", "udp", weir4 + ":53"}, {"UDP over IPv6", "udp", "[" + weir6 + "]:53"}, {"TCP", "tcp", weir4 + ":53"},
	} {
		wg.Go(func() {
			stream(c.how, c.network, c.at, func(q []byte) (*msg.Message, error) {
				return u.askOnce(context.Background(), c.network, c.at, q)
			})
		})
	}
	lasting := u.mustDial("tcp", weir4+":53")
	wg.Go(func() {
		stream("a lasting connection", "tcp", "", func(q []byte) (*msg.Message, error) {
			lasting.SetDeadline(time.Now().Add(patience))
			return exchangeOn(lasting, "tcp", q)
		})
	})
	for n := range reloads {
		write(n + 2)
		must(t, u.cmd.Process.Signal(syscall.SIGHUP))
		eventually(t, fmt.Sprintf("reload %d", n), func() bool { return ctx.Err() != nil || serial.Load() >= int64(n+2) })
	}
	cancel()
	wg.Wait()
	t.Logf("%d questions during %d reloads", asked.Load(), reloads)
	if n := strings.Count(u.said(), "zones read again"); n == 0 || strings.Contains(u.said(), "stays as it was") {
		t.Errorf("what was said of the reloads: %s", u.said())
	}
	must(t, u.cmd.Process.Signal(syscall.SIGTERM))
	<-u.waited
}
