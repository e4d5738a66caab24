package kernel

import (
	"testing"

	"github.com/weirnet/weir/stack/socket"
)

// A stack that grows on the way to the kernel moves, and what a call is to fill must not have been on it: however
// little of a fresh stack is left, the kernel's answer arrives.
func TestAnswersArriveThoughTheStackMoves(t *testing.T) {
	var c Calls
	fd := must(t)(c.Socket(socket.AF_INET, socket.SOCK_DGRAM, 0))
	defer c.CloseFD(fd)
	lost := map[string]int{}
	for depth := range 1000 {
		done := make(chan []string)
		go func() { done <- deep(depth, func() []string { return unanswered(&c, fd) }) }()
		for _, call := range <-done {
			lost[call]++
		}
	}
	if len(lost) > 0 {
		t.Errorf("the kernel's answers that were lost at 1,000 depths of the stack: %v", lost)
	}
}

// unanswered makes calls that the kernel answers to where it is told, and returns those whose answer is not there.
func unanswered(c *Calls, fd int) (lost []string) {
	var v [4]byte
	if n, err := c.Getsockopt(fd, socket.SOL_SOCKET, socket.SO_TYPE, v[:]); n != 4 || err != nil || v[0] != socket.SOCK_DGRAM {
		lost = append(lost, "getsockopt")
	}
	p := [2]socket.PollFD{{FD: fd, Events: socket.POLLOUT}, {FD: 99999}}
	if n, err := c.Poll(p[:], 0); n != 2 || err != nil || p[0].Revents != socket.POLLOUT || p[1].Revents != socket.POLLNVAL {
		lost = append(lost, "poll")
	}
	if sa, err := c.Getsockname(fd); err != nil || sa == nil || sa.Family != socket.AF_INET {
		lost = append(lost, "getsockname")
	}
	return lost
}

// deep calls f with so much of the stack in use.
//
//go:noinline
func deep(depth int, f func() []string) []string {
	if depth == 0 {
		return f()
	}
	return deep(depth-1, f)
}
