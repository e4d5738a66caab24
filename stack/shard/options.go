package shard

import (
	"github.com/weirnet/weir/stack/tcp"
	"github.com/weirnet/weir/stack/tcp/cc"
)

// PMTUDisc says what a socket does about path MTU discovery: IP_MTU_DISCOVER's values, and
// the host's choice as the zero value. PMTUDisc(v)+PMTUDiscDont is Linux's value v.
type PMTUDisc uint8

// The modes.
const (
	PMTUDiscHost      PMTUDisc = iota // PMTUDiscWant, or as Config.NoPMTUDisc says
	PMTUDiscDont                      // IPv4 packets go without DF; reports are not for us
	PMTUDiscWant                      // packets are made to fit what was reported
	PMTUDiscDo                        // always DF; a datagram that does not fit is EMSGSIZE
	PMTUDiscProbe                     // always DF; fits are judged by the link, not by reports
	PMTUDiscInterface                 // no DF; the link's MTU counts, and EMSGSIZE
	PMTUDiscOmit                      // no DF; the link's MTU counts, larger is fragmented
)

// pmtuDisc resolves the host's choice.
func (h *Host) pmtuDisc(d PMTUDisc, is4 bool) PMTUDisc {
	switch {
	case d != PMTUDiscHost:
		return d
	case is4 && h.cfg.NoPMTUDisc:
		return PMTUDiscDont
	}
	return PMTUDiscWant
}

// usesReports reports whether packets are made to fit what routers report.
func (d PMTUDisc) usesReports() bool { return d < PMTUDiscProbe }

// dontFragment reports whether IPv4 packets that fit go with DF. believed says that the path is
// no narrower than we go along with.
func (d PMTUDisc) dontFragment(believed bool) bool {
	switch d {
	case PMTUDiscDo, PMTUDiscProbe:
		return true
	case PMTUDiscDont, PMTUDiscInterface, PMTUDiscOmit:
		return false
	}
	return believed
}

// TCPOptions are what a connection is opened with beyond the host's settings; the zero
// value is the host's.
type TCPOptions struct {
	Settings                  *tcp.Settings // nil: the host's
	ReceiveBuffer, SendBuffer int           // octets; 0: the host's
	HopLimit, TrafficClass    uint8         // of every packet; hop limit 0: the host's
	PMTUDisc                  PMTUDisc
	Interface                 int       // SO_BINDTODEVICE: index, 0 any
	UserMSS                   int       // TCP_MAXSEG: bounds what is announced and what is sent; 0: no bound
	CC                        *cc.Kind  // nil: the settings'
	Ports                     PortRange // what is left of the host's for a port that is chosen
	NoOptions                 bool      // neither TCP options nor their meaning (BSD's TCP_NOOPT)
	// Value is what the connection's User begins with.
	Value any
	// Setup is called under the connection's lock before the SYN leaves, or the SYN,ACK of one that
	// is accepted. What it sets holds for the connection's handshake too.
	Setup func(*tcp.Conn)
}

// apply gives the connection, which nobody else knows yet, its options.
func (o *TCPOptions) apply(c *TCP) {
	c.hopLimit, c.tos, c.pmtuDisc = o.HopLimit, o.TrafficClass, o.PMTUDisc
	c.device.Store(int32(o.Interface))
	c.User = o.Value
}

// SetHopLimit sets the hop limit of the connection's packets; 0 is the host's. The connection
// must be locked, as for the other setters here.
func (c *TCP) SetHopLimit(n uint8) {
	c.hopLimit = n
	c.setShared(c.out.path, c.out.generation)
}

// SetTrafficClass sets the DSCP bits of the connection's packets; those of ECN are TCP's.
func (c *TCP) SetTrafficClass(v uint8) {
	c.tos = v
	c.setShared(c.out.path, c.out.generation)
}

// SetPMTUDisc sets the path MTU discovery of the connection.
func (c *TCP) SetPMTUDisc(d PMTUDisc) {
	c.pmtuDisc = d
	c.lookPathUp()
}

// SetUserMSS is TCP_MAXSEG after the handshake: it bounds the segments sent from now on.
func (c *TCP) SetUserMSS(n int) {
	c.conn.SetMaxSegment(n)
}

// SetInterface binds the connection to an interface, by which it then sends, and receives; 0 is any.
func (c *TCP) SetInterface(index int) {
	c.device.Store(int32(index))
	c.setShared(c.out.path, 0) // no generation is 0: the next push looks the route up
}

// PathMTU returns the path MTU to the peer as known at the moment (IP_MTU), in octets;
// 0 where there is no route. The connection must be locked.
func (c *TCP) PathMTU() int {
	if c.out.ifc == nil {
		return 0
	}
	mtu, _ := c.pathMTU()
	return mtu
}

// HopLimit, TrafficClass, PMTUDisc and Interface return what the setters set.
func (c *TCP) HopLimit() uint8 { return c.hopLimit }

// TrafficClass returns what SetTrafficClass set.
func (c *TCP) TrafficClass() uint8 { return c.tos }

// PMTUDisc returns the mode of path MTU discovery, the host's resolved.
func (c *TCP) PMTUDisc() PMTUDisc {
	is4 := c.key.is4()
	if c.pmtuDisc == PMTUDiscHost && is4 && !c.host.cfg.TCP.PathMTUDiscovery {
		return PMTUDiscDont
	}
	return c.host.pmtuDisc(c.pmtuDisc, is4)
}

// Interface returns the index of the interface that the connection is bound to, or 0.
func (c *TCP) Interface() int { return int(c.device.Load()) }

// pathMTU returns the path MTU that the connection goes by, and whether it is believed to
// be no less on the way.
func (c *TCP) pathMTU() (mtu int, believed bool) {
	link := c.linkMTU()
	mtu, fragment := c.host.pathMTU.lookup(c.Remote().Addr(), link)
	if !c.PMTUDisc().usesReports() {
		mtu = link
	}
	return mtu, !fragment
}

// linkMTU returns the MTU of the interface that leads to the peer. Without a route it is the least that
// any has (RFC 8200 §5): nothing is sent by it.
func (c *TCP) linkMTU() int {
	if c.out.ifc == nil {
		return 1280
	}
	return c.out.ifc.MTU()
}

// pathMSS returns the largest payload, options included, that the path takes, and notes in
// it whether packets may be fragmented on the way.
func (c *TCP) pathMSS() int {
	mtu, believed := c.pathMTU()
	if fragment := !c.PMTUDisc().dontFragment(believed); fragment != c.out.fragment {
		p := c.out.path
		p.fragment = fragment
		c.setShared(p, c.out.generation)
	}
	return mss(mtu, c.key.is4())
}

// lookPathUp has the state machine know the path again after an option has changed.
func (c *TCP) lookPathUp() {
	if c.out.ifc != nil {
		c.conn.SetPathMSS(c.host.Now(), c.pathMSS())
	}
}
