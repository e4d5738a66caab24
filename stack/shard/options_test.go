package shard

import (
	"errors"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/tcp"
	"github.com/weirnet/weir/stack/tcp/cc"
	"github.com/weirnet/weir/stack/wire"
)

// tos returns the TOS octet or traffic class of a packet.
func (p packet) tos() uint8 {
	if p.raw[0]>>4 == 4 {
		return p.raw[1]
	}
	return p.raw[0]<<4 | p.raw[1]>>4
}

// announced returns the MSS that a SYN announces.
func announced(t testing.TB, h wire.TCP) int {
	var o wire.TCPOptions
	must(t, wire.ParseTCPOptions(h.Options(), &o))
	return int(o.MSS)
}

func TestConnectionsOptions(t *testing.T) {
	reno := cc.Reno
	w := newWorld(t, Config{HopLimit4: 99, HopLimit6: 98})
	for _, dst := range []string{"192.0.2.9:80", "[2001:db8::9]:80"} {
		set := 0
		o := &TCPOptions{HopLimit: 7, TrafficClass: 0x2b, UserMSS: 900, CC: &reno, ReceiveBuffer: 5000, Setup: func(c *tcp.Conn) {
			set++
			c.SetNoDelay(true)
		}}
		c, err := w.ConnectTCP(nil, ap(dst), o, nil)
		must(t, err)
		p := w.one(0)
		if p.ttl != 7 || p.tos()&^3 != 0x28 || announced(t, p.tcp()) != 900 || p.tcp().Window() > 5000 || set != 1 {
			t.Errorf("%s: hop limit %d, class %#x, MSS %d, window %d, set up %d times", dst, p.ttl, p.tos(), announced(t, p.tcp()), p.tcp().Window(), set)
		}
		c.Lock()
		c.SetHopLimit(0)
		c.SetTrafficClass(0x48)
		if c.HopLimit() != 0 || c.TrafficClass() != 0x48 || c.PMTUDisc() != PMTUDiscWant || c.PathMTU() != 1500 {
			t.Errorf("%d %#x %v %d", c.HopLimit(), c.TrafficClass(), c.PMTUDisc(), c.PathMTU())
		}
		c.Unlock()
		w.pass(1100 * time.Millisecond)
		if p = w.one(0); p.ttl != map[bool]uint8{true: 99, false: 98}[p.dst.Is4()] || p.tos()&^3 != 0x48 {
			t.Errorf("%s: hop limit %d, class %#x", dst, p.ttl, p.tos())
		}
		c.Abort()
	}
}

// The ECN field of the IP header is the segment's, both ways and in both families (RFC 3168 §5).
func TestSegmentsCarryTheECNField(t *testing.T) {
	w := newWorld(t, Config{})
	for _, ends := range [][2]string{{"192.0.2.1:7", "192.0.2.9:999"}, {"[2001:db8::1]:7", "[2001:db8::9]:999"}} {
		for ecn := range uint8(4) {
			f := w.getTx()
			f.seg = tcp.Segment{Flags: ack, ECN: ecn}
			p, err := w.net.Load().pathTo(ap(ends[1]).Addr(), netip.Addr{}, w.lo)
			must(t, err)
			p.tos = 0xff
			f.putTCP(ap(ends[0]), ap(ends[1]), &p, w.Host)
			f.finishPartial()
			if got := (packet{raw: f.Packet()}).tos(); got != 0xfc|ecn {
				t.Errorf("%d leaves as a class of %#x", ecn, got)
			}
			w.putTx(f)

			in := tcpPacket(ap(ends[1]), ap(ends[0]), fieldsOf(rst), nil)
			if in[0]>>4 == 4 {
				in[1] = 0xfc | ecn
				wire.IPv4(in).UpdateChecksum()
			} else {
				in[1] = ecn<<4 | in[1]&15
			}
			r := round{h: w.Host, ifc: w.ifcs[0], now: w.Now()}
			w.in.Off, w.in.End = link.Headroom, link.Headroom+copy(w.in.Buf[link.Headroom:], in)
			w.in.Offload = link.Offload{}
			if r.input(&w.in); r.seg.ECN != ecn || r.seg.Flags != rst {
				t.Errorf("%d arrives as %d", ecn, r.seg.ECN)
			}
		}
	}
}

func TestAcceptedConnectionsInheritTheListenersOptions(t *testing.T) {
	w := newWorld(t, Config{})
	set := 0
	l := w.listenTCP(ListenOptions{Backlog: 5, TCP: TCPOptions{HopLimit: 9, TrafficClass: 0x10, UserMSS: 1000, Setup: func(*tcp.Conn) { set++ }}})
	p := w.client(1000)
	p.send(syn, "")
	k := w.one(0)
	if k.ttl != 9 || k.tos()&^3 != 0x10 || announced(t, k.tcp()) != 1000 || set != 1 {
		t.Errorf("SYN,ACK with hop limit %d, class %#x, MSS %d, set up %d times", k.ttl, k.tos(), announced(t, k.tcp()), set)
	}
	p.take(k.tcp())
	p.send(ack, "")
	l.Configure(func(o *ListenOptions) { o.TCP.HopLimit = 11 })
	w.write(l.Accept(), []byte("x"))
	if k = w.one(0); k.ttl != 9 {
		t.Errorf("hop limit %d after the listener's has changed", k.ttl)
	}
	q := w.client(1001)
	q.send(syn, "")
	if k = w.one(0); k.ttl != 11 {
		t.Errorf("hop limit %d of a later connection", k.ttl)
	}
}

// IP_MTU_DISCOVER on connections: who sends with DF, and who believes reports.
func TestPathMTUDiscoveryOfConnections(t *testing.T) {
	for _, c := range []struct {
		mode     PMTUDisc
		noDisc   bool
		df       bool
		believes bool
	}{
		{PMTUDiscHost, false, true, true}, {PMTUDiscHost, true, false, false}, {PMTUDiscDont, false, false, false},
		{PMTUDiscWant, true, true, true}, {PMTUDiscDo, false, true, true}, {PMTUDiscProbe, false, true, false},
		{PMTUDiscInterface, false, false, false}, {PMTUDiscOmit, false, false, false},
	} {
		w := newWorld(t, Config{NoPMTUDisc: c.noDisc})
		conn, _, _ := w.dialPeer(0, "", "192.0.2.9:80")
		conn.Lock()
		conn.SetPMTUDisc(c.mode)
		conn.Unlock()
		w.write(conn, text(1400))
		p := w.one(0)
		w.tooBig(0, p, 1000)
		w.sent(0)
		believed := conn.conn.Info().MSS < 1000
		if p.df != c.df || believed != c.believes || (conn.PathMTU() == 1000) != c.believes {
			t.Errorf("%+v: DF %v, MSS %d, path MTU %d", c, p.df, conn.conn.Info().MSS, conn.PathMTU())
		}
	}
}

// IP_MTU_DISCOVER on datagrams, before and after a report of 1000.
func TestPathMTUDiscoveryOfDatagrams(t *testing.T) {
	type result struct {
		packets int // 0: EMSGSIZE
		df      bool
	}
	for _, c := range []struct {
		mode                 PMTUDisc
		large, before, after result // 3,000 octets; 1,200 before and after the report
	}{
		{PMTUDiscHost, result{3, false}, result{1, true}, result{2, false}},
		{PMTUDiscDont, result{3, false}, result{1, false}, result{2, false}},
		{PMTUDiscDo, result{}, result{1, true}, result{}},
		{PMTUDiscProbe, result{}, result{1, true}, result{1, true}},
		{PMTUDiscInterface, result{}, result{1, false}, result{1, false}},
		{PMTUDiscOmit, result{3, false}, result{1, false}, result{1, false}},
	} {
		w := newWorld(t, Config{})
		u := w.OpenUDP(true)
		u.Configure(func(o *DatagramOptions) { o.V4.PMTUDisc = c.mode })
		send := func(n int) (r result, list []packet) {
			err := u.SendTo(text(n), ap("192.0.2.9:9"), SendOptions{})
			if list = w.sent(0); err != nil && (err != syscall.EMSGSIZE || len(list) > 0) {
				t.Errorf("%v: %v", c, err)
			}
			if len(list) > 0 {
				r = result{len(list), list[0].df}
			}
			return r, list
		}
		large, _ := send(3000)
		before, list := send(1200)
		other, err := w.DialUDP(netip.AddrPort{}, ap("192.0.2.9:9")) // the report is about another's
		must(t, err)
		must(t, other.Send(text(1200), netip.Addr{}, other.Remote()))
		w.tooBig(0, w.sent(0)[0], 1000)
		after, _ := send(1200)
		if large != c.large || before != c.before || after != c.after {
			t.Errorf("mode %d: %v, %v, %v; want %v", c.mode, large, before, after, c)
		}
		_ = list
	}
}

// Hard errors end an open, soft ones do not (RFC 1122 §4.2.3.9); as Linux has it, all do.
func TestUnreachableEndsAnOpen(t *testing.T) {
	for _, all := range []bool{false, true} {
		w := newWorld(t, Config{UnreachableEndsOpen: all})
		for code, hard := range map[uint8]bool{0: false, 1: false, 5: false, 3: true, 10: true, 13: true} {
			c, err := w.DialTCP(netip.AddrPort{}, ap("192.0.2.9:80"), nil)
			must(t, err)
			w.receive(0, icmpPacket(addr("192.0.2.254"), addr("192.0.2.1"), 3, code, 0, w.one(0).raw))
			if ended := c.conn.State() == tcp.StateClosed; ended != (hard || all) {
				t.Errorf("all %v, code %d: %v", all, code, c.conn.State())
			}
			c.Abort()
			w.sent(0)
		}
	}
}

func TestConnectionsAreAbortedByWhatTheyAre(t *testing.T) {
	w := newWorld(t, Config{})
	a, pa, ea := w.dialPeer(0, "", "192.0.2.9:80")
	b, _, _ := w.dialPeer(0, "", "192.0.2.9:81")
	l := w.listen("192.0.2.1:7")
	w.client(1000).connect()
	if n := w.Abort(func(i ConnInfo) bool { return i.State == "ESTABLISHED" && i.Remote == pa.at }); n != 1 {
		t.Errorf("%d aborted, want one", n)
	}
	pa.got(rst | ack)
	if a.conn.Err() != syscall.ECONNABORTED || ea.all&tcp.EventError == 0 || b.conn.State() != tcp.StateEstablished {
		t.Errorf("%v, %v; the other is in %v", a.conn.Err(), ea.all, b.conn.State())
	}
	if n := w.Abort(func(i ConnInfo) bool { return i.Local.Port() == 7 }); n != 1 || len(w.sent(0)) != 1 {
		t.Errorf("%d aborted, want the one to accept", n)
	}
	if c := l.Accept(); c == nil || c.conn.Err() != syscall.ECONNABORTED {
		t.Error("what was aborted in the queue is not accepted with its error")
	}
	b.Abort()
	w.sent(0)
	x, p, _ := w.dialPeer(0, "", "192.0.2.9:82")
	x.Lock()
	x.conn.CloseWrite(w.clock.Now())
	x.Push()
	x.Unlock()
	p.got(finAck)
	p.send(finAck, "")
	p.got(ack)
	if n := w.Abort(func(i ConnInfo) bool { return i.State == "TIME-WAIT" }); n != 1 {
		t.Errorf("%d TIME-WAIT records forgotten", n)
	}
	w.counted("held.tcp_timewait", 0)
}

func TestSysctls(t *testing.T) {
	var c Config
	for name, value := range map[string]string{
		"net.ipv4.ip_default_ttl": "61", "net/ipv4/ip_local_port_range": "10000\t20000", "net.ipv4.icmp_ratelimit": "250",
		"net.core.somaxconn": "128", "/proc/sys/net/ipv4/icmp_echo_ignore_all": "1",
		"net.ipv6.bindv6only": "1", "net.core.rmem_default": "65536", "net.ipv4.ip_no_pmtu_disc": " 1\n", "net.ipv6.conf.default.hop_limit": "50",
		"net.ipv4.tcp_max_syn_backlog": "64", "net.ipv4.icmp_msgs_per_sec": "0",
	} {
		if err := c.SetSysctl(name, value); err != nil {
			t.Error(err)
		}
	}
	if c.HopLimit4 != 61 || c.HopLimit6 != 50 || c.FirstPort != 10000 || c.LastPort != 20000 || c.ICMPInterval != 250*time.Millisecond || c.MaxBacklog != 128 ||
		!c.EchoIgnoreAll || !c.BindV6Only || c.ReceiveDefault != 65536 || !c.NoPMTUDisc || c.MaxSynBacklog != 64 || c.ICMPPerSecond != -1 {
		t.Errorf("%+v", c)
	}
	before := c
	for name, value := range map[string]string{
		"net.ipv4.ip_default_ttl": "0", "net.ipv4.ip_local_port_range": "10000", "net.core.somaxconn": "many", "net.ipv4.ip_forward": "", "net.core.rmem_max": "-1",
	} {
		if err := c.SetSysctl(name, value); err == nil {
			t.Errorf("%s = %q is taken", name, value)
		}
	}
	var unknown *UnknownSysctlError
	if err := c.SetSysctl("net.ipv4.tcp_foo", "1"); !errors.As(err, &unknown) || unknown.Name != "net.ipv4.tcp_foo" {
		t.Errorf("%v", err)
	}
	if c != before {
		t.Error("a value that is refused changes something")
	}
}

func TestEchoIsIgnoredWhereThatIsAsked(t *testing.T) {
	w := newWorld(t, Config{EchoIgnoreAll: true})
	w.receive(0, echoRequest(addr("192.0.2.9"), addr("192.0.2.1"), "x"))
	w.none()
	w.receive(0, echoRequest(addr("2001:db8::9"), addr("2001:db8::1"), "x"))
	w.one(0)
}

func TestErrorsComeAtTheIntervalAsked(t *testing.T) {
	for interval, want := range map[time.Duration]int{500 * time.Millisecond: 4, -1: 100} {
		w := newWorld(t, Config{ICMPInterval: interval, ICMPPerSecond: -1})
		in := udpPacket(ap("192.0.2.9:1"), ap("192.0.2.1:2"), nil)
		for range 30 { // the burst
			w.receive(0, in)
		}
		w.sent(0)
		n := 0
		for range 100 {
			w.pass(20 * time.Millisecond)
			w.receive(0, in)
			n += len(w.sent(0))
		}
		if n != want {
			t.Errorf("%v: %d errors in two seconds, want %d", interval, n, want)
		}
	}
}
