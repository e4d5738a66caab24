//go:build !race

package server

import (
	"net/netip"
	"testing"

	"github.com/weirnet/weir/apps/dns/msg"
)

// directQueries are such as are answered in the receive path.
func directQueries(t testing.TB, s *Server, from netip.Addr) map[string][]byte {
	t.Helper()
	plain := msg.NewQuery(msg.MustName("www.example.com."), msg.TypeA, true)
	edns := *plain
	edns.EDNS = &msg.EDNS{Size: 1232, DO: true}
	client := *plain
	client.EDNS = &msg.EDNS{Size: 1232, Options: []msg.Option{{Code: msg.OptionCookie, Data: []byte("12345678")}}}
	list := map[string][]byte{}
	nsid := *plain
	nsid.EDNS = &msg.EDNS{Size: 1232, Options: []msg.Option{{Code: msg.OptionNSID}}}
	for name, m := range map[string]*msg.Message{"plain": plain, "EDNS": &edns, "half a cookie": &client, "NSID": &nsid} {
		p, err := m.Append(nil, 512)
		if err != nil {
			t.Fatal(err)
		}
		list[name] = p
	}
	d := s.desk()
	a := asked{from: netip.AddrPortFrom(from, 40000)}
	answer, _ := s.datagram(d, list["half a cookie"], netip.AddrPort{}, &a)
	list["a cookie"] = append(list["half a cookie"][:0:0], list["half a cookie"]...)
	list["a cookie"] = appendOption(list["a cookie"][:len(list["a cookie"])-12], len(list["a cookie"])-12-optLen, msg.OptionCookie, answer[len(answer)-fullCookie:])
	return list
}

// What is answered in the receive path costs no allocation, whatever the server adds.
func TestDirectAnswersDoNotAllocate(t *testing.T) {
	from, to := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddrPort("192.0.2.2:53")
	log := &discard{}
	for name, c := range map[string]Config{
		"defaults": {RateLimit: RateLimit{PerSecond: 1 << 20}, NSID: "a name"},
		"limited":  {RateLimit: RateLimit{PerSecond: 5, Slip: 2}},
		"exempt":   {RateLimit: RateLimit{Exempt: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}},
		"logged":   {RateLimit: RateLimit{PerSecond: -1}, QueryLog: QueryLog{Writer: log, Sample: 10}},
	} {
		s := New(fixed{}, c)
		for kind, p := range directQueries(t, s, from) {
			d := s.desk()
			work := func() {
				a := asked{from: netip.AddrPortFrom(from, 40000)}
				if _, later := s.datagram(d, p, to, &a); later {
					t.Fatalf("%s, %s: not answered at once", name, kind)
				}
			}
			if n := testing.AllocsPerRun(200, work); n > 0 {
				t.Errorf("%s, %s: %v allocations", name, kind, n)
			}
		}
		if name == "defaults" {
			if snap := s.Snapshot(); snap.Proven == 0 || snap.Direct == 0 {
				t.Errorf("no query had a valid cookie: %+v", snap)
			}
		}
		s.Close()
	}
}

type discard struct{}

func (*discard) Write(p []byte) (int, error) { return len(p), nil }

func BenchmarkDirectAnswer(b *testing.B) {
	from, to := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddrPort("192.0.2.2:53")
	s := New(fixed{}, Config{RateLimit: RateLimit{PerSecond: 1 << 20}})
	defer s.Close()
	for kind, p := range directQueries(b, s, from) {
		b.Run(kind, func(b *testing.B) {
			for b.Loop() {
				d := s.desk()
				a := asked{from: netip.AddrPortFrom(from, 40000), transport: UDP}
				s.datagram(d, p, to, &a)
				s.desks.Put(d)
			}
		})
	}
}
