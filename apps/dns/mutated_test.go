package dns

import (
	"context"
	"encoding/binary"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weirnet/weir/apps/dns/authority"
	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/server"
)

// mouth is a packet connection that has so many datagrams to give, and looks at what it is given.
type mouth struct {
	pace   func()             // waits until the service is not too busy
	next   func(p []byte) int // 0: there are no more
	answer func(p []byte)
	mu     sync.Mutex
	closed chan struct{}
	once   sync.Once
}

var mutatedFrom = net.UDPAddrFromAddrPort(netip.MustParseAddrPort("198.51.100.7:4000"))

func (m *mouth) ReadFrom(p []byte) (int, net.Addr, error) {
	m.pace()
	m.mu.Lock()
	n := m.next(p)
	m.mu.Unlock()
	if n > 0 {
		return n, mutatedFrom, nil
	}
	<-m.closed
	return 0, nil, net.ErrClosed
}

func (m *mouth) WriteTo(p []byte, _ net.Addr) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.answer(p)
	return len(p), nil
}

func (m *mouth) Close() error {
	m.once.Do(func() { close(m.closed) })
	return nil
}

func (m *mouth) LocalAddr() net.Addr {
	return net.UDPAddrFromAddrPort(netip.MustParseAddrPort("192.0.2.2:53"))
}
func (m *mouth) SetDeadline(time.Time) error      { return nil }
func (m *mouth) SetReadDeadline(time.Time) error  { return nil }
func (m *mouth) SetWriteDeadline(time.Time) error { return nil }

type mouthNetwork struct{ m *mouth }

func (n mouthNetwork) Listen(string, string) (net.Listener, error)         { return nil, net.ErrClosed }
func (n mouthNetwork) ListenPacket(string, string) (net.PacketConn, error) { return n.m, nil }

const mutatedZone = `$TTL 300
@	SOA	ns hostmaster 1 3600 600 604800 60
	NS	ns
ns	A	192.0.2.2
www	A	192.0.2.80
	AAAA	2001:db8::80
big	TXT	"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
	TXT	"1123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
	TXT	"2123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
	TXT	"3123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
	TXT	"4123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
	TXT	"5123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
alias	CNAME	www
loop	CNAME	pool
pool	CNAME	loop
tree	DNAME	www
*.any	A	192.0.2.81
sub	NS	ns.sub
ns.sub	A	192.0.2.82
`

// The whole service, an authority with a zone that is forwarded besides, is given mutated queries by UDP: it does
// not panic, every answer can be read, and none is longer than it may be.
func TestMutatedQueriesToTheWholeService(t *testing.T) {
	total := 100_000
	if os.Getenv("WEIR_LONG") != "" {
		total = 5_000_000
	}
	path := filepath.Join(t.TempDir(), "zone")
	if err := os.WriteFile(path, []byte(mutatedZone), 0o644); err != nil {
		t.Fatal(err)
	}
	svc, err := New(Config{
		Zones: []authority.ZoneConfig{{Origin: msg.MustName("example."), File: path, Transfer: authority.ACL{Prefixes: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")}}}},
		Allow: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")},
		Forward: []Forward{{Zone: msg.MustName("test."), To: server.HandlerFunc(func(_ context.Context, w server.Writer, r *server.Request) {
			m := r.Msg.Reply()
			m.Answer = []msg.RR{msg.A(r.Msg.Question[0].Name, 60, netip.MustParseAddr("192.0.2.1"))}
			w.Write(m)
		})}},
		Server: server.Config{RateLimit: server.RateLimit{PerSecond: -1}, Logger: slog.New(slog.NewTextHandler(logged{t}, nil))},
	})
	if err != nil {
		t.Fatal(err)
	}
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 0))
	all := mutatedSeeds(t)
	given, answered := 0, 0
	done := make(chan struct{})
	m := &mouth{closed: make(chan struct{})}
	var reads atomic.Uint64
	m.pace = func() {
		for n := reads.Add(1); n%64 == 0 && svc.Snapshot().Busy > 1000; {
			runtime.Gosched() // else what comes while all goroutines have work is dropped, and shows nothing
		}
	}
	m.next = func(p []byte) int {
		if given++; given > total {
			if given == total+1 {
				close(done)
			}
			return 0
		}
		return copy(p, mutated(r, append([]byte(nil), all[r.IntN(len(all))]...)))
	}
	m.answer = func(p []byte) {
		answered++
		if err := new(msg.Message).Unpack(p); err != nil || p[2]&0x80 == 0 || len(p) > server.DefaultMaxUDP {
			t.Errorf("seed %d, near query %d: an answer of %d octets, %v: %x", seed, given, len(p), err, p)
		}
	}
	if _, err := svc.server.Listen(mouthNetwork{m}, "udp", ":53"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { svc.Serve(ctx) })
	<-done
	for end := time.Now().Add(time.Minute); svc.Snapshot().Busy > 0 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	cancel()
	wg.Wait()
	if answered < total/2 {
		t.Errorf("only %d of %d are answered: %+v", answered, total, svc.Snapshot())
	}
}

// logged fails where something is logged as an error: a panic.
type logged struct{ t *testing.T }

func (l logged) Write(p []byte) (int, error) {
	l.t.Errorf("logged: %s", p)
	return len(p), nil
}

func mutatedSeeds(t *testing.T) (all [][]byte) {
	for _, name := range []string{"example.", "www.example.", "big.example.", "alias.example.", "loop.example.", "x.tree.example.", "y.any.example.", "a.sub.example.", "none.example.", "a.test.", "elsewhere."} {
		for _, typ := range []msg.Type{msg.TypeA, msg.TypeTXT, msg.TypeSOA, msg.TypeANY, msg.TypeAXFR, msg.TypeIXFR, msg.TypeDS} {
			m := msg.NewQuery(msg.MustName(name), typ, true)
			if typ%2 == 0 {
				m.EDNS = &msg.EDNS{Size: 4096, DO: true, Options: []msg.Option{{Code: msg.OptionCookie, Data: []byte("12345678")}}}
			}
			p, err := m.Append(nil, 512)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, p)
		}
	}
	return all
}

func mutated(r *rand.Rand, p []byte) []byte {
	binary.BigEndian.PutUint16(p, uint16(r.Uint32()))
	for range r.IntN(4) {
		at := r.IntN(len(p))
		switch r.IntN(6) {
		case 0:
			p[at] ^= 1 << r.IntN(8)
		case 1:
			p[at] = byte(r.Uint32())
		case 2:
			p = p[:max(1, at)]
		case 3:
			p = append(p, p[at:]...)
		case 4:
			p[at] = []byte{0, 1, 2, 12, 41, 63, 64, 192, 250, 251, 252, 255}[r.IntN(12)]
		case 5:
			p[min(len(p)-1, 2+r.IntN(10))] ^= 1 << r.IntN(8)
		}
	}
	return p
}
