package main

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// The flags of TCP.
const (
	flagFIN = 1 << iota
	flagSYN
	flagRST
	flagPSH
	flagACK
)

// segment takes a TCP segment: text begins with its header.
func (c *ceiling) segment(frame, ip, text []byte) {
	key := uint64(binary.BigEndian.Uint32(ip[12:]))<<32 | uint64(binary.BigEndian.Uint32(text))
	flags, offset := text[13], int(text[12]>>4)*4
	if flags&flagSYN != 0 {
		c.open(key, ip, text)
		return
	}
	f := c.flows[key]
	if f == nil {
		return
	}
	if flags&flagRST != 0 {
		c.forget(f)
		return
	}
	f.wnd = uint32(binary.BigEndian.Uint16(text[14:])) << f.shift
	if ack := binary.BigEndian.Uint32(text[8:]); int32(ack-f.una) > 0 {
		f.una = ack
		if int32(f.una-f.nxt) > 0 {
			f.nxt = f.una
		}
	}
	seq, n := binary.BigEndian.Uint32(text[4:]), uint32(len(text)-offset)
	end := seq + n
	if flags&flagFIN != 0 {
		end++
	}
	if d := int32(end - f.rcvNxt); d > 0 {
		f.total += uint64(d)
		f.rcvNxt = end
	}
	switch {
	case n > 0 && f.port == echoPort && flags&flagFIN == 0:
		c.echo(f, frame, ip, text[:offset], seq, n)
	case flags&flagFIN != 0:
		c.finish(f)
	case f.fin && f.una == f.nxt:
		c.forget(f)
	case n > 0:
		f.ackNow = true
		c.mark(f)
	case f.port == sourcePort:
		c.mark(f)
	}
}

func (c *ceiling) mark(f *ceilingFlow) {
	if !f.dirty {
		f.dirty = true
		c.dirty = append(c.dirty, f)
	}
}

func (c *ceiling) forget(f *ceilingFlow) {
	f.dead = true
	delete(c.flows, f.key)
}

// open answers a SYN.
func (c *ceiling) open(key uint64, ip, text []byte) {
	f := &ceilingFlow{key: key, port: int(binary.BigEndian.Uint16(text[2:])), irs: binary.BigEndian.Uint32(text[4:]), mss: 536}
	f.readOptions(text[tcpLen : int(text[12]>>4)*4])
	f.rcvNxt, f.una, f.nxt = f.irs+1, 1, 1
	f.template(ip, text)
	c.flows[key] = f
	p := c.out[:len(f.head)+8]
	copy(p, f.head[:])
	copy(p[len(f.head):], []byte{2, 4, byte(f.mss >> 8), byte(f.mss), 1, 3, 3, ceilingShift})
	p[vnetLen+ipv4Len+12] = (tcpLen + 8) / 4 << 4
	f.complete(p, 0, flagSYN|flagACK)
	binary.BigEndian.PutUint16(p[vnetLen+ipv4Len+14:], 65535)
	c.write(p)
}

// readOptions looks for MSS and window scale.
func (f *ceilingFlow) readOptions(o []byte) {
	for len(o) >= 2 && o[0] != 0 {
		n := int(o[1])
		if o[0] == 1 {
			n = 1
		} else if n < 2 || n > len(o) {
			return
		} else if o[0] == 2 && n == 4 {
			f.mss = int(binary.BigEndian.Uint16(o[2:]))
		} else if o[0] == 3 && n == 3 {
			f.shift = min(o[2], 14)
		}
		o = o[n:]
	}
}

// template prepares the headers of what is sent, from those that came.
func (f *ceilingFlow) template(ip, text []byte) {
	h := f.head[vnetLen:]
	h[0], h[6], h[8], h[9] = 0x45, 0x40, 64, unix.IPPROTO_TCP
	copy(h[12:], ip[16:20])
	copy(h[16:], ip[12:16])
	copy(h[ipv4Len:], text[2:4])
	copy(h[ipv4Len+2:], text[:2])
	h[ipv4Len+12] = tcpLen / 4 << 4
	f.head[0] = vnetNeedsCsum
	binary.NativeEndian.PutUint16(f.head[6:], ipv4Len)
	binary.NativeEndian.PutUint16(f.head[8:], 16)
}

// complete fills in what differs from packet to packet: p is whole, with headers from head.
func (f *ceilingFlow) complete(p []byte, seq uint32, flags byte) {
	ip := p[vnetLen:]
	tcp := ip[ipv4Len:]
	binary.BigEndian.PutUint16(ip[2:], uint16(len(ip)))
	binary.BigEndian.PutUint16(ip[10:], 0)
	binary.BigEndian.PutUint16(ip[10:], ^sum(ip[:ipv4Len], 0))
	binary.BigEndian.PutUint32(tcp[4:], seq)
	binary.BigEndian.PutUint32(tcp[8:], f.rcvNxt)
	tcp[13] = flags
	binary.BigEndian.PutUint16(tcp[14:], ceilingWindow>>ceilingShift)
	binary.BigEndian.PutUint16(tcp[16:], sum(ip[12:20], uint32(unix.IPPROTO_TCP+len(tcp)))) // the pseudo-header's
}

// sum is the Internet checksum's sum of an even number of octets (RFC 1071).
func sum(b []byte, s uint32) uint16 {
	for ; len(b) > 1; b = b[2:] {
		s += uint32(binary.BigEndian.Uint16(b))
	}
	for s > 0xffff {
		s = s>>16 + s&0xffff
	}
	return uint16(s)
}

// echo sends a segment back in its own buffer. What it is numbered follows from the request,
// so that one that comes again is answered again.
func (c *ceiling) echo(f *ceilingFlow, frame, ip, tcp []byte, seq, n uint32) {
	swap(ip, tcp)
	answer := 1 + (seq - f.irs - 1)
	if end := answer + n; int32(end-f.nxt) > 0 {
		f.nxt = end
	}
	if frame[1] == 0 { // one segment; of a longer one the header stays as it is
		clear(frame[:vnetLen])
		frame[0] = vnetNeedsCsum
		binary.NativeEndian.PutUint16(frame[6:], ipv4Len)
		binary.NativeEndian.PutUint16(frame[8:], 16)
	}
	binary.BigEndian.PutUint32(tcp[4:], answer)
	binary.BigEndian.PutUint32(tcp[8:], f.rcvNxt)
	tcp[13] = flagACK | flagPSH
	binary.BigEndian.PutUint16(tcp[14:], ceilingWindow>>ceilingShift)
	binary.BigEndian.PutUint16(tcp[16:], sum(ip[12:20], unix.IPPROTO_TCP+uint32(len(tcp))+n))
	c.write(frame)
}

// finish answers a FIN with our own; the sink first says how much it got.
func (c *ceiling) finish(f *ceilingFlow) {
	if f.fin {
		c.sendFIN(f)
		return
	}
	f.fin = true
	if f.port == sourcePort {
		c.forget(f) // the client has gone
		return
	}
	f.nxt++
	if f.port == sinkPort {
		f.nxt += 8
	}
	c.sendFIN(f)
}

// sendFIN sends the last segment, maybe again.
func (c *ceiling) sendFIN(f *ceilingFlow) {
	p := c.out[:len(f.head)]
	copy(p, f.head[:])
	seq := f.nxt - 1
	if f.port == sinkPort {
		seq -= 8
		p = c.out[:len(f.head)+8]
		binary.BigEndian.PutUint64(p[len(f.head):], f.total-1)
	}
	f.complete(p, seq, flagFIN|flagACK|flagPSH)
	c.write(p)
}
