package main

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// ceiling only pretends to be TCP: it is the cheapest that one thread can do over a TUN device
// for each test, and so the bound that the device sets. It answers SYNs, acknowledges whatever has
// the highest sequence number, echoes packets in the buffer that they came in with their
// addresses swapped, and sends super-segments from a buffer that is never filled as far as the
// peer's window goes. It has no options but MSS and window scale, no congestion control and no
// reassembly; what it does against loss is to begin again at what is not acknowledged.
type ceiling struct {
	tun   *rawTUN
	flows map[uint64]*ceilingFlow
	dirty []*ceilingFlow // to be answered once what is there has been read
	in    []byte
	out   []byte // headers and the text that is sent
	udp   ceilingUDP
	err   error
}

// ceilingFlow is what a pretended connection needs.
type ceilingFlow struct {
	key           uint64
	port          int
	irs, rcvNxt   uint32
	total         uint64 // octets that came, the FIN counted as one
	una, nxt, wnd uint32 // our initial sequence number is 0
	shift         uint8
	mss           int
	dirty, ackNow bool
	fin, dead     bool   // ours was sent; it is forgotten
	stuckAt       uint32 // una at the last tick
	head          [vnetLen + ipv4Len + tcpLen]byte
}

const (
	ipv4Len = 20
	tcpLen  = 20

	// ceilingBatch is how many packets are read before what they ask for is sent: enough to
	// drain what a burst leaves, little enough that no sender waits.
	ceilingBatch = 64
	// ceilingWindow keeps eight streams within the device's ring of 500 packets.
	ceilingWindow, ceilingShift = 2 << 20, 7
	// ceilingBurst is how many super-segments a flow sends before it looks for acknowledgements.
	ceilingBurst = 8
	ceilingTick  = 200 * time.Millisecond
)

func openCeiling(mtu int, _ string) (endpoint, error) {
	dev, err := openRawTUN(mtu, true)
	if err != nil {
		return nil, err
	}
	return &ceiling{tun: dev, flows: map[uint64]*ceilingFlow{}, in: make([]byte, 65536+vnetLen), out: make([]byte, 65536+vnetLen)}, nil
}

func (c *ceiling) Close() error { return c.tun.file.Close() }

func (c *ceiling) serve() error {
	c.tick()
	go c.run()
	return nil
}

// tick wakes the thread when it sleeps although something is lost.
func (c *ceiling) tick() {
	time.AfterFunc(ceilingTick, func() {
		if c.tun.file.SetReadDeadline(time.Unix(1, 0)) == nil {
			c.tick()
		}
	})
}

func (c *ceiling) run() {
	drain := func(uintptr) bool { return c.drain() > 0 || len(c.dirty) > 0 || c.err != nil }
	for c.err == nil {
		err := c.tun.raw.Read(drain)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			c.tun.file.SetReadDeadline(time.Time{})
			c.resend()
		case err != nil:
			return
		}
		c.flushUDP()
		c.answer()
	}
}

// drain reads until there is nothing or enough.
func (c *ceiling) drain() int {
	for i := range ceilingBatch {
		n, err := c.tun.read(c.in)
		if n < 0 || err != nil {
			if err != nil {
				c.err = err
			}
			return i
		}
		c.take(c.in[:n])
	}
	return ceilingBatch
}

// take does what a packet asks for, or notes it.
func (c *ceiling) take(frame []byte) {
	if len(frame) < vnetLen+ipv4Len+8 || frame[vnetLen] != 0x45 {
		return
	}
	ip := frame[vnetLen:]
	size := int(binary.BigEndian.Uint16(ip[2:]))
	if size > len(ip) || netip.AddrFrom4([4]byte(ip[16:])) != stackPrefix.Addr() {
		return
	}
	switch text := ip[ipv4Len:size]; {
	case ip[9] == unix.IPPROTO_UDP && binary.BigEndian.Uint16(text[2:]) == echoPort:
		c.bounce(frame, ip, text)
	case ip[9] == unix.IPPROTO_TCP && len(text) >= tcpLen && len(text) >= int(text[12]>>4)*4:
		c.segment(frame, ip, text)
	}
}

// swap turns a packet round: the sums of both headers stay what they are.
func swap(ip, text []byte) {
	src, dst := [4]byte(ip[12:]), [4]byte(ip[16:])
	copy(ip[12:], dst[:])
	copy(ip[16:], src[:])
	sport, dport := [2]byte(text), [2]byte(text[2:])
	copy(text, dport[:])
	copy(text[2:], sport[:])
}

func (c *ceiling) write(frame []byte) {
	for {
		_, err := unix.Write(c.tun.fd, frame)
		if err != unix.EINTR && err != unix.EAGAIN {
			return // a link that is down loses it
		}
	}
}
