package stack_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/stack/link/pipe"
)

func checkDeadlines(t *testing.T, c net.Conn) {
	t.Helper()
	b := make([]byte, 100)
	c.SetReadDeadline(time.Now().Add(-time.Second))
	if _, err := c.Read(b); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("read past its deadline: %v", err)
	}
	c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	if _, err := c.Read(b); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("read until its deadline: %v", err)
	}
	var ne net.Error
	if _, err := c.Read(b); !errors.As(err, &ne) || !ne.Timeout() {
		t.Fatalf("%v is no timeout", err)
	}
	c.SetReadDeadline(time.Time{})
	time.AfterFunc(20*time.Millisecond, func() { c.SetReadDeadline(time.Now()) })
	if _, err := c.Read(b); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("read whose deadline moved: %v", err)
	}
	c.SetReadDeadline(time.Time{})
	time.AfterFunc(20*time.Millisecond, func() { c.Close() })
	if _, err := c.Read(b); !errors.Is(err, net.ErrClosed) {
		t.Fatalf("read while closed: %v", err)
	}
	if _, err := c.Write(b); !errors.Is(err, net.ErrClosed) {
		t.Fatalf("write after close: %v", err)
	}
}

func TestBytesArriveWholeBothWaysAtOnce(t *testing.T) {
	for _, opt := range []pipe.Options{{}, {Offload: true}, {MTU: 1280, QueueFrames: 4}, {MTU: 9000}} {
		for _, host := range []string{"192.0.2.2", "2001:db8::2"} {
			a, b := pair(t, opt, stack.Config{})
			ca, cb := connect(t, a, b, host)
			const size = 8 << 20
			var wg sync.WaitGroup
			for i, c := range []net.Conn{ca, cb} {
				wg.Go(func() { sendRandom(t, c, uint64(i), size) })
				wg.Go(func() { wantRandom(t, c, uint64(1-i), size) })
			}
			wg.Wait()
			ca.Close()
			cb.Close()
			a.Close()
			b.Close()
			noneHeld(t, a)
			noneHeld(t, b)
		}
	}
}

func sendRandom(t *testing.T, c net.Conn, seed uint64, n int) {
	if _, err := io.CopyN(c, rand.NewChaCha8(seedOf(seed)), int64(n)); err != nil {
		t.Error(err)
	}
	if err := c.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Error(err)
	}
}

func wantRandom(t *testing.T, c net.Conn, seed uint64, n int) {
	got, want := sha256.New(), sha256.New()
	io.CopyN(want, rand.NewChaCha8(seedOf(seed)), int64(n))
	k, err := io.Copy(got, c)
	if err != nil || k != int64(n) || !bytes.Equal(got.Sum(nil), want.Sum(nil)) {
		t.Errorf("got %d of %d octets, err %v, or they are not the ones sent", k, n, err)
	}
}

func seedOf(n uint64) (s [32]byte) {
	s[0] = byte(n + 1)
	return s
}

func TestErrorsAreTheKernels(t *testing.T) {
	a, b := pair(t, pipe.Options{}, stack.Config{})
	for _, host := range []string{"192.0.2.2", "2001:db8::2"} {
		_, err := a.Dial("tcp", net.JoinHostPort(host, "9"))
		wantErrno(t, err, syscall.ECONNREFUSED)

		c, err := a.Dial("udp", net.JoinHostPort(host, "9"))
		if err != nil {
			t.Fatal(err)
		}
		c.Write([]byte("anybody?"))
		c.SetReadDeadline(time.Now().Add(30 * time.Second))
		_, err = c.Read(make([]byte, 10))
		wantErrno(t, err, syscall.ECONNREFUSED)
		c.Close()

		l, err := b.Listen("tcp", net.JoinHostPort(host, "80"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = b.Listen("tcp", ":80")
		wantErrno(t, err, syscall.EADDRINUSE)
		l.Close()
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("accept on a closed listener: %v", err)
		}
		_, err = a.Listen("tcp", net.JoinHostPort(host, "80"))
		wantErrno(t, err, syscall.EADDRNOTAVAIL)
	}
	lone := newStack(t, nil, nil, stack.Config{})
	_, err := lone.Dial("tcp", "203.0.113.1:80")
	wantErrno(t, err, syscall.ENETUNREACH)
	_, err = a.Dial("tcp", "no.such.name:80")
	var dns *net.DNSError
	if !errors.As(err, &dns) {
		t.Errorf("dial of a name: %v", err)
	}
}

func wantErrno(t *testing.T, err error, want syscall.Errno) {
	t.Helper()
	var op *net.OpError
	if !errors.Is(err, want) || !errors.As(err, &op) {
		t.Errorf("error %v, want a *net.OpError around %v", err, want)
	}
}

func TestResetReachesReaderAndWriter(t *testing.T) {
	a, b := pair(t, pipe.Options{}, stack.Config{})
	ca, cb := connect(t, a, b, "192.0.2.2")
	cb.(interface{ SetLinger(int) error }).SetLinger(0)
	cb.Close()
	ca.SetDeadline(time.Now().Add(30 * time.Second))
	_, err := ca.Read(make([]byte, 1))
	wantErrno(t, err, syscall.ECONNRESET)
	if _, err := ca.Write([]byte("x")); err == nil {
		t.Error("write on a reset connection succeeded")
	}
}

func TestDialEndsWithItsContext(t *testing.T) {
	da, _ := pipe.New(pipe.Options{}) // nobody reads the far end
	a := newStack(t, da, near, stack.Config{})
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err := a.DialContext(ctx, "tcp", "192.0.2.2:80")
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("dial past its context: %v", err)
	}
	var ne net.Error
	if !errors.As(err, &ne) || !ne.Timeout() {
		t.Errorf("%v is no timeout", err)
	}
	a.Close()
	noneHeld(t, a)
}

func TestCloseEndsEveryGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	a, b := pair(t, pipe.Options{}, stack.Config{})
	l, err := b.Listen("tcp", ":80")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() { // blocked in Accept, then in Read, when the stack closes
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { io.Copy(io.Discard, c) })
		}
	})
	for range 20 {
		c, err := a.Dial("tcp", "192.0.2.2:80")
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() { io.Copy(c, rand.NewChaCha8(seedOf(1))) })
	}
	pc, err := a.ListenPacket("udp", ":53")
	if err != nil {
		t.Fatal(err)
	}
	wg.Go(func() { pc.ReadFrom(make([]byte, 10)) })
	time.Sleep(50 * time.Millisecond)
	a.Close()
	b.Close()
	wg.Wait()
	for range 3000 { // a goroutine that has ended is counted a moment longer
		if runtime.NumGoroutine() <= before {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if n := runtime.NumGoroutine(); n > before {
		buf := make([]byte, 1<<16)
		t.Errorf("%d goroutines, %d before:\n%s", n, before, buf[:runtime.Stack(buf, true)])
	}
	noneHeld(t, a)
	noneHeld(t, b)
}

func TestPingAndItsErrors(t *testing.T) {
	a, _ := pair(t, pipe.Options{}, stack.Config{})
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, dst := range []string{"192.0.2.2", "2001:db8::2", "127.0.0.1", "::1", "192.0.2.1"} {
		for _, size := range []int{0, 56, 1472, 1473, 60000} {
			r, err := a.Ping(ctx, netip.MustParseAddr(dst), stack.PingOptions{Size: size})
			if err != nil {
				t.Errorf("ping %s with %d octets: %v", dst, size, err)
				continue
			}
			if want := max(size, 0); size != 0 && r.Size != want || r.From.String() != dst {
				t.Errorf("ping %s: got %+v", dst, r)
			}
		}
	}
	soon, cancelSoon := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancelSoon()
	if _, err := a.Ping(soon, netip.MustParseAddr("203.0.113.9"), stack.PingOptions{HopLimit: 1}); err == nil {
		t.Error("a ping beyond the far host, which is no router, was answered")
	}
}

func TestUDPCarriesEverySizeBothFamilies(t *testing.T) {
	for _, offload := range []bool{false, true} {
		a, b := pair(t, pipe.Options{Offload: offload}, stack.Config{})
		pc, err := b.ListenPacket("udp", ":7")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			buf := make([]byte, 1<<16)
			for {
				n, from, err := pc.ReadFrom(buf)
				if err != nil {
					return
				}
				pc.WriteTo(buf[:n], from)
			}
		}()
		for _, host := range []string{"192.0.2.2", "2001:db8::2"} {
			c, err := a.Dial("udp", net.JoinHostPort(host, "7"))
			if err != nil {
				t.Fatal(err)
			}
			c.SetDeadline(time.Now().Add(time.Minute))
			for _, n := range []int{0, 1, 2, 1431, 1432, 1433, 1472, 1473, 9000, 60000, 65507} {
				sent := make([]byte, n)
				rand.NewChaCha8(seedOf(uint64(n))).Read(sent)
				if _, err := c.Write(sent); err != nil {
					t.Fatalf("%s, %d octets: %v", host, n, err)
				}
				got := make([]byte, 1<<16)
				k, err := c.Read(got)
				if err != nil || !bytes.Equal(got[:k], sent) {
					t.Fatalf("%s, %d octets: got %d, %v", host, n, k, err)
				}
			}
			_, err = c.Write(make([]byte, 1<<16))
			wantErrno(t, err, syscall.EMSGSIZE)
			c.Close()
		}
		pc.Close()
		a.Close()
		b.Close()
		noneHeld(t, a)
		noneHeld(t, b)
	}
}
