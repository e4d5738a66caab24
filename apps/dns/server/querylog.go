package server

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
)

// QueryLog says whether queries are logged. Lines are written by a goroutine of their own; what it cannot keep up
// with is dropped and counted, and nothing ever waits for it.
type QueryLog struct {
	// Writer gets lines of text, where it is not nil:
	//
	//	2026-01-02T15:04:05.000Z 192.0.2.1#50000 udp www.example. IN A +E NOERROR 45 12.3µs
	//
	// which are when it came, who asked and how, the question, flags (+ RD, E EDNS, D DO, C CD, T truncated, K a
	// valid cookie), the answer's rcode and octets, and how long it took: "-" for an answer in the receive path.
	// An answer that was held back has "dropped" for its rcode.
	Writer io.Writer
	// Logger gets records of level Info with the same as attributes, where it is not nil.
	Logger *slog.Logger
	// Sample has one in so many queries logged; 0 and 1 are all.
	Sample int
}

// logBacklog is how many lines may wait.
const logBacklog = 4096

// logEntry is a line to be. It holds no pointers to what is used again.
type logEntry struct {
	at        time.Time
	from      netip.AddrPort
	took      time.Duration // 0: in the receive path
	size      int
	typ       msg.Type
	class     msg.Class
	rcode     msg.Rcode
	transport Transport
	dropped   bool
	rd, edns, do, cd,
	tc, proven bool
	nameLen uint8
	name    [255]byte
}

type queryLog struct {
	QueryLog
	entries chan logEntry
	done    chan struct{}
	stopped sync.Once
	line    []byte
}

// newQueryLog returns nil where nothing is logged.
func newQueryLog(c QueryLog) *queryLog {
	if c.Writer == nil && c.Logger == nil {
		return nil
	}
	l := &queryLog{QueryLog: c, entries: make(chan logEntry, logBacklog), done: make(chan struct{})}
	l.Sample = max(1, l.Sample)
	return l
}

// put has an entry written, and reports false where too many wait.
func (l *queryLog) put(e *logEntry) bool {
	select {
	case l.entries <- *e:
		return true
	default:
		return false
	}
}

// write writes entries until stop is called, and then those that wait.
func (l *queryLog) write() {
	var out *bufio.Writer
	if l.Writer != nil {
		out = bufio.NewWriterSize(l.Writer, 1<<16)
		defer out.Flush()
	}
	for {
		select {
		case e := <-l.entries:
			l.one(&e, out)
		default:
			if out != nil {
				out.Flush()
			}
			select {
			case e := <-l.entries:
				l.one(&e, out)
			case <-l.done:
				if len(l.entries) == 0 {
					return
				}
			}
		}
	}
}

func (l *queryLog) stop() { l.stopped.Do(func() { close(l.done) }) }

func (l *queryLog) one(e *logEntry, out *bufio.Writer) {
	if out != nil {
		l.line = e.append(l.line[:0])
		out.Write(l.line)
	}
	if l.Logger != nil {
		l.Logger.LogAttrs(context.Background(), slog.LevelInfo, "query", e.attrs()...)
	}
}

func (e *logEntry) question() string { return msg.Name(e.name[:e.nameLen]).String() }

func (e *logEntry) result() string {
	if e.dropped {
		return "dropped"
	}
	return e.rcode.String()
}

func (e *logEntry) flags() string {
	var b [8]byte
	f := b[:0]
	for _, x := range [...]struct {
		on bool
		c  byte
	}{{e.rd, '+'}, {e.edns, 'E'}, {e.do, 'D'}, {e.cd, 'C'}, {e.tc, 'T'}, {e.proven, 'K'}} {
		if x.on {
			f = append(f, x.c)
		}
	}
	if len(f) == 0 {
		return "-"
	}
	return string(f)
}

func (e *logEntry) append(b []byte) []byte {
	b = e.at.UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z07:00")
	b = append(b, ' ')
	b = e.from.Addr().AppendTo(b)
	b = append(b, '#')
	b = strconv.AppendUint(b, uint64(e.from.Port()), 10)
	for _, word := range [...]string{e.transport.String(), e.question(), e.class.String(), e.typ.String(), e.flags(), e.result()} {
		b = append(b, ' ')
		b = append(b, word...)
	}
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64(e.size), 10)
	if e.took == 0 {
		return append(b, " -\n"...)
	}
	b = append(b, ' ')
	b = append(b, e.took.String()...)
	return append(b, '\n')
}

func (e *logEntry) attrs() []slog.Attr {
	return []slog.Attr{
		slog.Time("at", e.at), slog.String("from", e.from.String()), slog.String("transport", e.transport.String()),
		slog.String("name", e.question()), slog.String("class", e.class.String()), slog.String("type", e.typ.String()),
		slog.String("flags", e.flags()), slog.String("rcode", e.result()), slog.Int("size", e.size), slog.Duration("took", e.took),
	}
}
