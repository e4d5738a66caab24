package chargen

import (
	"bufio"
	"bytes"
	"net"
	"strings"
	"testing"

	"github.com/weirnet/weir/apps/serve/servetest"
)

// The first two lines and the 95th of the pattern that RFC 864 shows.
const (
	line0  = " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefg\r\n"
	line1  = "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefgh\r\n"
	line94 = "~ !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdef\r\n"
)

func TestStreamIsThePatternOfTheRFC(t *testing.T) {
	for _, f := range servetest.Families {
		t.Run(f.Name, func(t *testing.T) {
			c := servetest.Dial(t, "tcp", servetest.TCP(t, f.Host, Service()))
			r := bufio.NewReader(c)
			want := map[int]string{0: line0, 1: line1, 94: line94, 95: line0}
			lines := 3 * len(stream) / lineLen // over the seam of one write and the next
			want[lines-1] = line94
			for i := range lines {
				line, err := r.ReadString('\n')
				if err != nil {
					t.Fatalf("line %d: %v", i, err)
				}
				if w, ok := want[i]; ok && line != w {
					t.Errorf("line %d is %q, want %q", i, line, w)
				}
			}
		})
	}
}

func TestHalfClosedPeerIsStillSentTo(t *testing.T) {
	c := servetest.Dial(t, "tcp", servetest.TCP(t, "127.0.0.1", Service()))
	c.Write([]byte("any data received is thrown away"))
	c.(*net.TCPConn).CloseWrite()
	r := bufio.NewReader(c)
	for range 100_000 {
		if _, err := r.ReadSlice('\n'); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPeerThatReadsNothingDoesNotKeepTheServerRunning(t *testing.T) {
	var c net.Conn
	t.Run("server", func(t *testing.T) { // its end stops the server, which waits for the handler
		addr := servetest.TCP(t, "127.0.0.1", Service())
		var err error
		if c, err = net.Dial("tcp", addr); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	})
	c.Close()
}

func TestDatagramIsAnsweredWithUpTo512Characters(t *testing.T) {
	for _, f := range servetest.Families {
		t.Run(f.Name, func(t *testing.T) {
			c := servetest.Dial(t, "udp", servetest.UDP(t, f.Host, Service()))
			buf := make([]byte, 2000)
			sizes := map[int]bool{}
			for range 50 {
				if _, err := c.Write([]byte("the data received is ignored")); err != nil {
					t.Fatal(err)
				}
				n, err := c.Read(buf)
				if err != nil {
					t.Fatal(err)
				}
				if n > MaxDatagram || !bytes.Equal(buf[:n], stream[:n]) {
					t.Errorf("answer of %d octets: %q", n, buf[:n])
				}
				sizes[n] = true
			}
			if len(sizes) < 10 {
				t.Errorf("50 answers have only %d different sizes", len(sizes))
			}
		})
	}
}

func TestPatternIsPrintable(t *testing.T) {
	if i := strings.IndexFunc(string(stream), func(r rune) bool {
		return (r < ' ' || r > '~') && r != '\r' && r != '\n'
	}); i >= 0 {
		t.Errorf("character %q at %d", stream[i], i)
	}
	if len(stream)%cycle != 0 {
		t.Errorf("%d octets are no whole number of cycles of %d", len(stream), cycle)
	}
}
