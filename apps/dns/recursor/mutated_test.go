package recursor_test

import (
	"context"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/weirnet/weir/apps/dns/cache"
	"github.com/weirnet/weir/apps/dns/client"
	"github.com/weirnet/weir/apps/dns/internal/fakenet"
	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/recursor"
)

// deluge is a network on which each answer comes behind many that a spoofer sent, and one that was damaged. Nothing waits in it.
type deluge struct {
	servers map[string]fakenet.Handler
	spoofs  int // before each answer
	sent    atomic.Int64
	open    atomic.Int64
}

func (d *deluge) DialContext(_ context.Context, network, address string) (net.Conn, error) {
	h := d.servers[address]
	if network != "udp" || h == nil {
		return nil, syscall.ECONNREFUSED
	}
	d.open.Add(1)
	return &delugeConn{d: d, h: h, seed: rand.New(rand.NewPCG(rand.Uint64(), 1)), hurt: !strings.HasPrefix(address, "192.0.2.") && address != "198.51.100.3:53"}, nil
}

type delugeConn struct {
	net.Conn
	d     *deluge
	h     fakenet.Handler
	seed  *rand.Rand
	hurt  bool // one damaged answer may be taken for the right one
	query []byte
	right []byte
	evil  []byte
	n     int
}

func (c *delugeConn) Write(p []byte) (int, error) {
	var q msg.Message
	if err := q.Unpack(p); err != nil {
		return 0, err
	}
	c.query = append(c.query[:0], p...)
	list := c.h(&q, p, false)
	var err error
	if c.right, err = list[0].Msg.Append(nil, 1232); err != nil {
		return 0, err
	}
	m := q.Reply()
	m.Authoritative = true
	m.Answer = fakenet.Records("www.glueless.com. 9999 IN A 203.0.113.66\nglueless.com. 9999 IN NS ns.evil.")
	m.Answer = append(m.Answer, msg.A(q.Question[0].Name, 9999, netip.MustParseAddr("203.0.113.66")))
	m.Authority = fakenet.Records("com. 9999 IN NS ns.evil.")
	m.Additional = fakenet.Records("ns.evil. 9999 IN A 203.0.113.66\nns.com. 9999 IN A 203.0.113.66")
	c.evil, err = m.Append(nil, 1232)
	return len(p), err
}

// Read gives the spoofs, then perhaps the damaged answer, then the right one.
func (c *delugeConn) Read(p []byte) (int, error) {
	c.n++
	switch {
	case c.n <= c.d.spoofs:
		c.d.sent.Add(1)
		return c.spoof(p), nil
	case c.n == c.d.spoofs+1 && c.hurt:
		c.d.sent.Add(1)
		return copy(p, mutate(c.seed, append(p[:0], c.right...))), nil
	}
	return copy(p, c.right), nil
}

// spoof makes the evil answer, damaged, with an id, a case or a name that was not asked for.
func (c *delugeConn) spoof(p []byte) int {
	b := mutate(c.seed, append(p[:0], c.evil...))
	if len(b) < 12 || b[2]&0x80 == 0 {
		return copy(p, b)
	}
	b[0], b[1] = c.query[0], c.query[1]
	switch at := 13 + c.seed.IntN(3); {
	case c.seed.IntN(2) == 0 && len(b) > 16: // the case, or a letter, of the first label is wrong
		b[4], b[5] = 0, 1
		copy(b[12:], c.query[12:min(len(c.query), len(b))])
		b[at] ^= [2]byte{0x20, 1}[c.seed.IntN(2)]
		if b[12] < 3 { // no three letters to be wrong in: the id instead
			b[0] ^= 0x55
		}
	default:
		b[c.seed.IntN(2)] ^= byte(1 + c.seed.IntN(255))
	}
	return copy(p, b)
}

func (c *delugeConn) Close() error                     { c.d.open.Add(-1); return nil }
func (c *delugeConn) SetDeadline(time.Time) error      { return nil }
func (c *delugeConn) SetReadDeadline(time.Time) error  { return nil }
func (c *delugeConn) SetWriteDeadline(time.Time) error { return nil }

// Behind a deluge of spoofed and damaged answers the cache believes none that is spoofed, nothing of zones that nobody has
// touched is changed by damaged ones, and neither goroutines nor sockets are left. WEIR_LONG has ten million of them.
func TestDelugeOfMutatedReplies(t *testing.T) {
	want := int64(50_000)
	if os.Getenv("WEIR_LONG") != "" {
		want = 10_000_000
	}
	before := runtime.NumGoroutine()
	example := fakenet.Zone("example.com", exampleZone)
	d := &deluge{spoofs: 40, servers: map[string]fakenet.Handler{
		"192.0.2.1:53": fakenet.Zone(".", rootZone), "192.0.2.2:53": fakenet.Zone("com", comZone), "192.0.2.3:53": fakenet.Zone("net", netZone),
		"198.51.100.1:53": example, "198.51.100.2:53": example,
		"198.51.100.3:53": both("glueless.com", fakenet.Zone("glueless.com", gluelessZone), fakenet.Zone("hoster.net", hosterZone)),
	}}
	c := &client.Client{Network: d, MaxMismatches: 64}
	r, err := recursor.New(recursor.Config{
		Network: d, Client: c, Cache: cache.New(cache.Config{MaxOctets: 1 << 20}), Public: []msg.Name{msg.Root},
		Hints: fakenet.Records(". 3600 IN NS ns.root.\nns.root. 3600 IN A 192.0.2.1"),
	})
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	var wg sync.WaitGroup
	for seed := range uint64(4) {
		wg.Go(func() {
			names := []string{"www.example.com", "alias.example.com", "x.tree.example.com", "nothing.example.com", "a.b.c.example.com", "www.glueless.com"}
			types := []string{"A", "TXT", "MX"}
			s := rand.New(rand.NewPCG(seed, 7))
			for i := 0; d.sent.Load() < want; i++ {
				if _, err := r.Resolve(context.Background(), question(names[s.IntN(len(names))], types[s.IntN(len(types))]), recursor.QueryOptions{}); err != nil {
					t.Error(err)
					return
				}
				if i%200 == 0 {
					unspoofed(t, r)
				}
				r.Cache().FlushTree(msg.MustName([]string{"com", "example.com", "."}[s.IntN(3)]))
			}
		})
	}
	wg.Wait()
	unspoofed(t, r)
	r.Cache().FlushTree(msg.Root)
	m, err := r.Resolve(context.Background(), question("www.glueless.com", "A"), recursor.QueryOptions{})
	if err != nil || len(m.Answer) != 1 || m.Answer[0].Addr().String() != "192.0.2.90" {
		t.Errorf("in the end www.glueless.com is %v %v", m, err)
	}
	r.Close()
	c.Close()
	for end := time.Now().Add(time.Minute); runtime.NumGoroutine() > before && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	if n := runtime.NumGoroutine(); n > before || d.open.Load() != 0 {
		t.Errorf("%d goroutines where %d were, and %d sockets open", n, before, d.open.Load())
	}
	t.Logf("%d mutated answers in %v; %v", d.sent.Load(), time.Since(begun).Round(time.Millisecond), c.Counters())
}

// unspoofed checks that nothing in the cache comes of a spoofed answer.
func unspoofed(t *testing.T, r *recursor.Resolver) {
	var b strings.Builder
	r.Cache().Dump(&b, msg.Root)
	if s := b.String(); strings.Contains(s, "203.0.113.66") || strings.Contains(s, "ns.evil") {
		t.Errorf("spoofed answers are in the cache:\n%s", s)
	}
}
