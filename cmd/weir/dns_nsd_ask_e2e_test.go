package main_test

import (
	wire "encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
)

// ask is one query as it is put to two servers.
type ask struct {
	name  msg.Name
	typ   msg.Type
	class msg.Class
	size  uint16 // of EDNS, 0 for a query without
	do    bool
	rd    bool
	tcp   bool
}

func (q ask) String() string {
	s := fmt.Sprintf("%v %v %v", q.name, q.class, q.typ)
	if q.size > 0 {
		s += fmt.Sprintf(" bufsize %d", q.size)
	}
	for i, on := range []bool{q.do, q.rd, q.tcp} {
		if on {
			s += [...]string{" do", " rd", " tcp"}[i]
		}
	}
	return s
}

// pack is the query in wire form.
func (q ask) pack(l *lab, id uint16) []byte {
	l.t.Helper()
	m := &msg.Message{Header: msg.Header{ID: id, RecursionDesired: q.rd}, Question: []msg.Question{{Name: q.name, Type: q.typ, Class: q.class}}}
	if q.size > 0 {
		m.EDNS = &msg.EDNS{Size: q.size, DO: q.do}
	}
	p, err := m.Append(nil, 0)
	must(l.t, err)
	return p
}

// window is how many queries are under way at a time: few enough for the default buffers of a socket to hold the answers.
const window = 48

// answersOf puts the queries to a server and returns its answers, each of them at its query's place.
func (l *lab) answersOf(addr string, queries []ask) [][]byte {
	l.t.Helper()
	answers := make([][]byte, len(queries))
	for _, tcp := range []bool{false, true} {
		var at []int
		for i, q := range queries {
			if q.tcp == tcp {
				at = append(at, i)
			}
		}
		if len(at) == 0 {
			continue
		}
		c := l.mustDial(map[bool]string{false: "udp", true: "tcp"}[tcp], addr)
		for some := range slices.Chunk(at, window) {
			if tcp {
				l.askTCP(c, queries, some, answers)
			} else {
				l.askUDP(c, queries, some, answers)
			}
		}
		c.Close()
	}
	return answers
}

// askUDP sends some queries, their places as ids, and again those that get no answer.
func (l *lab) askUDP(c net.Conn, queries []ask, some []int, answers [][]byte) {
	l.t.Helper()
	buf := make([]byte, 65536)
	missing := len(some)
	for end := time.Now().Add(patience); missing > 0; {
		for _, i := range some {
			if answers[i] == nil {
				_, err := c.Write(queries[i].pack(l, uint16(i)))
				must(l.t, err)
			}
		}
		c.SetReadDeadline(time.Now().Add(2 * time.Second))
		for missing > 0 {
			n, err := c.Read(buf)
			if errors.Is(err, os.ErrDeadlineExceeded) && time.Now().Before(end) {
				break
			}
			if err != nil {
				l.t.Fatalf("%v: no answer to %v: %v", c.RemoteAddr(), queries[some[0]], err)
			}
			if i := placeOf(some, buf[:n]); i >= 0 && answers[i] == nil {
				answers[i] = slices.Clone(buf[:n])
				missing--
			}
		}
	}
}

// askTCP sends some queries at once, and takes the answers in the order they come.
func (l *lab) askTCP(c net.Conn, queries []ask, some []int, answers [][]byte) {
	l.t.Helper()
	var out []byte
	for _, i := range some {
		p := queries[i].pack(l, uint16(i))
		out = append(wire.BigEndian.AppendUint16(out, uint16(len(p))), p...)
	}
	c.SetDeadline(time.Now().Add(patience))
	_, err := c.Write(out)
	must(l.t, err)
	for range some {
		var size [2]byte
		_, err := io.ReadFull(c, size[:])
		must(l.t, err)
		p := make([]byte, wire.BigEndian.Uint16(size[:]))
		_, err = io.ReadFull(c, p)
		must(l.t, err)
		i := placeOf(some, p)
		if i < 0 || answers[i] != nil {
			l.t.Fatalf("%v: an answer to nothing: %x", c.RemoteAddr(), p)
		}
		answers[i] = p
	}
}

// placeOf is the place of the query that a message answers, -1 for none.
func placeOf(some []int, p []byte) int {
	if len(p) >= 12 {
		for _, i := range some {
			if uint16(i) == wire.BigEndian.Uint16(p) {
				return i
			}
		}
	}
	return -1
}

// facts are what an answer says, a line for each thing, in an order that does not depend on that of records in a section.
func facts(m *msg.Message) (lines []string) {
	h := m.Header
	lines = append(lines, fmt.Sprintf("rcode %v", h.Rcode), fmt.Sprintf("flags qr %v opcode %v aa %v tc %v rd %v ra %v ad %v cd %v",
		h.Response, h.Opcode, h.Authoritative, h.Truncated, h.RecursionDesired, h.RecursionAvailable, h.AuthenticData, h.CheckingDisabled))
	for _, q := range m.Question {
		lines = append(lines, fmt.Sprintf("question %v %v %v", q.Name, q.Class, q.Type))
	}
	for i, section := range [][]msg.RR{m.Answer, m.Authority, m.Additional} {
		from := len(lines)
		for _, rr := range section {
			lines = append(lines, [...]string{"answer ", "authority ", "additional "}[i]+fact(rr))
		}
		slices.Sort(lines[from:])
	}
	if m.EDNS == nil {
		return lines
	}
	return append(lines, fmt.Sprintf("edns version %d do %v size %d options %v", m.EDNS.Version, m.EDNS.DO, m.EDNS.Size, m.EDNS.Options))
}

func fact(rr msg.RR) string {
	return fmt.Sprintf("%v %d %v %v %s", rr.Name.Fold(), rr.TTL, rr.Class, rr.Type, rr.DataString())
}

// difference is what only one of two answers says: weir's behind a plus, the other's behind a minus.
func difference(w, n *msg.Message) (lines []string) {
	if slices.Equal(essence(w), essence(n)) {
		return nil
	}
	a, b := facts(w), facts(n)
	left := map[string]int{}
	for _, s := range b {
		left[s]++
	}
	for _, s := range a {
		if left[s]--; left[s] < 0 {
			lines = append(lines, "+ "+s)
		}
	}
	for _, s := range b {
		if left[s] > 0 {
			left[s]--
			lines = append(lines, "- "+s)
		}
	}
	return lines
}

// section returns the lines of a difference that begin so.
func hasLine(lines []string, prefixes ...string) bool {
	return slices.ContainsFunc(lines, func(s string) bool {
		return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(s, p) })
	})
}

// essence is what facts are, for a comparison that costs less.
func essence(m *msg.Message) (list []string) {
	for i, section := range [][]msg.RR{m.Answer, m.Authority, m.Additional} {
		from := len(list)
		for _, rr := range section {
			list = append(list, fmt.Sprint(i, rr.TTL, rr.Type, rr.Class)+string(rr.Name.Fold())+rr.Data)
		}
		slices.Sort(list[from:])
	}
	list = append(list, fmt.Sprint(m.Header, m.Question, m.EDNS == nil))
	if m.EDNS != nil {
		list = append(list, fmt.Sprint(*m.EDNS))
	}
	return list
}
