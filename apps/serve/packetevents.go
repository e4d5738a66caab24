package serve

import (
	"net/netip"
	"sync"

	"github.com/weirnet/weir/stack/event"
)

// packetNetwork is a Network that hands datagrams to handlers, in its receive path. A *stack.Stack is one.
type packetNetwork interface {
	ListenPacketEvents(network, address string, h event.PacketHandler) (*event.PacketListener, error)
}

// PacketEvents returns the handler that answers datagrams as Packets does, for a port of a stack's: see
// its ListenPacketEvents. answer is called from several goroutines at once, must not block, and each
// call has a buffer of its own.
func PacketEvents(answer Answer) event.PacketHandler { return newPacketHandler(answer, new(Counters)) }

// packetHandler answers datagrams in the round that they come in.
type packetHandler struct {
	answer Answer
	n      *Counters
	bufs   sync.Pool // of *[MaxDatagram]byte
}

func newPacketHandler(answer Answer, n *Counters) *packetHandler {
	h := &packetHandler{answer: answer, n: n}
	h.bufs.New = func() any { return new([MaxDatagram]byte) }
	return h
}

// OnPacket implements event.PacketHandler.
func (h *packetHandler) OnPacket(s *event.PacketSocket, in []byte, m event.PacketMeta) {
	if !admit(m.From, m.To.Port(), h.n) {
		return
	}
	buf := h.bufs.Get().(*[MaxDatagram]byte)
	if out := h.answer(in, buf[:]); out != nil {
		count(s.Reply(out), h.n)
	}
	h.bufs.Put(buf)
}

// admit counts a datagram, and reports whether it is to be answered.
func admit(from netip.AddrPort, port uint16, n *Counters) bool {
	n.Datagrams.Add(1)
	switch Refuse(from, port) {
	case RefusedService:
		n.RefusedService.Add(1)
		return false
	case RefusedSource:
		n.RefusedSource.Add(1)
		return false
	}
	return true
}

// count counts an answer by what became of it.
func count(err error, n *Counters) {
	if err != nil {
		n.AnswersLost.Add(1)
		return
	}
	n.Answered.Add(1)
}
