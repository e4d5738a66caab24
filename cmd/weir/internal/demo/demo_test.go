package demo

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/weirnet/weir/cmd/weir/internal/term"
)

func TestDemoInMemoryHolds(t *testing.T) {
	var out strings.Builder
	err := Run(t.Context(), Options{Size: 3<<20 + 1, Timeout: time.Minute, Memory: true, Why: "this is a test", Out: &out})
	if err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, want := range []string{"No TUN device here: this is a test.", "ping IPv4", "large ping IPv6", "UDP echo IPv6", "TCP echo IPv4", "closed ports IPv6",
		"asked the servers of ., then example., then weir.example.", "lookup from cache", "203.0.113.80 is www.weir.example", "nobody.weir.example: no such host", "truncated over UDP", "transfer IPv6", "All of it held"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "\x1b") || strings.Contains(out.String(), "\r") {
		t.Errorf("the account is not plain text:\n%q", out.String())
	}
	hashes := regexp.MustCompile(`sha256 ([0-9a-f]{64})`).FindAllStringSubmatch(out.String(), -1)
	if len(hashes) != 4 || hashes[0][1] != hashes[1][1] || hashes[2][1] != hashes[3][1] {
		t.Errorf("hashes of both directions: %v", hashes)
	}
}

// deaf is a far end that reaches nobody, or an echo that is not faithful.
type deaf struct{ echo func(net.Conn) }

var errDeaf = errors.New("nobody there")

func (d deaf) DialContext(context.Context, string, string) (net.Conn, error) {
	if d.echo == nil {
		return nil, errDeaf
	}
	near, far := net.Pipe()
	go d.echo(far)
	return halfCloser{near}, nil
}

func (deaf) Ping(context.Context, netip.Addr, uint16, int) (time.Duration, error) { return 0, errDeaf }
func (deaf) Close() error                                                         { return nil }

// halfCloser is a pipe that takes CloseWrite for the end of both halves.
type halfCloser struct{ net.Conn }

func (h halfCloser) CloseWrite() error { return nil }

func TestDemoFailsWhenNothingAnswers(t *testing.T) {
	var out strings.Builder
	s := &scene{peer: deaf{}, addrs: []netip.Addr{netip.MustParseAddr("192.0.2.2")}}
	err := play(t.Context(), s, Options{Size: 1, Out: &out})
	if err == nil || !strings.Contains(err.Error(), "6 of 6") || strings.Count(out.String(), "FAILED") != 6 {
		t.Errorf("play = %v\n%s", err, out.String())
	}
}

func TestTransferFailsWhenOneOctetChanges(t *testing.T) {
	s := &scene{peer: deaf{echo: func(c net.Conn) {
		defer c.Close()
		buf := make([]byte, 64<<10)
		for at := 0; at < 1<<20; {
			n, err := c.Read(buf)
			if err != nil {
				return
			}
			if at <= 500_000 && 500_000 < at+n {
				buf[500_000-at] ^= 1
			}
			// A pipe has no buffer: read and write at once, or both ends wait.
			if _, err := c.Write(append([]byte(nil), buf[:n]...)); err != nil {
				return
			}
			at += n
		}
	}}}
	tr := &transfer{scene: s, addr: netip.MustParseAddr("192.0.2.2"), size: 1 << 20, out: &screen{out: &strings.Builder{}}}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := tr.run(ctx); err == nil || !strings.Contains(err.Error(), "what came back differs") {
		t.Errorf("transfer = %v, want that it differs", err)
	}
}

func TestDemoEndsAtItsDeadline(t *testing.T) {
	s := &scene{peer: deaf{echo: func(net.Conn) {}}, addrs: []netip.Addr{netip.MustParseAddr("192.0.2.2")}}
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, errors.New("not done after 50ms"))
	defer cancel()
	var out strings.Builder
	if err := play(ctx, s, Options{Size: 1 << 20, Out: &out}); err == nil || !strings.Contains(out.String(), "not done after 50ms") {
		t.Errorf("play = %v\n%s", err, out.String())
	}
}

func TestAccountOfACheck(t *testing.T) {
	r := result{text: "20 sent, 20 came back", figures: "fast", more: []string{"below"}}
	tests := []struct {
		style term.Style
		want  string
	}{
		{term.Style{}, "  ok      ping                20 sent, 20 came back                 fast\n          below\n  FAILED  ping                broken\n"},
		{term.Style{Live: true, Color: true}, "\r\x1b[K  \x1b[2m…\x1b[0m  ping" +
			"\r\x1b[K  \x1b[32m✓\x1b[0m  ping                20 sent, 20 came back                 fast\n  \x1b[2m \x1b[0m  \x1b[2mbelow\x1b[0m\n" +
			"\r\x1b[K  \x1b[31m✗\x1b[0m  ping                broken\n"},
	}
	for _, tt := range tests {
		var out strings.Builder
		s := &screen{out: &out, style: tt.style}
		s.begin("ping")
		s.end("ping", r, nil)
		s.end("ping", result{}, errors.New("broken"))
		if out.String() != tt.want {
			t.Errorf("got\n%q\nwant\n%q", out.String(), tt.want)
		}
	}
}

func TestAmountsAndRatesAreReadable(t *testing.T) {
	for n, want := range map[int64]string{512: "512 octets", 1536: "1.5 KiB", 64 << 20: "64 MiB", 1 << 30: "1 GiB"} {
		if got := amount(n); got != want {
			t.Errorf("amount(%d) = %s, want %s", n, got, want)
		}
	}
	if got := rate(1e9, time.Second); got != "8.0 Gbit/s" {
		t.Errorf("rate = %s", got)
	}
	if got := rate(1e6, time.Second); got != "8 Mbit/s" {
		t.Errorf("rate = %s", got)
	}
	if got := bar(3, 4, 8); got != "[██████··]" {
		t.Errorf("bar = %s", got)
	}
}
