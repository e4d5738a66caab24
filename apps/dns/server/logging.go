package server

import (
	"encoding/binary"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
)

// logAnswer has an answer logged, if it is its turn.
func (s *Server) logAnswer(m *meter, query []byte, end int, a *asked, answer []byte, held bool) {
	if n := s.log.Sample; n > 1 && s.logged.Add(1)%uint32(n) != 0 {
		return
	}
	e := logEntry{
		at: time.Now(), from: a.from, took: a.took, size: len(answer), transport: a.transport, dropped: held,
		rd: query[2]&0x01 != 0, cd: query[3]&0x10 != 0, edns: a.edns, do: a.do, proven: a.state == provenCookie,
	}
	if end > headerLen {
		e.nameLen = uint8(copy(e.name[:], query[headerLen:end-4]))
		e.typ = msg.Type(binary.BigEndian.Uint16(query[end-4:]))
		e.class = msg.Class(binary.BigEndian.Uint16(query[end-2:]))
	}
	if !held {
		e.tc, e.rcode = answer[2]&0x02 != 0, a.rcode(answer)
	} else {
		e.size = 0
	}
	if !s.log.put(&e) {
		m.drop(dropLog)
	}
}
