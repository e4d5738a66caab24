package shard

import (
	"encoding/binary"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/wire"
)

// mutate damages the packet, and repairs its checksums about half of the time, so that
// the damage is looked at.
func (m *maker) mutate() {
	for range 1 + m.IntN(3) {
		m.damage()
	}
	if m.chance(60) {
		m.repair()
	}
}

func (m *maker) damage() {
	b := m.p
	if len(b) == 0 {
		return
	}
	head := min(len(b), 100) // most that is of interest is here
	switch m.IntN(8) {
	case 0:
		b[m.IntN(head)] ^= 1 << m.IntN(8)
	case 1:
		b[m.IntN(head)] = pick(m, byte(0), 255, 1, 127, 128, byte(m.Uint32()))
	case 2:
		m.p = b[:m.IntN(len(b)+1)]
	case 3: // octets behind the packet
		n := min(m.IntN(100), cap(b)-len(b))
		m.p = b[:len(b)+n]
	case 4:
		m.damageLength()
	case 5: // TCP's data offset, or UDP's and others' fields there
		if at := m.transport() + 12; at < len(b) {
			b[at] = byte(m.Uint32())
		}
	case 6: // options
		if at := m.transport() + 20; at < len(b) {
			m.random(b[at:min(len(b), at+m.IntN(41))])
		}
	case 7: // some octets moved
		if len(b) > 8 {
			copy(b[m.IntN(len(b)-4):], b[m.IntN(len(b)-4):])
		}
	}
}

// damageLength changes a field that says how long something is.
func (m *maker) damageLength() {
	b := m.p
	v := pick(m, uint16(0), 1, 7, 19, 20, 39, 40, uint16(len(b)), uint16(len(b))-1, uint16(len(b))+1, 65535, uint16(m.Uint32()))
	at := m.transport() + 4 // UDP's
	switch {
	case m.chance(30):
		b[0] = b[0]&0xf0 | byte(m.IntN(16))
		return
	case m.chance(60) && b[0]>>4 == 4:
		at = 2
	case m.chance(60):
		at = 4
	}
	if at+2 <= len(b) {
		binary.BigEndian.PutUint16(b[at:], v)
	}
}

// transport is where the transport header begins, if the packet is a simple one.
func (m *maker) transport() int {
	if m.p[0]>>4 == 4 {
		return int(m.p[0]&15) * 4
	}
	return 40
}

// repair makes the checksums right, where there is room for them.
func (m *maker) repair() {
	b := m.p
	if len(b) < 28 {
		return
	}
	at := m.transport()
	proto, n := b[9], 0
	if b[0]>>4 == 4 {
		if at < 20 || at > len(b) {
			return
		}
		wire.IPv4(b).UpdateChecksum()
		n = int(binary.BigEndian.Uint16(b[2:]))
	} else {
		proto = b[6]
		n = 40 + int(binary.BigEndian.Uint16(b[4:]))
	}
	if n > len(b) || n < at || len(b) < 40 {
		return
	}
	src, dst := addrsOf(b)
	t := b[at:n]
	switch {
	case proto == wire.ProtoTCP && len(t) >= 20:
		wire.TCP(t).UpdateChecksum(src, dst)
	case proto == wire.ProtoUDP && len(t) >= 8:
		wire.UDP(t).UpdateChecksum(src, dst)
	case proto == wire.ProtoICMP && len(t) >= 8:
		wire.ICMPv4(t).UpdateChecksum()
	case proto == wire.ProtoICMPv6 && len(t) >= 8 && src.Is6():
		wire.ICMPv6(t).UpdateChecksum(src, dst)
	}
}

// vnet puts a virtio-net header before the packet: mostly one that says nothing, else
// one that vouches for it, asks for a checksum or calls it a super-segment, rightly or not.
func (m *maker) vnet() {
	h := m.frame.Buf[link.Headroom-link.VnetLen : link.Headroom]
	clear(h)
	if len(m.p) == 0 {
		return
	}
	switch k := m.IntN(100); {
	case k < 60:
	case k < 75:
		h[0] = 2 // data valid
	case k < 85:
		h[0] = 1 // needs checksum
		offset := 16
		if m.chance(30) {
			offset = pick(m, 6, 2, 0, m.IntN(100))
		}
		binary.LittleEndian.PutUint16(h[6:], uint16(m.transport()))
		binary.LittleEndian.PutUint16(h[8:], uint16(offset))
	case k < 97: // a super-segment
		h[0] = pick(m, byte(0), 1, 2, 3)
		h[1] = pick(m, byte(1), 4, 5, 0x81, 0x84, 3)
		if h[0] == 1 {
			binary.LittleEndian.PutUint16(h[6:], uint16(m.transport()))
			binary.LittleEndian.PutUint16(h[8:], 16)
		}
		binary.LittleEndian.PutUint16(h[2:], uint16(m.Uint32()))
		binary.LittleEndian.PutUint16(h[4:], pick(m, uint16(1460), 1000, 1, 9, 0, 65535, uint16(m.Uint32())))
	default:
		m.random(h)
	}
}
