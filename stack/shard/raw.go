package shard

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/weirnet/weir/stack/icmp"
	"github.com/weirnet/weir/stack/wire"
)

// Raw is a raw socket: it gets a copy of every packet of its protocol that is for this host, after
// reassembly, and sends whatever it is given. Over IPv4 the IP header comes first in what it
// receives, over IPv6 it does not, as Linux has it.
type Raw struct {
	datagramSocket
	is4      bool
	protocol uint8

	// Guarded by mu.
	local, remote  netip.Addr // not valid: any
	headerIncluded bool
	filter4        uint32
	filter6        [8]uint32
	checksumAt     int // over IPv6; less than zero: none
}

// protoRaw is IPPROTO_RAW: its sockets send with the header included, and receive nothing.
const protoRaw = 255

// raws is the host's raw sockets. The list is never changed once it is entered.
type raws struct {
	mu    sync.Mutex
	all   []*Raw
	count atomic.Int32
}

func (t *raws) list() []*Raw {
	if t.count.Load() == 0 {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.all
}

func (t *raws) add(s *Raw) {
	t.mu.Lock()
	t.all = append(slices.Clone(t.all), s)
	t.count.Add(1)
	t.mu.Unlock()
}

func (t *raws) remove(s *Raw) {
	t.mu.Lock()
	t.all = slices.DeleteFunc(slices.Clone(t.all), func(o *Raw) bool { return o == s })
	t.count.Add(-1)
	t.mu.Unlock()
}

func (t *raws) closeAll() {
	for _, s := range t.list() {
		s.Close()
	}
}

// OpenRaw makes a raw socket of a family for a protocol's number. The errors are EPROTONOSUPPORT, for
// protocol 0, and net.ErrClosed.
func (h *Host) OpenRaw(is4 bool, protocol uint8) (*Raw, error) {
	if protocol == 0 {
		return nil, syscall.EPROTONOSUPPORT
	}
	s := &Raw{is4: is4, protocol: protocol, checksumAt: -1, headerIncluded: protocol == protoRaw}
	if !is4 && protocol == wire.ProtoICMPv6 {
		s.checksumAt = 2 // RFC 3542 §3.1: the kernel does it
	}
	s.init(h)
	h.raws.add(s)
	if h.isClosed() {
		s.Close()
		return nil, net.ErrClosed
	}
	return s, nil
}

// Protocol returns the protocol's number.
func (s *Raw) Protocol() uint8 { return s.protocol }

// Bind has the socket receive only what is sent to an address of the host, or a group, and send from it; the
// unspecified address is any. EADDRNOTAVAIL: it is not the host's.
func (s *Raw) Bind(local netip.Addr) error {
	if local.Is4() != s.is4 {
		return syscall.EAFNOSUPPORT
	}
	if local = local.WithZone(""); local.IsUnspecified() {
		local = netip.Addr{}
	} else if s.host.net.Load().classify(local) == toOther {
		return syscall.EADDRNOTAVAIL
	}
	s.mu.Lock()
	s.local = local
	s.mu.Unlock()
	return nil
}

// Connect has the socket send to remote, and receive what comes from there only.
func (s *Raw) Connect(remote netip.Addr) error {
	if remote.Is4() != s.is4 {
		return syscall.EAFNOSUPPORT
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.host.net.Load()
	class := n.classify(remote.WithZone(""))
	if class == toBroadcast && !s.opts.Broadcast {
		return syscall.EACCES
	}
	p, err := s.path(n, class, remote, s.source(n), SendOptions{})
	if err != nil {
		return err
	}
	s.remote = remote.WithZone("")
	if !s.local.IsValid() {
		s.local = p.src
	}
	return nil
}

// Disconnect undoes Connect.
func (s *Raw) Disconnect() {
	s.mu.Lock()
	if s.remote.IsValid() {
		s.remote, s.local = netip.Addr{}, netip.Addr{}
	}
	s.mu.Unlock()
}

// Local returns what the socket is bound to, Remote what it is connected to; neither is valid where
// that is nothing.
func (s *Raw) Local() netip.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.local
}

// Remote returns what the socket is connected to.
func (s *Raw) Remote() netip.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.remote
}

// SetHeaderIncluded is IP_HDRINCL: what is sent begins with its IP header.
func (s *Raw) SetHeaderIncluded(on bool) {
	s.mu.Lock()
	s.headerIncluded = on
	s.mu.Unlock()
}

// HeaderIncluded returns what SetHeaderIncluded has set.
func (s *Raw) HeaderIncluded() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.headerIncluded
}

// SetFilter4 is ICMP_FILTER: a bit that is set keeps ICMP messages of that type away.
func (s *Raw) SetFilter4(types uint32) {
	s.mu.Lock()
	s.filter4 = types
	s.mu.Unlock()
}

// SetFilter6 is ICMPV6_FILTER, with the kernel's sense: a bit that is set keeps that type away.
func (s *Raw) SetFilter6(types [8]uint32) {
	s.mu.Lock()
	s.filter6 = types
	s.mu.Unlock()
}

// SetChecksum is IPV6_CHECKSUM: the offset of a checksum in the payload that is filled in on what is
// sent, and verified on what is received; -1 is none. EINVAL: it is odd, or ICMPv6's.
func (s *Raw) SetChecksum(offset int) error {
	if offset > 0 && offset&1 != 0 || s.is4 || s.protocol == wire.ProtoICMPv6 {
		return syscall.EINVAL
	}
	s.mu.Lock()
	s.checksumAt = max(offset, -1)
	s.mu.Unlock()
	return nil
}

// SetInterface binds the socket to an interface, by which it then sends and receives; 0 is any.
func (s *Raw) SetInterface(index int) { s.device.Store(int32(index)) }

// Close closes the socket and throws away what it has queued.
func (s *Raw) Close() {
	if !s.shut() {
		s.host.raws.remove(s)
	}
}

// report gives an ICMP error to every raw socket that may have sent what it quotes.
func (t *raws) report(r *round, rep *icmp.Report) {
	for _, s := range t.list() {
		s.mu.Lock()
		if s.protocol == rep.Protocol && s.is4 == (rep.Version == 4) && !s.closed &&
			(!s.local.IsValid() || s.local == rep.Src) && (!s.remote.IsValid() || s.remote == rep.Dst) && s.hears(r.ifc) {
			r.learnMTU(rep)
			s.fail(r, rep, netip.AddrPortFrom(rep.Dst, 0), rep.Quote, s.remote.IsValid())
		}
		s.mu.Unlock()
	}
}
