package client

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/weirnet/weir/apps/dns/msg"
)

// Error is a failed exchange.
type Error struct {
	Server    netip.AddrPort
	Transport Transport
	Question  msg.Question
	Err       error
}

func (e *Error) Error() string {
	return fmt.Sprintf("dns: asking %v over %v for %v %v: %v", e.Server, e.Transport, e.Question.Name, e.Question.Type, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Timeout reports whether no answer came in time.
func (e *Error) Timeout() bool {
	var t interface{ Timeout() bool }
	return errors.As(e.Err, &t) && t.Timeout()
}

type timeoutError struct{}

func (timeoutError) Error() string { return "no answer in time" }
func (timeoutError) Timeout() bool { return true }

// What may be wrong with an exchange beside what the network says.
var (
	ErrTimeout error = timeoutError{}
	ErrAnswer        = errors.New("the answer is malformed or not one to this question")
	// ErrConnections says nothing about the server.
	ErrConnections = errors.New("as many connections as may be are open, and all are busy")

	errEvicted    = errors.New("the connection was closed to make room for another one")
	errMismatches = errors.New("too many datagrams that are not the answer: somebody is guessing")
	errCase       = errors.New("the server does not keep the case of the question")
	errDiffer     = errors.New("the server does not keep the case of the question, has no TCP, and no two of its answers are the same")
)
