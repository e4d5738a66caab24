package tcp

import (
	"github.com/weirnet/weir/stack/wire"
)

// Refuse fills out with the reset that answers a segment for which there is no
// connection (RFC 9293 §3.10.7.1). It returns false where none is due: a reset is
// never answered.
func Refuse(s, out *Segment) bool {
	if s.has(wire.FlagRST) {
		return false
	}
	out.reset()
	if s.has(wire.FlagACK) {
		out.Seq, out.Flags = s.Ack, wire.FlagRST
		return true
	}
	out.Ack, out.Flags = s.End(), wire.FlagRST|wire.FlagACK
	return true
}

// Refuse is the function of that name with what the settings say besides: a closed port may be silent, to
// peers on this host, local, only where Blackhole is 3.
func (set *Settings) Refuse(s, out *Segment, local bool) bool {
	switch b := set.Blackhole; {
	case b == 0 || local && b < 3:
	case b > 1 || s.has(wire.FlagSYN):
		return false
	}
	return Refuse(s, out)
}

// ListenVerdict says what a listening port does about a segment.
type ListenVerdict uint8

const (
	// ListenIgnore: nothing.
	ListenIgnore ListenVerdict = iota
	// ListenReply: send the reply.
	ListenReply
	// ListenAccept: a SYN, to be given to Conn.Accept.
	ListenAccept
)

// DefaultMSS is assumed of peers that announce none (RFC 9293 §3.7.1, MUST-15).
func (set *Settings) DefaultMSS(is4 bool) int {
	switch {
	case is4 && set.DefaultMSS4 > 0:
		return set.DefaultMSS4
	case is4:
		return defaultMSS
	case set.DefaultMSS6 > 0:
		return set.DefaultMSS6
	}
	return 1220
}

// Listen is the function of that name with what the settings say besides: a SYN with a FIN may
// be dropped.
func (set *Settings) Listen(s, reply *Segment) ListenVerdict {
	if set.DropSynFin && s.Flags&(wire.FlagSYN|wire.FlagFIN|wire.FlagACK|wire.FlagRST) == wire.FlagSYN|wire.FlagFIN {
		return ListenIgnore
	}
	return Listen(s, reply)
}

// Listen judges a segment that arrived at a port in LISTEN, in the order of RFC 9293
// §3.10.7.2, and fills reply where it returns ListenReply.
func Listen(s, reply *Segment) ListenVerdict {
	switch {
	case s.has(wire.FlagRST): // first: there is nothing to reset
		return ListenIgnore
	case s.has(wire.FlagACK): // second: nothing has been sent that it could acknowledge
		Refuse(s, reply)
		return ListenReply
	case s.has(wire.FlagSYN): // third
		return ListenAccept
	}
	return ListenIgnore // fourth: text or control without SYN, ACK or RST
}
