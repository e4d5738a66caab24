package zone

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// source is a master file as the parser reads it: octet by octet, so that it is known in which line the record is
// that was read last. $GENERATE is carried out here.
type source struct {
	r      *bufio.Reader
	c      io.Closer
	name   string // as people know it
	budget *budget

	line    int  // of the octet read last
	fresh   bool // the next octet begins a line
	ended   bool // the octet read last ended one
	comment bool
	quote   bool
	escape  bool
	braces  int

	gen    *generator // text that $GENERATE puts in the directive's place
	genBuf []byte
	err    error
}

// budget is what all files of a zone may have together.
type budget struct {
	octets   int64
	includes int
}

var errOctets = errors.New("the zone's files have more octets than allowed")

func newSource(r io.Reader, name string, b *budget) *source {
	s := &source{r: bufio.NewReaderSize(r, 64<<10), name: name, budget: b, line: 1, fresh: true}
	s.c, _ = r.(io.Closer)
	return s
}

// ReadByte implements io.ByteReader.
func (s *source) ReadByte() (byte, error) {
	if len(s.genBuf) > 0 || s.gen != nil && s.generate() {
		c := s.genBuf[0]
		s.genBuf = s.genBuf[1:]
		return c, nil
	}
	if s.err != nil {
		return 0, s.err
	}
	if s.fresh {
		s.fresh = false
		if s.directive() {
			return s.ReadByte()
		}
	}
	c, err := s.r.ReadByte()
	if err != nil {
		s.err, s.fresh = err, s.ended
		return 0, err
	}
	s.ended = false
	if s.budget.octets--; s.budget.octets < 0 {
		s.err = errOctets
		return 0, s.err
	}
	s.note(c)
	return c, nil
}

// note keeps count of lines, and of whether a line goes on in the next.
func (s *source) note(c byte) {
	if s.escape {
		s.escape = false
		if c != '\n' {
			return
		}
	}
	switch {
	case c == '\n':
		s.line++
		s.comment = false
		s.fresh, s.ended = s.braces == 0 && !s.quote, true
	case s.comment:
	case c == '\\':
		s.escape = true
	case c == '"':
		s.quote = !s.quote
	case s.quote:
	case c == ';':
		s.comment = true
	case c == '(':
		s.braces++
	case c == ')':
		s.braces = max(0, s.braces-1)
	}
}

// Read implements io.Reader, which the parser does not use where there is ReadByte.
func (s *source) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c, err := s.ReadByte()
	if err != nil {
		return 0, err
	}
	p[0] = c
	return 1, nil
}

// Close closes the file.
func (s *source) Close() error {
	if s.c == nil {
		return nil
	}
	return s.c.Close()
}

// at returns the line that was read last.
func (s *source) at() int {
	if s.ended {
		return s.line - 1
	}
	return s.line
}

const generateWord = "$GENERATE"

// maxDirective is the most octets that the line of a $GENERATE may have.
const maxDirective = 4096

// directive reads a $GENERATE, if the line that begins is one.
func (s *source) directive() bool {
	p, _ := s.r.Peek(len(generateWord) + 1)
	if len(p) <= len(generateWord) || !strings.EqualFold(string(p[:len(generateWord)]), generateWord) ||
		p[len(generateWord)] != ' ' && p[len(generateWord)] != '\t' {
		return false
	}
	var line []byte
	for {
		c, err := s.r.ReadByte()
		if err != nil || c == '\n' {
			break
		}
		if s.budget.octets--; len(line) >= maxDirective || s.budget.octets < 0 {
			s.ended = false
			s.err = fmt.Errorf("the line is longer than %d octets", maxDirective)
			return true
		}
		line = append(line, c)
	}
	gen, err := newGenerator(string(line[len(generateWord):]))
	if err != nil {
		s.err, s.ended = err, false
		return true
	}
	s.gen = gen
	s.line++
	s.fresh, s.ended = true, true
	return true
}

// generate makes the next line that $GENERATE stands for, and reports whether there is one.
func (s *source) generate() bool {
	line, ok, err := s.gen.next()
	if s.budget.octets -= int64(len(line)); s.budget.octets < 0 && err == nil {
		err = errOctets
	}
	if err != nil {
		s.err = err
	}
	if !ok || err != nil {
		s.gen = nil
		return false
	}
	s.genBuf = line
	return true
}
