package client

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
)

// A datagram may be larger than what we offer to take, as from servers without EDNS that do not care: such is
// cut off by the read, does not parse, and is counted.
const datagramSize = 4096

var datagrams = sync.Pool{New: func() any { return new([datagramSize]byte) }}

// udp asks over UDP from a socket of its own and waits for the answer.
func (x *exchange) udp(ctx context.Context) (*msg.Message, error) {
	conn, err := x.c.Network.DialContext(ctx, "udp", x.to.String())
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	begun := time.Now()
	deadline := begun.Add(or(x.o.Timeout, or(x.c.Timeout, 2*time.Second)))
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	conn.SetDeadline(deadline)
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	x.Sent++
	x.c.counters[countSent].Add(1)
	x.OctetsOut = len(x.query)
	if _, err = conn.Write(x.query); err != nil {
		return nil, x.because(ctx, err)
	}
	buf := datagrams.Get().(*[datagramSize]byte)
	defer datagrams.Put(buf)
	wrongCase, noCookie := false, false
	for mismatches := 0; mismatches < or(x.c.MaxMismatches, 8); mismatches++ {
		n, err := conn.Read(buf[:])
		if err != nil {
			if wrongCase && !x.doubt && ctx.Err() == nil { // all that came had the case wrong: the server's doing, or a poor guess
				return nil, errCase
			}
			if noCookie && ctx.Err() == nil { // the server may have forgotten its cookies, or another one answers now: RFC 7873 §5.3
				return nil, errMismatches
			}
			return nil, x.because(ctx, err)
		}
		reply, reason := x.answer(buf[:n])
		if reply != nil {
			x.RTT, x.OctetsIn = time.Since(begun), n
			return reply, nil
		}
		x.Mismatched++
		x.c.counters[reason].Add(1)
		if reason == countBadCase || reason == countBadCookie {
			wrongCase, noCookie = wrongCase || reason == countBadCase, noCookie || reason == countBadCookie
			conn.SetReadDeadline(earlier(deadline, time.Now().Add(caseGrace)))
		}
	}
	return nil, errMismatches
}

// caseGrace is how long an answer in the right case is waited for after one in the wrong case, or with the wrong cookie.
const caseGrace = 50 * time.Millisecond

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// answer returns the message if it is the answer, else why not.
func (x *exchange) answer(p []byte) (*msg.Message, int) {
	reason, ok := x.check(p)
	if !ok {
		return nil, reason
	}
	r := new(msg.Message)
	if err := r.Unpack(p); err != nil {
		if p[2]&2 == 0 {
			return nil, countMalformed
		}
		// Cut in the middle of a record: of no use but to say that TCP has the rest.
		*r = msg.Message{Header: msg.Header{ID: x.m.ID, Response: true, Truncated: true}, Question: x.m.Question}
		return r, 0
	}
	if x.Transport == UDP && !x.cookieOK(r) {
		return nil, countBadCookie
	}
	return r, 0
}

// because returns the context's error where that ended it, ErrTimeout where the time was up, and err else.
func (x *exchange) because(ctx context.Context, err error) error {
	var t interface{ Timeout() bool }
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return context.Canceled
	case errors.As(err, &t) && t.Timeout():
		return ErrTimeout
	}
	return err
}
