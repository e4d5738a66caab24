package shard

import (
	"testing"
	"time"

	"github.com/weirnet/weir/stack/tcp"
	"github.com/weirnet/weir/stack/wire"
)

// finish closes a connection from the host's side, so that it is the host that comes to
// TIME-WAIT.
func (p *peer) finish(c *TCP) {
	p.Helper()
	c.Close()
	p.got(finAck)
	p.send(finAck, "")
	p.got(ack)
	p.counted("held.tcp_connections", 0)
	p.counted("held.tcp_timewait", 1)
}

func TestTimeWaitIsARecordThatLastsTwiceTheMSL(t *testing.T) { // RFC 9293 §3.6.1
	w := newWorld(t, Config{})
	l := w.listen("192.0.2.1:7")
	p := w.peer(0, "192.0.2.9:999", "192.0.2.1:7").connect()
	p.finish(l.Accept())
	l.Close()
	w.counted("held.octets", 0)
	msl := tcp.DefaultSettings().MSL
	w.pass(2*msl - time.Second)
	// The FIN again: our ACK was lost. It is acknowledged again, and the time begins anew.
	p.seq--
	p.send(finAck, "")
	p.got(ack)
	w.pass(2*msl - time.Second)
	w.counted("held.tcp_timewait", 1)
	w.pass(2 * time.Second)
	w.nothingHeld()
	p.seq--
	p.send(finAck, "") // nobody remembers
	p.got(rst)
}

func TestNewSYNReusesATimeWaitRecord(t *testing.T) { // RFC 9293 §3.6.1, RFC 6191
	w := newWorld(t, Config{})
	l := w.listen("192.0.2.1:7")
	p := w.peer(0, "192.0.2.9:999", "192.0.2.1:7").connect()
	p.finish(l.Accept())
	last := p.ack
	p.seq, p.ack = p.seq-100, 0 // an old duplicate
	p.send(syn, "")
	p.got(ack)
	w.counted("tcp.timewait_reused", 0)
	p.seq += 1000
	p.send(syn, "")
	if h := p.got(synAck); int32(h.Seq()-last) <= 0 {
		t.Errorf("the new connection begins at %d, the old one went as far as %d", h.Seq(), last)
	}
	p.send(ack, "")
	w.counted("tcp.timewait_reused", 1)
	w.counted("held.tcp_timewait", 0)
	if l.Accept() == nil {
		t.Error("the new connection was not accepted")
	}
}

func TestTimeWaitRecordStaysWhereNobodyListens(t *testing.T) {
	w := newWorld(t, Config{})
	l := w.listen("192.0.2.1:7")
	p := w.peer(0, "192.0.2.9:999", "192.0.2.1:7").connect()
	p.finish(l.Accept())
	l.Close()
	p.seq += 1000
	p.send(syn, "")
	w.none()
	w.counted("held.tcp_timewait", 1)
	w.counted("held.tcp_connections", 0)
}

func TestPortInTimeWaitIsNotChosenAgain(t *testing.T) {
	w := newWorld(t, Config{})
	c, p, _ := w.dialPeer(0, "192.0.2.1:4000", "192.0.2.9:80")
	p.finish(c)
	if _, err := w.DialTCP(ap("192.0.2.1:4000"), ap("192.0.2.9:80"), nil); err == nil {
		t.Error("a connection was opened in place of one in TIME-WAIT")
	}
	if _, err := w.DialTCP(ap("192.0.2.1:4000"), ap("192.0.2.9:81"), nil); err != nil {
		t.Errorf("to another port: %v", err)
	}
	w.sent(0)
	w.pass(time.Minute + time.Second)
	if _, err := w.DialTCP(ap("192.0.2.1:4000"), ap("192.0.2.9:80"), nil); err != nil {
		t.Errorf("after TIME-WAIT: %v", err)
	}
}

func TestTimeWaitRecordsAreBounded(t *testing.T) {
	w := newWorld(t, Config{})
	w.maxTimeWaits = 2
	l := w.listen("192.0.2.1:7")
	for _, at := range []string{"192.0.2.9:1", "192.0.2.9:2", "192.0.2.9:3"} {
		p := w.peer(0, at, "192.0.2.1:7").connect()
		c := l.Accept()
		c.Close()
		p.got(finAck)
		p.send(finAck, "")
		p.got(ack)
	}
	w.counted("held.tcp_timewait", 2)
	w.counted("tcp.drop.timewait_overflow", 1)
	w.counted("held.tcp_connections", 0)
}

// The peer that closed first is in TIME-WAIT, not the host.
func TestPassiveCloseLeavesNothing(t *testing.T) {
	w := newWorld(t, Config{})
	l := w.listen("192.0.2.1:7")
	p := w.peer(0, "192.0.2.9:999", "192.0.2.1:7").connect()
	c := l.Accept()
	l.Close()
	p.send(finAck, "")
	p.got(ack)
	c.Close()
	p.got(finAck)
	p.send(ack, "")
	w.none()
	w.nothingHeld()
}

// Segments that come in one batch are answered in one go.
func TestTextIsAcknowledgedOncePerRound(t *testing.T) {
	w := newWorld(t, Config{})
	l := w.listen("192.0.2.1:7")
	p := w.peer(0, "192.0.2.9:999", "192.0.2.1:7").connect()
	c := l.Accept()
	r := round{h: w.Host, ifc: w.ifcs[0], now: w.clock.Now()}
	for n := range 8 {
		b := tcpPacket(p.at, p.host, wire.TCPFields{Seq: p.seq + uint32(1000*n), Ack: p.ack, Flags: ack, Window: 65535}, text(1000))
		w.in.Off, w.in.End = 64, 64+copy(w.in.Buf[64:], b)
		r.input(&w.in)
	}
	w.none()
	r.flush()
	if h := p.got(ack); h.Ack() != p.seq+8000 || c.conn.Readable() != 8000 {
		t.Errorf("acknowledged %d of 8000", h.Ack()-p.seq)
	}
}
