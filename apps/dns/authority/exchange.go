package authority

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/tsig"
)

// errTruncated says that an answer is to be had over TCP.
var errTruncated = errors.New("the answer is truncated")

// conversation is one connection to another server of a zone: a query, and the messages that come back.
type conversation struct {
	conn   net.Conn
	stream bool
	id     uint16
	asked  msg.Question
	sess   *tsig.Session
	octets int64
	buf    []byte
	stop   func() bool
}

// ask sends m to a peer. The conversation ends with ctx.
func (s *Set) ask(ctx context.Context, network string, p Peer, m *msg.Message) (*conversation, error) {
	conn, err := s.cfg.Network.DialContext(ctx, network, p.address())
	if err != nil {
		return nil, err
	}
	c := &conversation{conn: conn, stream: network == "tcp", id: uint16(rand.Uint32()), asked: m.Question[0]}
	c.stop = context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	m.ID = c.id
	room := 0
	if p.Key != nil {
		room = p.Key.Room()
	}
	b, err := m.Append(nil, msg.MaxSize-room)
	if err == nil && p.Key != nil {
		b, c.sess, err = tsig.Request(b, *p.Key, time.Now())
	}
	if err == nil {
		err = c.send(b)
	}
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (c *conversation) send(p []byte) error {
	if c.stream {
		p = append(binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(p)), uint16(len(p))), p...)
	}
	_, err := c.conn.Write(p)
	return err
}

func (c *conversation) close() {
	c.stop()
	c.conn.Close()
}

// next returns the next message that answers the query. Over UDP what does not is passed over, and so is what is not
// signed as the query was: anybody may have sent it (RFC 8945 §5.3). Where nothing else comes the error tells of it.
func (c *conversation) next(wait time.Duration, opcode msg.Opcode) (*msg.Message, error) {
	if err := c.conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
		return nil, err
	}
	var unverified error
	for {
		p, err := c.read()
		if err != nil {
			if unverified != nil {
				err = fmt.Errorf("%w, and what came before is not taken: %w", err, unverified)
			}
			return nil, err
		}
		m := new(msg.Message)
		err = m.Unpack(p)
		if m.ID != c.id || !m.Response || m.Opcode != opcode || err != nil ||
			len(m.Question) > 0 && !sameQuestion(m.Question[0], c.asked) {
			if !c.stream {
				continue
			}
			if err == nil {
				err = errors.New("the answer is not to our query")
			}
			return nil, err
		}
		if c.sess != nil {
			if _, err := c.sess.Verify(p, time.Now()); err != nil && !c.stream {
				unverified = err
				continue
			} else if err != nil {
				return nil, err
			}
		}
		if m.Rcode != msg.RcodeSuccess {
			return nil, fmt.Errorf("it answers %v", m.Rcode)
		}
		if m.Truncated {
			return nil, errTruncated
		}
		return m, nil
	}
}

func sameQuestion(a, b msg.Question) bool {
	return a.Type == b.Type && a.Class == b.Class && a.Name.Equal(b.Name)
}

// read reads one message.
func (c *conversation) read() ([]byte, error) {
	if c.buf == nil {
		c.buf = make([]byte, msg.MaxSize)
	}
	if !c.stream {
		n, err := c.conn.Read(c.buf)
		return c.buf[:n], err
	}
	var size [2]byte
	if _, err := io.ReadFull(c.conn, size[:]); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint16(size[:]))
	c.octets += int64(2 + n)
	_, err := io.ReadFull(c.conn, c.buf[:n])
	return c.buf[:n], err
}
