package demo

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/weirnet/weir/cmd/weir/internal/term"
)

// screen prints the account: a line for each check when it is done, and on a
// terminal also while it runs.
type screen struct {
	style term.Style

	mu   sync.Mutex
	out  io.Writer
	held int
	lost int
}

const clearLine = "\r\x1b[K"

// title prints the heading, and the names and texts below it.
func (s *screen) title(text string, lines ...[2]string) {
	fmt.Fprintf(s.out, "%s\n\n", s.style.Paint(term.Bold, text))
	for _, l := range lines {
		fmt.Fprintf(s.out, "  %-11s  %s\n", l[0], l[1])
	}
	fmt.Fprintln(s.out)
}

// begin shows that a check runs.
func (s *screen) begin(name string) { s.update(name, "") }

// update shows how far a check is.
func (s *screen) update(name, progress string) {
	if !s.style.Live {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	line := strings.TrimRight(fmt.Sprintf("  %s  %-*s  %s", s.mark("…", term.Dim), nameWidth, name, progress), " ")
	fmt.Fprint(s.out, clearLine, line)
}

// The widths of the account's columns.
const (
	nameWidth   = 18
	resultWidth = 36
)

// end prints the line of a check that is done.
func (s *screen) end(name string, r result, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.style.Live {
		fmt.Fprint(s.out, clearLine)
	}
	if err != nil {
		s.lost++
		fmt.Fprintf(s.out, "  %s  %-*s  %v\n", s.fail(), nameWidth, name, err)
		return
	}
	s.held++
	fmt.Fprintf(s.out, "  %s  %-*s  %-*s  %s\n", s.ok(), nameWidth, name, resultWidth, r.text, r.figures)
	for _, line := range r.more {
		fmt.Fprintf(s.out, "  %s  %s\n", s.blank(), s.style.Paint(term.Dim, line))
	}
}

// sum prints the last line and says whether all of it held.
func (s *screen) sum(took time.Duration) error {
	took = took.Round(10 * time.Millisecond)
	if s.lost > 0 {
		fmt.Fprintf(s.out, "\n%s\n", s.style.Paint(term.Red, fmt.Sprintf("%d of %d did not hold, in %v.", s.lost, s.lost+s.held, took)))
		return fmt.Errorf("%d of %d checks did not hold", s.lost, s.lost+s.held)
	}
	fmt.Fprintf(s.out, "\n%s\n", s.style.Paint(term.Green, fmt.Sprintf("All of it held, in %v.", took)))
	return nil
}

// The marks are as wide as each other.
func (s *screen) ok() string    { return s.word("✓", "ok    ", term.Green) }
func (s *screen) fail() string  { return s.word("✗", "FAILED", term.Red) }
func (s *screen) blank() string { return s.word(" ", "      ", term.Dim) }

func (s *screen) mark(sign, color string) string { return s.word(sign, "…     ", color) }

func (s *screen) word(sign, plain, color string) string {
	if s.style.Color {
		return s.style.Paint(color, sign)
	}
	return plain
}

// bar draws how much of a whole is done.
func bar(done, whole int64, width int) string {
	full := int(done * int64(width) / max(whole, 1))
	return "[" + strings.Repeat("█", full) + strings.Repeat("·", width-full) + "]"
}

// amount writes octets the way people say them.
func amount(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.3g GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.3g MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.3g KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d octets", n)
}

// rate writes octets in a time as bits per second.
func rate(n int64, d time.Duration) string {
	bits := float64(n) * 8 / d.Seconds()
	if bits >= 1e9 {
		return fmt.Sprintf("%.1f Gbit/s", bits/1e9)
	}
	return fmt.Sprintf("%.0f Mbit/s", bits/1e6)
}

// millis writes a round trip.
func millis(d time.Duration) string {
	return fmt.Sprintf("%.3f ms", float64(d)/float64(time.Millisecond))
}
