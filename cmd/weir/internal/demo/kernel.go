package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// kernel is this network namespace's kernel as far end: sockets of package net,
// and raw sockets for ICMP.
type kernel struct {
	net.Dialer
	v4, v6 *icmp.PacketConn
	id     int
}

func newKernel() (*kernel, error) {
	v4, err := icmp.ListenPacket("ip4:icmp", "0.0.0.0")
	if err != nil {
		return nil, fmt.Errorf("raw socket for ICMP: %w", err)
	}
	v6, err := icmp.ListenPacket("ip6:ipv6-icmp", "::")
	if err != nil {
		v4.Close()
		return nil, fmt.Errorf("raw socket for ICMPv6: %w", err)
	}
	return &kernel{v4: v4, v6: v6, id: os.Getpid() & 0xffff}, nil
}

func (k *kernel) Close() error { return errors.Join(k.v4.Close(), k.v6.Close()) }

// Ping implements peer.
func (k *kernel) Ping(ctx context.Context, dst netip.Addr, seq uint16, size int) (time.Duration, error) {
	conn, ask, answer := k.v4, icmp.Type(ipv4.ICMPTypeEcho), icmp.Type(ipv4.ICMPTypeEchoReply)
	if dst.Is6() {
		conn, ask, answer = k.v6, ipv6.ICMPTypeEchoRequest, ipv6.ICMPTypeEchoReply
	}
	data := pattern(size)
	msg := icmp.Message{Type: ask, Body: &icmp.Echo{ID: k.id, Seq: int(seq), Data: data}}
	packet, err := msg.Marshal(nil) // the kernel sums ICMPv6 itself
	if err != nil {
		return 0, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetReadDeadline(deadline) // fails only on a closed socket, as the write will
	}
	start := time.Now()
	if _, err := conn.WriteTo(packet, &net.IPAddr{IP: dst.AsSlice()}); err != nil {
		return 0, err
	}
	err = k.await(conn, answer, dst, seq, data)
	return time.Since(start), err
}

// await reads until the echo reply to our request comes: a raw socket hears the
// namespace's other ICMP too.
func (k *kernel) await(conn *icmp.PacketConn, answer icmp.Type, dst netip.Addr, seq uint16, data []byte) error {
	buf := make([]byte, 1<<16)
	for {
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			return err
		}
		msg, err := icmp.ParseMessage(protocol(dst), buf[:n])
		if err != nil || msg.Type != answer {
			continue
		}
		echo, ok := msg.Body.(*icmp.Echo)
		if !ok || echo.ID != k.id || echo.Seq != int(seq) {
			continue
		}
		ip, ok := from.(*net.IPAddr)
		switch {
		case !ok || !ip.IP.Equal(dst.AsSlice()):
			return fmt.Errorf("the answer came from %v", from)
		case !bytes.Equal(echo.Data, data):
			return fmt.Errorf("%d octets sent, %d others came back", len(data), len(echo.Data))
		}
		return nil
	}
}

func protocol(a netip.Addr) int {
	if a.Is4() {
		return ipv4.ICMPTypeEcho.Protocol()
	}
	return ipv6.ICMPTypeEchoRequest.Protocol()
}

// pattern returns data that shows when pieces of it change places.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i ^ i>>8)
	}
	return b
}

// loopbackUp sets the loopback device of a new namespace up: a kernel without one
// does not even reach its own addresses.
func loopbackUp() error {
	lo, err := netlink.LinkByName("lo")
	if err == nil {
		err = netlink.LinkSetUp(lo)
	}
	if err != nil {
		return fmt.Errorf("set the loopback device up: %w", err)
	}
	return nil
}
