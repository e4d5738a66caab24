package echo_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"testing"

	"github.com/weirnet/weir/apps/echo"
	"github.com/weirnet/weir/apps/serve/servetest"
)

func TestStreamComesBackWholeAfterHalfClose(t *testing.T) {
	for _, f := range servetest.Families {
		t.Run(f.Name, func(t *testing.T) {
			c := servetest.Dial(t, "tcp", servetest.TCP(t, f.Host, echo.Service()))
			sent := make([]byte, 8<<20)
			rand.NewChaCha8([32]byte{1}).Read(sent)
			go func() {
				c.Write(sent)
				c.(*net.TCPConn).CloseWrite()
			}()
			got, err := io.ReadAll(c)
			if err != nil || !bytes.Equal(got, sent) {
				t.Errorf("sent %d octets, %d came back, equal %v, %v", len(sent), len(got), bytes.Equal(got, sent), err)
			}
		})
	}
}

func TestDatagramsComeBackOneForOne(t *testing.T) {
	for _, f := range servetest.Families {
		t.Run(f.Name, func(t *testing.T) {
			c := servetest.Dial(t, "udp", servetest.UDP(t, f.Host, echo.Service()))
			buf := make([]byte, 1<<16)
			for _, size := range []int{0, 1, 100, 1472, 9000, 65507} {
				sent := bytes.Repeat([]byte{byte(size)}, size)
				if _, err := c.Write(sent); err != nil {
					t.Fatalf("%d octets: %v", size, err)
				}
				n, err := c.Read(buf)
				if err != nil || !bytes.Equal(buf[:n], sent) {
					t.Errorf("sent %d octets, %d came back, %v", size, n, err)
				}
			}
		})
	}
}

// half is a connection that counts how often its sending half is closed.
type half struct {
	net.Conn
	closed int
}

func (h *half) CloseWrite() error { h.closed++; return nil }

func TestOurHalfIsClosedAfterThePeers(t *testing.T) {
	near, far := net.Pipe()
	go func() {
		far.Write([]byte("hello"))
		io.ReadFull(far, make([]byte, 5))
		far.Close()
	}()
	h := &half{Conn: near}
	echo.ServeConn(h)
	if h.closed != 1 {
		t.Errorf("our half was closed %d times, want once", h.closed)
	}
}
