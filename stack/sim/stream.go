package sim

import (
	"fmt"
	"math/rand/v2"

	"github.com/weirnet/weir/stack/shard"
	"github.com/weirnet/weir/stack/tcp"
)

// Stream is an application on one end of a connection: it sends so many octets of a
// pseudo-random sequence, expects so many of another, closes its side when it has sent
// them all, and lets go when it has both. It is a shard.Handler.
type Stream struct {
	toSend, toGet int
	out, in       *sequence
	buf           []byte

	// Sent and Got count octets; Closed is set when the connection has ended for this side.
	Sent, Got int
	Closed    bool
	// Err is the first thing that went wrong: a wrong octet, a broken invariant, a failed connection.
	Err error
}

// NewStream returns an application that sends send octets of sequence sendSeed and expects get
// octets of sequence getSeed.
func NewStream(send int, sendSeed uint64, get int, getSeed uint64) *Stream {
	return &Stream{
		toSend: send, toGet: get, out: newSequence(sendSeed), in: newSequence(getSeed),
		buf: make([]byte, 64<<10),
	}
}

// Done reports whether everything was sent, received and closed, or something failed.
func (s *Stream) Done() bool {
	return s.Err != nil || s.Closed && s.Sent == s.toSend && s.Got == s.toGet
}

// OnEvent does what can be done now.
func (s *Stream) OnEvent(c *shard.TCP, ev tcp.Events) {
	conn := c.Conn()
	if s.Err == nil {
		s.Err = conn.Check()
	}
	if err := conn.Err(); err != nil && s.Err == nil && !s.Closed {
		s.Err = fmt.Errorf("sent %d, got %d: %w", s.Sent, s.Got, err)
	}
	if s.Err != nil || s.Closed {
		return
	}
	s.receive(c, conn)
	s.send(c, conn)
}

func (s *Stream) receive(c *shard.TCP, conn *tcp.Conn) {
	for {
		n := conn.Read(c.Host().Now(), s.buf)
		if n == 0 {
			break
		}
		if at := s.in.differs(s.buf[:n]); at >= 0 && s.Err == nil {
			s.Err = fmt.Errorf("octet %d is wrong", s.Got+at)
		}
		s.Got += n
	}
	if s.Got > s.toGet && s.Err == nil {
		s.Err = fmt.Errorf("got %d octets, want %d", s.Got, s.toGet)
	}
	if conn.EOF() {
		if s.Got != s.toGet && s.Err == nil {
			s.Err = fmt.Errorf("end of stream after %d octets, want %d", s.Got, s.toGet)
		}
		s.Closed = s.Sent == s.toSend
	}
}

func (s *Stream) send(c *shard.TCP, conn *tcp.Conn) {
	if s.Sent == s.toSend || !conn.MayWrite() {
		return
	}
	now := c.Host().Now()
	for s.Sent < s.toSend {
		room := min(conn.Writable(), len(s.buf), s.toSend-s.Sent)
		if room <= 0 {
			return
		}
		s.out.fill(s.buf[:room])
		if n := conn.Write(now, s.buf[:room]); n != room {
			s.Err = fmt.Errorf("send queue took %d of %d octets that it had room for", n, room)
			return
		}
		s.Sent += room
	}
	conn.CloseWrite(now)
	s.Closed = conn.EOF() && s.Got == s.toGet
}

// sequence is an endless pseudo-random sequence of octets.
type sequence struct {
	src  *rand.PCG
	word uint64
	left int
}

func newSequence(seed uint64) *sequence { return &sequence{src: rand.NewPCG(seed, 0x5eed)} }

func (q *sequence) next() byte {
	if q.left == 0 {
		q.word, q.left = q.src.Uint64(), 8
	}
	b := byte(q.word)
	q.word >>= 8
	q.left--
	return b
}

func (q *sequence) fill(b []byte) {
	for i := range b {
		b[i] = q.next()
	}
}

// differs returns where b first is not the sequence's next octets, or -1.
func (q *sequence) differs(b []byte) int {
	at := -1
	for i := range b {
		if q.next() != b[i] && at < 0 {
			at = i
		}
	}
	return at
}
