package shard

import (
	"strings"
	"testing"

	"github.com/weirnet/weir/stack/tcp"
)

// takerInCall is a Handler that reads in its call, some of what there is.
type takerInCall struct {
	buf     []byte
	got     string
	inFrame bool // what it has read lay in the frame
	w       *world
}

func (k *takerInCall) OnEvent(c *TCP, ev tcp.Events) {
	if ev&tcp.EventReadable == 0 {
		return
	}
	p := c.conn.Next()
	was := p[0]
	for i := range k.w.in.Buf {
		k.w.in.Buf[i]++
	}
	k.inFrame = p[0] != was
	for i := range k.w.in.Buf {
		k.w.in.Buf[i]--
	}
	k.got += string(k.buf[:c.conn.Read(k.w.clock.Now(), k.buf)])
}

// TestATextIsShownInItsFrameToAHandlerThatTakes: where it says so, and the text is small. What it leaves outlives the frame.
func TestATextIsShownInItsFrameToAHandlerThatTakes(t *testing.T) {
	small, large := strings.Repeat("a", 1000), strings.Repeat("b", MostTaken+1)
	for _, tc := range []struct {
		name    string
		flags   uint16
		text    string
		take    int
		inFrame bool
	}{
		{"small", UserTakes, small, 3000, true},
		{"small, more than the buffer holds", UserTakes, small, 10, true},
		{"large", UserTakes, large, 3000, false},
		{"nobody waits", 0, small, 3000, false},
	} {
		w := newWorld(t, Config{})
		w.join("e2", 9000, 0, "203.0.113.1/24")
		c, p, _ := w.dialPeer(2, "203.0.113.1:9", "203.0.113.9:7")
		k := &takerInCall{w: w, buf: make([]byte, tc.take)}
		c.Lock()
		c.SetHandler(k)
		c.UserFlags |= tc.flags
		c.Unlock()
		p.send(ack, tc.text)
		if k.inFrame != tc.inFrame || len(k.got) != min(tc.take, len(tc.text)) {
			t.Errorf("%s: read from the frame %v, %d octets", tc.name, k.inFrame, len(k.got))
		}
		clear(w.in.Buf)
		rest := make([]byte, len(tc.text))
		c.Lock()
		n := c.conn.Read(w.clock.Now(), rest)
		c.Unlock()
		if k.got+string(rest[:n]) != tc.text {
			t.Errorf("%s: %d octets and then %d came, which are not the text", tc.name, len(k.got), n)
		}
		c.Abort()
		w.nothingHeld()
	}
}
