package shard

import (
	"net/netip"
	"syscall"
	"testing"

	"github.com/weirnet/weir/stack/tcp"
	"github.com/weirnet/weir/stack/wire"
)

// asFreeBSD is a host whose TCP is FreeBSD's, with its settings to change.
func asFreeBSD(t *testing.T) (*world, *tcp.Settings) {
	s := tcp.FreeBSDSettings()
	return newWorld(t, Config{TCP: &s}), &s
}

// Settings.DropSynFin and Blackhole are about segments that no connection sees.
func TestSettingsOfPortsHoldForTheHost(t *testing.T) {
	w, s := asFreeBSD(t)
	l := w.listen("192.0.2.1:7")
	defer l.Close()
	w.client(1000).send(syn|fin, "")
	if n := len(w.sent(0)); n != 1 {
		t.Errorf("%d answers to a SYN with a FIN", n)
	}
	s.DropSynFin = true
	w.client(1001).send(syn|fin, "")
	w.none()
	s.Blackhole = 1
	w.peer(0, "192.0.2.9:1002", "192.0.2.1:8").send(syn, "")
	w.none()
	p := w.peer(0, "192.0.2.9:1003", "192.0.2.1:8")
	p.send(ack, "")
	p.got(rst)
}

// Buffers begin with the sizes that the settings say when the connection does, but for what its user
// has asked for.
func TestBuffersBeginAsSettingsSay(t *testing.T) {
	w, s := asFreeBSD(t)
	s.ReceiveSizes[1], s.SendSizes[1] = 29200, 14600
	c, _, _ := w.dialPeer(0, "", "192.0.2.9:80")
	if r, n := c.conn.Buffers(); r != 29200 || n != 14600 {
		t.Errorf("buffers of %d and %d", r, n)
	}
	c.Abort()
	o := TCPOptions{ReceiveBuffer: 14600}
	d, err := w.ConnectTCP(nil, ap("192.0.2.9:81"), &o, nil)
	must(t, err)
	if r, n := d.conn.Buffers(); r != 14600 || n != 14600 {
		t.Errorf("buffers of %d and %d", r, n)
	}
	d.Abort()
}

// Errors about a SYN mean what they mean in BSD, and those that mean nothing there are not even soft.
func TestBSDErrorsOfConnectionsInTheMaking(t *testing.T) {
	w, s := asFreeBSD(t)
	for _, tc := range []struct {
		typ, code uint8
		mayReset  bool
		err       error
	}{
		{3, 0, true, nil}, {3, 1, true, nil}, {3, 2, true, syscall.ECONNREFUSED}, {3, 3, true, syscall.ECONNREFUSED},
		{3, 13, true, syscall.ECONNREFUSED}, {3, 14, true, nil}, {11, 0, true, syscall.EHOSTUNREACH}, {11, 1, true, nil},
		{12, 0, true, nil}, {3, 3, false, nil}, {11, 0, false, nil},
	} {
		s.ICMPMayReset = tc.mayReset
		c, err := w.DialTCP(netip.AddrPort{}, ap("192.0.2.9:80"), new(events))
		must(t, err)
		w.sent(0)
		quote := tcpPacket(c.Local(), c.Remote(), wire.TCPFields{Seq: c.conn.Info().SndUna, Flags: syn}, nil)
		w.receive(0, icmpPacket(addr("192.0.2.9"), addr("192.0.2.1"), tc.typ, tc.code, 0, quote))
		if got := c.conn.Err(); got != tc.err {
			t.Errorf("%+v: %v", tc, got)
		}
		c.Abort()
	}
}

// The next connection announces what is known of the path; a SYN is too short for a report about
// it to be true.
func TestPathMTUIsAnnounced(t *testing.T) {
	w, _ := asFreeBSD(t)
	tooBig := func(c *TCP, mtu uint32) {
		quote := tcpPacket(c.Local(), c.Remote(), wire.TCPFields{Seq: c.conn.Info().SndUna, Flags: syn}, nil)
		w.receive(0, icmpPacket(addr("192.0.2.254"), addr("192.0.2.1"), 3, 4, mtu, quote))
	}
	announced := func() (c *TCP, size uint16) {
		c, err := w.DialTCP(netip.AddrPort{}, ap("192.0.2.9:80"), nil)
		must(t, err)
		var o wire.TCPOptions
		must(t, wire.ParseTCPOptions(w.one(0).tcp().Options(), &o))
		return c, o.MSS
	}
	c, _ := announced()
	tooBig(c, 1234)
	c.Abort()
	if c, size := announced(); size != 1460 {
		t.Errorf("MSS %d after a report about a SYN", size)
	} else {
		c.Abort()
	}
	c, _, _ = w.dialPeer(0, "", "192.0.2.9:80")
	w.write(c, text(1400))
	w.sent(0)
	tooBig(c, 1234)
	w.sent(0)
	if c, size := announced(); size != 1194 {
		t.Errorf("MSS %d after a report about a connection", size)
	} else {
		c.Abort()
	}
}
