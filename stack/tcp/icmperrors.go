package tcp

import (
	"syscall"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/seq"
)

// OnICMP takes in what an ICMP error about this connection says (RFC 9293 §3.9.2.2, RFC 5927
// §5.2). A hard error ends the connection in SYN-SENT, and there only, since
// a router's word against a connection that works may be forged. Anything else is remembered
// as the reason, should the connection time out. The caller has checked InFlight.
func (c *Conn) OnICMP(now clock.Time, hard bool, err syscall.Errno) Events {
	if c.state == StateClosed || c.state == StateTimeWait {
		return 0
	}
	a := arrival{now: now}
	if hard && c.state == StateSynSent && c.set.ICMPMayReset {
		c.fail(&a, err)
		return a.events
	}
	c.ctr.SoftErrors.Add(1)
	if c.set.BSDErrors && c.passesOver(&a, hard, err) {
		return a.events
	}
	c.own().soft = errno(err)
	return 0
}

// passesOver is what else BSD's kernels do about an error: they take no notice of one about a
// connection that works, and give a handshake up that has timed out four times and met two.
func (c *Conn) passesOver(a *arrival, hard bool, err syscall.Errno) bool {
	switch {
	case hard && c.set.ICMPMayReset:
		return true
	case c.state == StateEstablished:
		return err == syscall.EHOSTUNREACH
	case !c.state.Synchronized() && c.tries > 3 && c.soft != 0:
		c.fail(a, err)
		return true
	}
	return false
}

// InFlight reports whether v is the sequence number of something sent and not acknowledged:
// what an ICMP error must quote to be believed (RFC 5927 §4.1).
func (c *Conn) InFlight(v seq.Value) bool {
	return c.state != StateClosed && c.snd.una.LessEq(v) && v.Less(c.snd.nxt)
}

// HeedsPathMTU reports whether a router's word that the path takes packets of mtu octets, 0 where it
// does not say how many, is of use: under Settings.BSDErrors an IPv4 connection in SYN-SENT passes it
// over, as nothing that it sends is so long, unless that is less than a peer's default MSS needs.
func (c *Conn) HeedsPathMTU(is4 bool, mtu int) bool {
	const headers = 40
	return !c.set.BSDErrors || !is4 || c.state != StateSynSent || mtu < c.set.DefaultMSS(true)+headers
}
