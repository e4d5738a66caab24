package authority

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/server"
	"github.com/weirnet/weir/apps/dns/tsig"
	"github.com/weirnet/weir/apps/dns/zone"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// primaryNet is a network on which every address is one primary, which may be down.
type primaryNet struct {
	set     *Set
	forged  func(query []byte) [][]byte // what somebody else answers before it
	down    atomic.Bool
	queries atomic.Int32
}

// DialContext implements Network.
func (n *primaryNet) DialContext(_ context.Context, network, _ string) (net.Conn, error) {
	n.queries.Add(1)
	if n.down.Load() {
		return nil, fmt.Errorf("nobody is there")
	}
	a, b := net.Pipe()
	go func() {
		defer b.Close()
		p := make([]byte, 65537)
		k, err := b.Read(p)
		if err != nil {
			return
		}
		p = p[:k]
		if network == "tcp" {
			p = p[2:]
		}
		if n.forged != nil {
			for _, f := range n.forged(p) {
				b.Write(f)
			}
		}
		r := &server.Request{Msg: new(msg.Message), Wire: p, Remote: client, Limit: 65535, Transport: server.TCP}
		if r.Msg.Unpack(p) == nil {
			n.set.ServeDNS(context.Background(), &pipeWriter{b, network == "tcp"}, r)
		}
	}()
	return a, nil
}

type pipeWriter struct {
	c      net.Conn
	stream bool
}

func (w *pipeWriter) Write(m *msg.Message) error {
	p, err := m.Append(nil, 0)
	if err != nil {
		return err
	}
	return w.WriteWire(p)
}

func (w *pipeWriter) WriteWire(p []byte) error {
	if w.stream {
		p = append(binary.BigEndian.AppendUint16(nil, uint16(len(p))), p...)
	}
	_, err := w.c.Write(p)
	return err
}

func serialText(serial int) string {
	return fmt.Sprintf("$TTL 300\n@ SOA ns h %d 3600 600 86400 60\n@ NS ns\nns A 192.0.2.2\nv TXT \"%d\"\n", serial, serial)
}

func TestTimersOfASecondary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		origin := msg.MustName("example.")
		master := &primaryNet{set: newSet(t, Config{Logger: quiet}, parseZone(t, "example.", serialText(1)))}
		master.down.Store(true)
		var followed atomic.Int64
		s := New(Config{Network: master, Logger: quiet, Followed: func(msg.Name) { followed.Add(1) }})
		if err := s.Add(ZoneConfig{Origin: origin, Masters: []Peer{{Addr: netip.MustParseAddrPort("192.0.2.2:53")}}}, nil); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		go s.Run(ctx)
		ask := func(after time.Duration, want string) {
			t.Helper()
			time.Sleep(after)
			synctest.Wait()
			a, _ := direct(t, s, query("v.example.", msg.TypeTXT, nil))
			got := a.Rcode.String()
			if len(a.Answer) == 1 {
				got = a.Answer[0].Data[1:]
			}
			if got != want {
				t.Errorf("%v: %s, want %s", time.Now().Format(time.TimeOnly), got, want)
			}
		}
		ask(0, "SERVFAIL")
		ask(6*time.Second, "SERVFAIL") // tried at 0 and 5 s
		master.down.Store(false)
		ask(8*time.Second, "SERVFAIL")
		ask(2*time.Second, "1") // at 15 s

		if err := master.set.Replace(parseZone(t, "example.", serialText(2))); err != nil {
			t.Fatal(err)
		}
		ask(3590*time.Second, "1")
		ask(15*time.Second, "2") // refresh

		master.down.Store(true)
		if err := master.set.Replace(parseZone(t, "example.", serialText(3))); err != nil {
			t.Fatal(err)
		}
		ask(3700*time.Second, "2")
		before := master.queries.Load()
		ask(6000*time.Second, "2")
		if n := master.queries.Load() - before; n != 20 { // two dials each retry interval of 600 s
			t.Errorf("%d dials in ten retry intervals, want 20", n)
		}
		ask(76600*time.Second, "2")
		ask(200*time.Second, "SERVFAIL") // expire: 86400 s after the last answer
		if n := followed.Load(); n != 3 {
			t.Errorf("told of %d changes, want two versions and that none is served", n)
		}
		master.down.Store(false)
		ask(601*time.Second, "3")
		if n := followed.Load(); n != 4 {
			t.Errorf("told of %d changes, want 4 with the third version", n)
		}

		// A notice makes it ask at once, from a master only.
		if err := master.set.Replace(parseZone(t, "example.", serialText(4))); err != nil {
			t.Fatal(err)
		}
		notify := &msg.Message{Header: msg.Header{ID: 7, Opcode: msg.OpcodeNotify}, Question: []msg.Question{{Name: origin, Type: msg.TypeSOA, Class: msg.ClassINET}}}
		if a := serveWire(t, s, packed(t, notify), server.UDP).answers[0]; a.Rcode != msg.RcodeRefused {
			t.Errorf("a notice from anybody: %v", a)
		}
		ask(time.Second, "3")
		r := &server.Request{Msg: notify, Wire: packed(t, notify), Remote: netip.MustParseAddrPort("192.0.2.2:3000"), Limit: 512}
		w := &sink{limit: 512}
		s.ServeDNS(ctx, w, r)
		if a := w.answers[0]; a.Rcode != 0 || a.Opcode != msg.OpcodeNotify || !a.Response {
			t.Errorf("a notice from the master: %v", a)
		}
		ask(time.Second, "4")
		cancel()
		synctest.Wait()
	})
}

// Answers that are not signed as the query was end nothing (RFC 8945 §5.3): the one that is may still come.
func TestForgedAnswersToSignedQueriesArePassedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := tsig.Key{Name: msg.MustName("k."), Algorithm: tsig.HMACSHA256, Secret: []byte("a secret of both")}
		other := key
		other.Secret = []byte("another secret")
		master := &primaryNet{set: newSet(t, Config{Keys: tsig.Keys(key), Logger: quiet}, parseZone(t, "example.", serialText(7)))}
		master.forged = func(p []byte) [][]byte {
			var m msg.Message
			if err := m.Unpack(p); err != nil {
				t.Error(err)
			}
			m.Additional = nil
			reply := m.Reply()
			reply.Rcode = msg.RcodeNotAuth
			unsigned := packed(t, reply)
			signed, _, err := tsig.Request(packed(t, reply), other, time.Now())
			if err != nil {
				t.Error(err)
			}
			return [][]byte{unsigned, signed, unsigned}
		}
		s := New(Config{Network: master, Logger: quiet})
		v := &served{cfg: ZoneConfig{Origin: msg.MustName("example.")}}
		p := Peer{Addr: netip.MustParseAddrPort("192.0.2.2:53"), Key: &key}
		if soa, err := s.soaOver(t.Context(), "udp", v, p); err != nil || soa.Serial != 7 {
			t.Errorf("%v, %v; want the signed answer", soa, err)
		}
		p.Key = &other // now no answer is good
		_, err := s.soaOver(t.Context(), "udp", v, p)
		if tsig.Code(err) == 0 {
			t.Errorf("%v does not say what came", err)
		}
	})
}

func TestNoticesAreRetriedAndGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		far := &primaryNet{set: New(Config{})} // acknowledges nothing: it has no such zone
		s := New(Config{Network: far, Logger: quiet, NotifyTries: 3})
		if err := s.Add(ZoneConfig{Origin: msg.MustName("example."), Notify: []Peer{{Addr: netip.MustParseAddrPort("192.0.2.3:53")}}}, parseZone(t, "example.", serialText(1))); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		go s.Run(ctx)
		for _, c := range []struct {
			after time.Duration
			sent  int32
		}{{0, 1}, {1900 * time.Millisecond, 1}, {200 * time.Millisecond, 2}, {4 * time.Second, 3}, {time.Hour, 3}} {
			time.Sleep(c.after)
			synctest.Wait()
			if n := far.queries.Load(); n != c.sent {
				t.Errorf("%d notices sent, want %d", n, c.sent)
			}
		}
		if s.counters.notifyFailed.Load() != 1 {
			t.Error("that it was given up is not counted")
		}
		cancel()
		synctest.Wait()
	})
}

// Transfers that come in may be anything. What is taken is a zone, and never more than there is.
func FuzzIncomingTransferNeverPanics(f *testing.F) {
	have, err := zone.Load(zone.NewReader(strings.NewReader(serialText(1)), "test", msg.MustName("example."), zone.ReadOptions{}), msg.MustName("example."))
	if err != nil {
		f.Fatal(err)
	}
	soa := func(serial uint32) msg.RR {
		s := have.SOA()
		s.Serial = serial
		return msg.NewRR(have.Origin(), msg.TypeSOA, 300, s.Data())
	}
	txt := func(n byte) msg.RR {
		return msg.NewRR(msg.MustName("v.example."), msg.TypeTXT, 300, "\x01"+string('0'+rune(n%10)))
	}
	f.Add([]byte{3, 11, 3, 3}, true)
	f.Add([]byte{3, 1, 11, 2, 12, 2, 3, 13, 3}, true)
	f.Add([]byte{3, 1, 11, 3, 12, 3}, true)
	f.Fuzz(func(t *testing.T, script []byte, incremental bool) {
		in := incoming{origin: have.Origin()}
		if incremental {
			in.have = have
		}
		for _, b := range script {
			rr := txt(b)
			if b < 10 {
				rr = soa(uint32(b))
			}
			if err := in.record(rr); err != nil {
				return
			}
			in.messages++
			in.only()
		}
		if !in.done {
			return
		}
		if z, err := in.zone(); err == nil && z.Serial() != in.serial && in.n > 1 {
			t.Errorf("%v: the zone has serial number %d, the transfer said %d", script, z.Serial(), in.serial)
		}
	})
}

// Differences by the thousand, each of which would make a version of the zone, are not taken.
func TestIncomingDifferencesAreBounded(t *testing.T) {
	origin := msg.MustName("example.")
	soa := func(serial uint32) msg.RR {
		return msg.NewRR(origin, msg.TypeSOA, 60, msg.SOA{MName: origin, RName: origin, Serial: serial}.Data())
	}
	b := zone.NewBuilder(origin)
	if err := b.Add(soa(0)); err != nil {
		t.Fatal(err)
	}
	have, err := b.Zone()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []uint32{maxDiffs, maxDiffs + 1} {
		in := incoming{origin: origin, have: have}
		err := in.record(soa(n))
		for i := uint32(0); i < n && err == nil; i++ {
			if err = in.record(soa(i)); err == nil {
				err = in.record(soa(i + 1))
			}
		}
		if err == nil {
			err = in.record(soa(n))
		}
		if refused := err != nil; refused != (n > maxDiffs) || in.done == refused {
			t.Errorf("%d differences: %v, done %v", n, err, in.done)
		}
	}
}

// Notices may be forged: however many come, the masters are asked no more often than MinRefresh says.
func TestNoticesDoNotHurryMastersWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &served{poke: make(chan struct{}, 1)}
		begin := time.Now()
		for n := range 5 {
			wake(v.poke)
			if !poked(t.Context(), v, time.Hour, time.Now().Add(time.Second)) {
				t.Fatal("it has ended")
			}
			if at := time.Since(begin); at != time.Duration(n+1)*time.Second {
				t.Errorf("notice %d is heeded after %v", n, at)
			}
		}
		wake(v.poke)
		if !poked(t.Context(), v, time.Hour, begin) || time.Since(begin) != 5*time.Second {
			t.Errorf("the one after a pause is not heeded at once")
		}
	})
}
