package udp

import (
	"net/netip"
	"syscall"
)

// Origin says where an error of an ErrorQueue comes from, with the numbers of Linux's
// SO_EE_ORIGIN.
type Origin uint8

// The origins.
const (
	OriginLocal Origin = 1 // the stack itself
	OriginICMP  Origin = 2
	OriginICMP6 Origin = 3
)

// Error is one entry of an ErrorQueue: struct sock_extended_err and what comes with it.
type Error struct {
	Errno      syscall.Errno
	Origin     Origin
	Type, Code uint8      // of the ICMP message
	Info       uint32     // the MTU of an EMSGSIZE, the pointer of a parameter problem
	Offender   netip.Addr // who sent the ICMP message; not valid for a local error
	// To is where the datagram went that the error is about, and Payload the part of its
	// payload that was quoted.
	To      netip.AddrPort
	Payload []byte
	// Of the ICMP message: the index of the interface that it came in by, and what its header says.
	Interface     int
	Local         netip.Addr
	HopLimit, TOS uint8
}

const (
	// maxErrors and maxErrorOctets bound an ErrorQueue. The oldest stay: they say how it began.
	maxErrors      = 64
	maxErrorOctets = 64 << 10
)

// ErrorQueue is the errors that a socket with IP_RECVERR has not read yet, bounded in
// number and in octets of quotes. The zero value is empty and ready.
type ErrorQueue struct {
	list    []Error
	octets  int
	dropped uint64
}

// Push adds an error, whose payload it copies, and reports false where the queue is full.
func (q *ErrorQueue) Push(e *Error) bool {
	if len(q.list) >= maxErrors || q.octets+len(e.Payload) > maxErrorOctets {
		q.dropped++
		return false
	}
	c := *e
	c.Payload = append([]byte(nil), e.Payload...)
	q.list = append(q.list, c)
	q.octets += len(c.Payload)
	return true
}

// Pop takes the oldest error out, and reports false where there is none.
func (q *ErrorQueue) Pop() (Error, bool) {
	if len(q.list) == 0 {
		return Error{}, false
	}
	e := q.list[0]
	q.list[0] = Error{}
	q.octets -= len(e.Payload)
	if q.list = q.list[1:]; len(q.list) == 0 {
		q.list = nil
	}
	return e, true
}

// Peek returns the oldest error, which stays the queue's, or nil.
func (q *ErrorQueue) Peek() *Error {
	if len(q.list) == 0 {
		return nil
	}
	return &q.list[0]
}

// Len returns how many errors there are.
func (q *ErrorQueue) Len() int { return len(q.list) }

// Dropped returns how many errors found the queue full.
func (q *ErrorQueue) Dropped() uint64 { return q.dropped }

// Clear forgets all of them.
func (q *ErrorQueue) Clear() { q.list, q.octets = nil, 0 }
