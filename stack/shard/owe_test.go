package shard

import (
	"testing"

	"github.com/weirnet/weir/stack/tcp"
)

// waker is a Handler whose user waits in another goroutine.
type waker struct{}

func (waker) OnEvent(c *TCP, _ tcp.Events) { c.Woken() }

// The ACK of a request leaves with the answer of a user who was woken, that of a FIN with
// the user's own, and by itself where the user is late. Who steps a host sees it at once.
func TestACKIsLeftToAUserWhoWasWoken(t *testing.T) {
	w := newWorld(t, Config{})
	w.listenTCP(ListenOptions{Backlog: 5, Handler: waker{}})
	w.client(1000).connect()
	open := func(port uint16) (*peer, *TCP) {
		p := w.client(port).connect()
		key := makeFlowKey(p.host, p.at)
		return p, w.conns.get(&key)
	}
	stepped, _ := open(1001)
	stepped.send(ack, "request")
	stepped.got(ack)
	w.mode.Store(modeRunning) // nothing runs: the test goes on stepping
	defer w.mode.Store(modeStepped)
	p, c := open(1002)
	p.send(ack, "request")
	w.none()
	c.Lock()
	c.conn.Read(w.Now(), make([]byte, 100))
	c.PushRead()
	c.Unlock()
	w.none()
	w.write(c, []byte("answer"))
	if h := p.got(ack); string(h.Payload()) != "answer" || h.Ack() != p.seq {
		t.Errorf("the answer is %q and acknowledges %d, want %d", h.Payload(), h.Ack(), p.seq)
	}
	p.send(finAck, "")
	w.none()
	c.Close()
	if h := p.got(finAck); h.Ack() != p.seq {
		t.Errorf("the FIN acknowledges %d, want %d", h.Ack(), p.seq)
	}
	p.send(ack, "")
	w.none()

	late, _ := open(1003)
	late.send(ack, "request")
	w.none()
	w.pass(owing)
	if h := late.got(ack); h.Ack() != late.seq {
		t.Errorf("the late ACK is %d, want %d", h.Ack(), late.seq)
	}
	late.send(ack, string(make([]byte, 1000))) // more than a request
	late.got(ack)
}
