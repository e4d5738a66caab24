package sim

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/link/impair"
	"github.com/weirnet/weir/stack/shard"
)

// Network is hosts and wires on one clock. It is not safe for concurrent use.
type Network struct {
	seed  uint64
	clock clock.Manual
	hosts []*Host
	ports []*port
	steps uint64
}

// Host is a host of a Network.
type Host struct {
	*shard.Host
	name string
}

// New returns an empty network. Everything in it that is random comes from the seed.
func New(seed uint64) *Network {
	n := &Network{seed: seed}
	n.clock.Set(1)
	return n
}

// Now returns the present instant.
func (n *Network) Now() clock.Time { return n.clock.Now() }

// Elapsed returns how much virtual time has passed since the network was made.
func (n *Network) Elapsed() time.Duration { return n.clock.Now().Sub(1) }

// Steps returns how many events have happened.
func (n *Network) Steps() uint64 { return n.steps }

// Host adds a host. Its clock and secrets are the network's, whatever cfg says.
func (n *Network) Host(name string, cfg shard.Config) *Host {
	cfg.Clock = &n.clock
	binary.LittleEndian.PutUint64(cfg.Secret[:], n.seed)
	cfg.Secret[8], cfg.Secret[9] = 1, byte(len(n.hosts)) // never all zero, and each host's own
	h := &Host{shard.New(cfg), name}
	n.hosts = append(n.hosts, h)
	return h
}

// Wire says what joins two hosts.
type Wire struct {
	// MTU is that of both ends; zero is 1500.
	MTU int
	// Offload lets the hosts send super-segments and leave checksums out, as over a
	// device with vnet_hdr; the wire cuts them unless Impair.KeepSegments.
	Offload bool
	// There and Back are the impairments from a to b and from b to a. Their seeds are
	// the network's.
	There, Back impair.Config
}

// Join joins two hosts by a wire and gives each end its addresses.
func (n *Network) Join(a, b *Host, w Wire, addrA, addrB []netip.Prefix) (ia, ib *shard.Interface, err error) {
	if w.MTU == 0 {
		w.MTU = 1500
	}
	pa, pb := n.newPort(a, w, w.There), n.newPort(b, w, w.Back)
	pa.far, pb.far = pb, pa
	if pa.ifc, err = a.AddInterface(pa.name, pa, addrA); err != nil {
		return nil, nil, err
	}
	if pb.ifc, err = b.AddInterface(pb.name, pb, addrB); err != nil {
		return nil, nil, err
	}
	return pa.ifc, pb.ifc, nil
}

func (n *Network) newPort(h *Host, w Wire, cfg impair.Config) *port {
	cfg.Seed = n.seed*0x9e3779b97f4a7c15 + uint64(len(n.ports))
	p := &port{net: n, host: h, name: fmt.Sprintf("%s%d", h.name, len(n.ports)), wire: w, model: impair.New(cfg)}
	n.ports = append(n.ports, p)
	return p
}

// Run lets things happen in the order of time until done reports true, which it asks
// after each, until limit of virtual time has passed, or until nothing is due any
// more. It returns an error in the second case.
func (n *Network) Run(limit time.Duration, done func() bool) error {
	end := n.clock.Now().Add(limit)
	for !done() {
		at := n.next()
		if at == clock.Never {
			return nil
		}
		if at > end {
			n.clock.Set(end)
			return fmt.Errorf("sim: seed %d: not done after %v of virtual time and %d events", n.seed, limit, n.steps)
		}
		n.clock.Set(at)
		n.step()
	}
	return nil
}

// Idle reports whether no packet is on the way.
func (n *Network) Idle() bool {
	for _, p := range n.ports {
		if p.model.Len() > 0 {
			return false
		}
	}
	return true
}

// next returns when the next thing is due.
func (n *Network) next() clock.Time {
	at := clock.Never
	for _, p := range n.ports {
		at = min(at, p.model.Deadline())
	}
	for _, h := range n.hosts {
		at = min(at, h.Deadline())
	}
	return at
}

// step lets all happen that is due now: arrivals first, in the order of the wires.
func (n *Network) step() {
	now := n.clock.Now()
	n.steps++
	for _, p := range n.ports {
		for {
			f, ok := p.model.Pop(now)
			if !ok {
				break
			}
			if !p.down {
				p.far.host.Deliver(p.far.ifc, f)
			}
		}
	}
	for _, h := range n.hosts {
		if h.Deadline() <= now {
			h.Expire()
		}
	}
}

// Cut pulls the cable of an interface, or puts it back: what is sent is lost.
func (n *Network) Cut(i *shard.Interface, down bool) {
	for _, p := range n.ports {
		if p.ifc == i {
			p.down, p.far.down = down, down
		}
	}
}

// Impairments returns what the wire did to the packets that an interface sent.
func (n *Network) Impairments(i *shard.Interface) impair.Stats {
	for _, p := range n.ports {
		if p.ifc == i {
			return p.model.Stats()
		}
	}
	return impair.Stats{}
}

// Close closes every host and returns how many buffers of the wires stayed in use,
// which is zero.
func (n *Network) Close() (inUse int) {
	for _, h := range n.hosts {
		h.Close()
	}
	for _, p := range n.ports {
		p.model.Close()
		inUse += p.model.InUse()
	}
	return inUse
}

// port is an end of a wire, as a device of its host.
type port struct {
	net   *Network
	host  *Host
	name  string
	wire  Wire
	model *impair.Model // what this end sends goes through it
	far   *port
	ifc   *shard.Interface
	down  bool
}

var _ link.Device = (*port)(nil)

func (p *port) Name() string { return p.name }
func (p *port) MTU() int     { return p.wire.MTU }
func (p *port) Queues() int  { return 1 }
func (p *port) Close() error { return nil }

func (p *port) Features() uint64 {
	if !p.wire.Offload {
		return 0
	}
	return link.FeatureCsum | link.FeatureGuestCsum | link.FeatureHostTSO4 | link.FeatureHostTSO6 |
		link.FeatureGuestTSO4 | link.FeatureGuestTSO6
}

// ReadFrames is never needed: Run delivers.
func (p *port) ReadFrames(int, [][]byte, []int) (int, error) { return 0, net.ErrClosed }

// WriteFrames sends the frames on their way.
func (p *port) WriteFrames(_ int, frames [][]byte) (int, error) {
	for _, b := range frames {
		var f link.Frame
		if err := f.SetWire(b); err != nil {
			return 0, err
		}
		if !p.down {
			p.model.Push(p.net.clock.Now(), &f)
		}
	}
	return len(frames), nil
}
