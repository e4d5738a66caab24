package bench

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"
)

// receive takes the datagrams of every session until the socket is closed. What has no valid
// token is not answered.
func (s *Server) receive(ctx context.Context) {
	defer context.AfterFunc(ctx, func() { s.packets.Close() })()
	in, out := make([]byte, 1<<16), make([]byte, 1<<16)
	for {
		n, from, to, err := s.packets.ReadPacket(in)
		if err != nil {
			if errors.Is(err, net.ErrClosed) || ctx.Err() != nil {
				return
			}
			// Mostly an ICMP error about an earlier answer; never worth a busy loop.
			pause(ctx, time.Millisecond)
			continue
		}
		s.datagram(in[:n], from, to, out)
	}
}

func (s *Server) datagram(raw []byte, from netip.AddrPort, to netip.Addr, out []byte) {
	d, ok := parseDatagram(raw)
	if !ok {
		return
	}
	if session := s.session(d.token); session != nil {
		session.datagram(&d, raw, from, to, out)
	}
}

// pause waits, or less where ctx is done.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
