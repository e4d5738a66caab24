package tcp

import (
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/seq"
)

// likeKernel is what a connection must remember to behave like a kernel's, beyond what TCP
// asks for.
type likeKernel struct {
	// Receiving.
	adv      seq.Value     // FreeBSD: the right edge that was announced; rcv.edge is what is accepted
	ssthresh int           // Linux: what the window may grow to for now
	clamp    int           // Linux: what it may grow to at all
	ato      time.Duration // Linux: how long an ACK waits; 0 before the first text
	textAt   clock.Time    // Linux: when text last came
	lastSize uint16        // Linux: size of the last segment that was not of the usual size
	small    uint8         // Linux: small segments received and not acknowledged, as far as two

	synText    []byte     // FreeBSD: text of a SYN that crossed ours, until the handshake is done
	synFin     bool       // FreeBSD: that SYN had a FIN and no text
	timedAt    clock.Time // FreeBSD: when the text that is being timed was sent; 0 is none
	timed      seq.Value  // where it begins
	plain      bool       // FreeBSD: the ACK that is due is a challenge
	challenges uint8      // FreeBSD: challenge ACKs sent since challengedAt
	challenged clock.Time // the beginning of the second that they are counted in

	read                 int        // what the user has read since readSince
	readSince            clock.Time // a round trip ago at most
	recvGrows, sendGrows bool       // no user has set the buffer's size

	sentAt  clock.Time // Linux: when anything was sent
	packets packets    // Linux: what was written and not sent
}

// initLike readies what the profile needs.
func (c *Conn) initLike(now clock.Time) {
	if c.set.Profile == ProfileWeir {
		return
	}
	c.own().like = &likeKernel{textAt: now, challenged: now}
	c.quick = 0
}

func (c *Conn) likeLinux() bool   { return c.like != nil && c.set.Profile == ProfileLinux }
func (c *Conn) likeFreeBSD() bool { return c.like != nil && c.set.Profile == ProfileFreeBSD }
