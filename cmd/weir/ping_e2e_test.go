package main_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

var allCameBack = regexp.MustCompile(`(?m)^(\d+) packets transmitted, (\d+) received, 0% packet loss`)

// ping runs the program of the name, whose first option is "-c" and a count, and holds that it reports
// that nothing was lost. When it has sent its last request it waits for the answers no longer
// than twice the longest round trip or one interval, here 10 ms, so that on a machine with
// other work to do it may be wrong. It is then run again with all requests at once and
// an interval that is as long as any other wait here.
func (l *lab) ping(flag, addr string, args ...string) {
	l.t.Helper()
	var r result
	for range 3 {
		r = l.run("", "ping", append([]string{flag, "-n", "-W", "30", addr}, args...)...)
		m := allCameBack.FindStringSubmatch(r.stdout)
		if r.status == 0 && m != nil && m[1] == args[1] && m[2] == args[1] && !strings.Contains(r.stdout, "wrong data") {
			return
		}
		l.t.Logf("ping %v %s, again: %v", args, addr, r)
		args = append(args, "-l", args[1], "-i", fmt.Sprint(patience.Seconds()))
	}
	l.t.Errorf("ping %v %s: %v", args, addr, r)
}

// pingAll sends echo requests, one after the other, and holds that each is answered with its own data.
func (l *lab) pingAll(addr string, count, size int) {
	l.t.Helper()
	dst := netip.MustParseAddr(addr)
	network, any, request, proto := "ip4:icmp", "0.0.0.0", icmp.Type(ipv4.ICMPTypeEcho), 1
	if dst.Is6() {
		network, any, request, proto = "ip6:ipv6-icmp", "::", ipv6.ICMPTypeEchoRequest, 58
	}
	var c *icmp.PacketConn
	l.do(func() (err error) {
		c, err = icmp.ListenPacket(network, any)
		return err
	})
	defer c.Close()
	data := make([]byte, size)
	for n := range count {
		io.ReadFull(noise(int64(size), byte(n)), data)
		m := icmp.Message{Type: request, Body: &icmp.Echo{ID: 77, Seq: n, Data: data}}
		packet, err := m.Marshal(nil)
		must(l.t, err)
		if _, err := c.WriteTo(packet, &net.IPAddr{IP: dst.AsSlice()}); err != nil {
			l.t.Fatal(err)
		}
		c.SetReadDeadline(time.Now().Add(patience))
		if err := awaitEcho(c, proto, n, data); err != nil {
			l.t.Fatalf("echo request %d of %d to %s: %v", n, count, addr, err)
		}
	}
}

// awaitEcho reads until the answer comes: a raw socket hears other messages too.
func awaitEcho(c *icmp.PacketConn, proto, seq int, data []byte) error {
	buf := make([]byte, 1<<16)
	for {
		n, _, err := c.ReadFrom(buf)
		if err != nil {
			return err
		}
		m, err := icmp.ParseMessage(proto, buf[:n])
		if err != nil || m.Type != ipv4.ICMPTypeEchoReply && m.Type != ipv6.ICMPTypeEchoReply {
			continue
		}
		if echo, ok := m.Body.(*icmp.Echo); ok && echo.ID == 77 && echo.Seq == seq {
			if !bytes.Equal(echo.Data, data) {
				return fmt.Errorf("%d octets sent, other %d came back", len(data), len(echo.Data))
			}
			return nil
		}
	}
}
