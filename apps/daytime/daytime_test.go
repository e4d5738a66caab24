package daytime_test

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/weirnet/weir/apps/daytime"
	"github.com/weirnet/weir/apps/serve/servetest"
)

const layout = "Monday, January 2, 2006 15:04:05-MST\r\n"

func TestLineHasTheSyntaxThatTheRFCRecommends(t *testing.T) {
	pst := time.FixedZone("PST", -8*3600)
	got := string(daytime.Append(nil, time.Date(1982, time.February, 22, 17, 37, 43, 0, pst)))
	if want := "Tuesday, February 23, 1982 01:37:43-UTC\r\n"; got != want {
		t.Errorf("line %q, want %q", got, want)
	}
}

func TestTimeIsToldAndTheConnectionClosed(t *testing.T) {
	for _, f := range servetest.Families {
		t.Run(f.Name, func(t *testing.T) {
			c := servetest.Dial(t, "tcp", servetest.TCP(t, f.Host, daytime.Service()))
			if _, err := c.Write([]byte("any data received is thrown away")); err != nil {
				t.Fatal(err)
			}
			line, err := io.ReadAll(c)
			checkTime(t, string(line), err)
			c.(*net.TCPConn).CloseWrite()
		})
	}
}

func TestDatagramIsAnsweredWithTheTime(t *testing.T) {
	for _, f := range servetest.Families {
		t.Run(f.Name, func(t *testing.T) {
			c := servetest.Dial(t, "udp", servetest.UDP(t, f.Host, daytime.Service()))
			if _, err := c.Write(nil); err != nil {
				t.Fatal(err)
			}
			buf := make([]byte, 100)
			n, err := c.Read(buf)
			checkTime(t, string(buf[:n]), err)
		})
	}
}

func checkTime(t *testing.T, line string, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	told, err := time.Parse(layout, line)
	if err != nil {
		t.Fatal(err)
	}
	if d := time.Since(told).Abs(); d > time.Minute {
		t.Errorf("told %q, %v off", line, d)
	}
}
