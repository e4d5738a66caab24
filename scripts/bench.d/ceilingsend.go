package main

import "encoding/binary"

// answer acknowledges, and sends what the windows allow, for each flow that something came for.
func (c *ceiling) answer() {
	todo := c.dirty
	c.dirty = c.dirty[:0]
	for _, f := range todo {
		f.dirty = false
		switch {
		case f.dead:
		case f.port == sourcePort:
			c.send(f)
		case f.ackNow:
			p := c.out[:len(f.head)]
			copy(p, f.head[:])
			f.complete(p, f.nxt, flagACK)
			c.write(p)
			f.ackNow = false
		}
	}
}

// send sends super-segments as far as the window goes, but a burst at most. Short of a whole one
// it waits, unless nothing is on its way that would bring an acknowledgement.
func (c *ceiling) send(f *ceilingFlow) {
	whole := (65535 - ipv4Len - tcpLen) / f.mss * f.mss
	for range ceilingBurst {
		room := int(int32(f.una + f.wnd - f.nxt))
		n := min(room, whole)
		if n < whole && f.nxt != f.una || n <= 0 {
			return
		}
		p := c.out[:len(f.head)+n]
		copy(p, f.head[:])
		f.complete(p, f.nxt, flagACK|flagPSH)
		if n > f.mss {
			p[1] = vnetGSOTCPv4
			binary.NativeEndian.PutUint16(p[2:], ipv4Len+tcpLen)
			binary.NativeEndian.PutUint16(p[4:], uint16(f.mss))
		}
		c.write(p)
		f.nxt += uint32(n)
	}
	c.mark(f) // there is room for more
}

// resend begins again where nothing has moved since the last time.
func (c *ceiling) resend() {
	for _, f := range c.flows {
		if f.una != f.nxt && f.una == f.stuckAt {
			if f.fin {
				c.sendFIN(f)
			} else if f.port == sourcePort {
				f.nxt = f.una
				c.mark(f)
			}
		}
		f.stuckAt = f.una
	}
}
