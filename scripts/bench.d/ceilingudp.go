package main

import (
	"bytes"
	"encoding/binary"

	"golang.org/x/sys/unix"
)

const (
	vnetGSOUDP = 5 // VIRTIO_NET_HDR_GSO_UDP_L4

	// udpSegments is how many datagrams the kernel takes as one.
	udpSegments = 64
	udpLen      = 8
)

// ceilingUDP is answers to one peer of one size, that leave as a super-segment.
type ceilingUDP struct {
	frame []byte
	size  int // of a datagram's text
	count int
}

// bounce sends a datagram back. Where the device cuts super-segments, it leaves with those that
// follow it for the same peer.
func (c *ceiling) bounce(frame, ip, text []byte) {
	swap(ip, text)
	if !c.tun.uso {
		if frame[0]&vnetNeedsCsum == 0 { // the sum stays what it was; else the header asks for the same one
			clear(frame[:vnetLen])
		}
		c.write(frame)
		return
	}
	u, n := &c.udp, len(text)-udpLen
	// The addresses and ports are at the same place in both.
	same := u.count > 0 && n == u.size && bytes.Equal(u.frame[vnetLen+12:vnetLen+ipv4Len+4], ip[12:ipv4Len+4])
	if !same || u.count == udpSegments || len(u.frame)+n > 65535 {
		c.flushUDP()
	}
	if u.count == 0 {
		u.frame = append(u.frame[:0], frame[:vnetLen+len(ip[:ipv4Len])+udpLen]...)
		u.size = n
	}
	u.frame = append(u.frame, text[udpLen:]...)
	u.count++
}

// flushUDP sends what has been gathered.
func (c *ceiling) flushUDP() {
	u := &c.udp
	if u.count == 0 {
		return
	}
	h, ip := u.frame[:vnetLen], u.frame[vnetLen:]
	clear(h)
	h[0] = vnetNeedsCsum
	binary.NativeEndian.PutUint16(h[6:], ipv4Len)
	binary.NativeEndian.PutUint16(h[8:], 6)
	if u.count > 1 {
		h[1] = vnetGSOUDP
		binary.NativeEndian.PutUint16(h[2:], ipv4Len+udpLen)
		binary.NativeEndian.PutUint16(h[4:], uint16(u.size))
	}
	binary.BigEndian.PutUint16(ip[2:], uint16(len(ip)))
	binary.BigEndian.PutUint16(ip[10:], 0)
	binary.BigEndian.PutUint16(ip[10:], ^sum(ip[:ipv4Len], 0))
	n := len(ip) - ipv4Len
	binary.BigEndian.PutUint16(ip[ipv4Len+4:], uint16(n))
	binary.BigEndian.PutUint16(ip[ipv4Len+6:], sum(ip[12:20], uint32(unix.IPPROTO_UDP+n)))
	c.write(u.frame)
	u.count = 0
}
