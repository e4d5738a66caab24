package shard

import (
	"net/netip"
	"syscall"
	"testing"
)

// TestPortIsBoundOnceForAnAddress holds bind against the kernel's rules: a wildcard and an
// address of its family, or two equals, do not go together; different addresses, families
// and protocols do.
func TestPortIsBoundOnceForAnAddress(t *testing.T) {
	for _, c := range []struct {
		first, second string
		free          bool
	}{
		{"192.0.2.1:80", "192.0.2.1:80", false}, {"192.0.2.1:80", "198.51.100.1:80", true}, {"192.0.2.1:80", "192.0.2.1:81", true},
		{"0.0.0.0:80", "192.0.2.1:80", false}, {"192.0.2.1:80", "0.0.0.0:80", false}, {"0.0.0.0:80", "0.0.0.0:80", false},
		{"0.0.0.0:80", "[2001:db8::1]:80", true}, {"192.0.2.1:80", "[2001:db8::1]:80", true},
		{"both:80", "192.0.2.1:80", false}, {"both:80", "[2001:db8::1]:80", false}, {"192.0.2.1:80", "both:80", false}, {"both:80", "both:80", false},
		{"127.0.0.1:80", "192.0.2.1:80", true}, {"127.0.0.1:80", "127.0.0.2:80", true},
	} {
		at := func(s string) (netip.AddrPort, bool) {
			if s == "both:80" {
				return ap("[::]:80"), true
			}
			return ap(s), false
		}
		w := newWorld(t, Config{})
		a1, b1 := at(c.first)
		a2, b2 := at(c.second)
		want := error(syscall.EADDRINUSE)
		if c.free {
			want = nil
		}
		l, err := w.Listen(a1, b1)
		must(t, err)
		if _, err := w.Listen(a2, b2); err != want {
			t.Errorf("listen on %s beside %s: %v, want %v", c.second, c.first, err, want)
		}
		u, err := w.ListenUDP(a1, b1)
		must(t, err) // the other protocol's ports are others
		if _, err := w.ListenUDP(a2, b2); err != want {
			t.Errorf("UDP on %s beside %s: %v, want %v", c.second, c.first, err, want)
		}
		l.Close()
		u.Close()
		if !c.free { // what is closed is free again
			_, err = w.Listen(a2, b2)
			must(t, err)
			_, err = w.ListenUDP(a2, b2)
			must(t, err)
		}
	}
}

func TestChosenPortsAreEphemeralAndDiffer(t *testing.T) { // RFC 6056 §3.2
	w := newWorld(t, Config{})
	seen := map[uint16]bool{}
	inOrder := 0
	last := uint16(0)
	for range 200 {
		u, err := w.ListenUDP(ap("192.0.2.1:0"), false)
		must(t, err)
		p := u.Local().Port()
		if p < firstEphemeral || seen[p] {
			t.Fatalf("port %d", p)
		}
		if p == last+1 {
			inOrder++
		}
		last, seen[p] = p, true
	}
	if inOrder > 10 {
		t.Errorf("%d of 200 ports follow on the one before", inOrder)
	}
}

func TestExhaustedPortsAreAnError(t *testing.T) {
	w := newWorld(t, Config{})
	w.cables[0].keep = false
	for n := range ephemeralPorts {
		if _, err := w.DialTCP(netip.AddrPort{}, ap("192.0.2.9:80"), nil); err != nil {
			t.Fatalf("connection %d: %v", n, err)
		}
	}
	_, err := w.DialTCP(netip.AddrPort{}, ap("192.0.2.9:80"), nil)
	wantErr(t, err, syscall.EADDRNOTAVAIL)
	if _, err = w.DialTCP(netip.AddrPort{}, ap("192.0.2.9:81"), nil); err != nil {
		t.Errorf("to another port of the peer: %v", err)
	}
	for range ephemeralPorts {
		if _, err := w.ListenUDP(ap("192.0.2.1:0"), false); err != nil {
			t.Fatal(err)
		}
	}
	_, err = w.ListenUDP(ap("192.0.2.1:0"), false)
	wantErr(t, err, syscall.EADDRINUSE)
	w.Close()
	w.nothingHeld()
}

func TestConnectionIsMadeOnce(t *testing.T) {
	w := newWorld(t, Config{})
	c, _, _ := w.dialPeer(0, "192.0.2.1:4000", "192.0.2.9:80")
	_, err := w.DialTCP(ap("192.0.2.1:4000"), ap("192.0.2.9:80"), nil)
	wantErr(t, err, syscall.EADDRINUSE)
	c.Abort()
	if _, err = w.DialTCP(ap("192.0.2.1:4000"), ap("192.0.2.9:80"), nil); err != nil {
		t.Error(err)
	}
	// A port with a listener is not chosen for a connection.
	c, err = w.DialTCP(netip.AddrPort{}, ap("192.0.2.9:80"), nil)
	must(t, err)
	next := netip.AddrPortFrom(addr("0.0.0.0"), c.Local().Port()+1)
	w.listen(next.String())
	c, err = w.DialTCP(netip.AddrPort{}, ap("192.0.2.9:80"), nil)
	must(t, err)
	if got := c.Local().Port(); got != next.Port()+1 {
		t.Errorf("port %d, want the one after the listener's, %d", got, next.Port())
	}
}
