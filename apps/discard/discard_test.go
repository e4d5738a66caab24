package discard_test

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/weirnet/weir/apps/discard"
	"github.com/weirnet/weir/apps/serve/servetest"
)

func TestEverythingIsTakenAndNothingSent(t *testing.T) {
	for _, f := range servetest.Families {
		t.Run(f.Name, func(t *testing.T) {
			c := servetest.Dial(t, "tcp", servetest.TCP(t, f.Host, discard.Service()))
			if _, err := c.Write(make([]byte, 8<<20)); err != nil {
				t.Fatal(err)
			}
			c.(*net.TCPConn).CloseWrite()
			if got, err := io.ReadAll(c); len(got) != 0 || err != nil {
				t.Errorf("read %d octets, %v; want none and the end", len(got), err)
			}
		})
	}
}

func TestDatagramsAreNotAnswered(t *testing.T) {
	c := servetest.Dial(t, "udp", servetest.UDP(t, "127.0.0.1", discard.Service()))
	for range 3 {
		if _, err := c.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
	}
	c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Read = %d, %v; want a timeout", n, err)
	}
}
