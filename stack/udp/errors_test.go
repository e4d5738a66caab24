package udp

import (
	"bytes"
	"syscall"
	"testing"
)

func TestErrorQueueKeepsOrderAndCopies(t *testing.T) {
	var q ErrorQueue
	quote := []byte("abc")
	for n := range 3 {
		quote[0] = byte('0' + n)
		if !q.Push(&Error{Errno: syscall.ECONNREFUSED, Info: uint32(n), Payload: quote}) {
			t.Fatal("full")
		}
	}
	if e := q.Peek(); e == nil || e.Info != 0 || q.Len() != 3 {
		t.Errorf("%+v, %d waiting", e, q.Len())
	}
	for n := range 3 {
		if e, ok := q.Pop(); !ok || e.Info != uint32(n) || !bytes.Equal(e.Payload, []byte{byte('0' + n), 'b', 'c'}) {
			t.Errorf("%d: %+v %v", n, e, ok)
		}
	}
	if _, ok := q.Pop(); ok || q.Peek() != nil {
		t.Error("an error that nobody has queued")
	}
}

func TestErrorQueueIsBounded(t *testing.T) {
	for _, c := range []struct{ octets, fit int }{{0, 64}, {1280, 51}, {40000, 1}, {70000, 0}} {
		var q ErrorQueue
		for range 100 {
			q.Push(&Error{Payload: make([]byte, c.octets)})
		}
		if q.Len() != c.fit || q.Dropped() != uint64(100-c.fit) {
			t.Errorf("quotes of %d octets: %d fit, %d dropped, want %d", c.octets, q.Len(), q.Dropped(), c.fit)
		}
		q.Clear()
		if q.Push(&Error{}); q.Len() != 1 {
			t.Error("no room after Clear")
		}
	}
}
