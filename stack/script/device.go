package script

import (
	"net"
	"slices"
	"time"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/wire"
)

// wireTap is the device between weir and a script: it keeps what it is given. What comes in by
// it is delivered to the host directly.
type wireTap struct {
	mtu      int
	features uint64
	now      func() time.Duration
	sent     []Captured
	octets   int // in sent
	frame    link.Frame
}

const offloads = link.FeatureCsum | link.FeatureGuestCsum | link.FeatureGuestTSO4 | link.FeatureGuestTSO6 |
	link.FeatureHostTSO4 | link.FeatureHostTSO6 | link.FeatureGuestUSO4 | link.FeatureGuestUSO6 | link.FeatureHostUSO

func newWireTap(mtu int, offload bool, now func() time.Duration) *wireTap {
	d := &wireTap{mtu: mtu, now: now}
	if offload {
		d.features = offloads
	}
	return d
}

func (d *wireTap) Name() string     { return "tun0" }
func (d *wireTap) MTU() int         { return d.mtu }
func (d *wireTap) Features() uint64 { return d.features }
func (d *wireTap) Queues() int      { return 1 }
func (d *wireTap) Close() error     { return nil }

// ReadFrames has nothing to read: the host is stepped and never asks.
func (d *wireTap) ReadFrames(int, [][]byte, []int) (int, error) { return 0, net.ErrClosed }

func (d *wireTap) WriteFrames(_ int, frames [][]byte) (int, error) {
	for n, b := range frames {
		if err := d.frame.SetWire(b); err != nil {
			return n, err
		}
		d.sent = append(d.sent, Captured{At: d.now(), Packet: slices.Clone(d.frame.Packet()),
			Unsummed: d.frame.Checksum == link.ChecksumPartial, SegmentSize: int(d.frame.SegmentSize)})
		d.octets += len(d.frame.Packet())
	}
	return len(frames), nil
}

func (d *wireTap) pop() (Captured, bool) {
	if len(d.sent) == 0 {
		return Captured{}, false
	}
	c := d.sent[0]
	d.sent = d.sent[1:]
	d.octets -= len(c.Packet)
	return c, true
}

// merged makes a frame the super-segment that a device would hand on which put it together from
// segments of a size. Where that is 0 the device does so with all that is larger than the medium
// takes, if it does at all.
func (d *wireTap) merged(f *link.Frame, segment int) {
	b := f.Packet()
	at := 0
	switch {
	case len(b) > wire.IPv4MinHeader && b[0]>>4 == 4 && b[9] == wire.ProtoTCP:
		at = int(b[0]&0xf) * 4
	case len(b) > wire.IPv6Header && b[0]>>4 == 6 && b[6] == wire.ProtoTCP:
		at = wire.IPv6Header
	default:
		return
	}
	t, err := wire.ParseTCP(b[at:])
	if err != nil {
		return
	}
	header := at + t.DataOffset()
	if segment == 0 {
		if d.features == 0 {
			return
		}
		segment = d.mtu - header
	}
	if segment > 0 && len(b)-header > segment {
		f.Checksum = link.ChecksumVerified
		f.SegmentSize, f.HeaderLen = uint16(segment), uint16(header)
	}
}
