package main

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// halfPipe is a pipe whose end of input can be told, as a connection's.
type halfPipe struct {
	net.Conn
	halved chan struct{}
}

func (h halfPipe) CloseWrite() error { close(h.halved); return nil }

func TestExchangeGoesOnUntilThePeerEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		conn := halfPipe{near, make(chan struct{})}
		go func() {
			got := make([]byte, 5)
			io.ReadFull(far, got)
			<-conn.halved // the end of the input is told
			far.Write([]byte("re: " + string(got)))
			far.Close()
		}()
		var out strings.Builder
		err := exchange(t.Context(), conn, strings.NewReader("hello"), &out, exchangeOptions{end: true})
		if err != nil || out.String() != "re: hello" {
			t.Errorf("exchange = %v, printed %q", err, out.String())
		}
	})
}

func TestExchangeEndsWhenNothingMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer far.Close()
		go func() {
			io.ReadFull(far, make([]byte, 2))
			time.Sleep(1900 * time.Millisecond)
			far.Write([]byte("late, but in time"))
		}()
		start := time.Now()
		var out strings.Builder
		err := exchange(t.Context(), near, strings.NewReader("hi"), &out, exchangeOptions{idle: 2 * time.Second})
		if err != nil || out.String() != "late, but in time" {
			t.Errorf("exchange = %v, printed %q", err, out.String())
		}
		if d := time.Since(start); d != 3900*time.Millisecond {
			t.Errorf("ended after %v, want 2s after the last octet", d)
		}
	})
}

func TestInterruptEndsAnExchange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer far.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		in, typing := io.Pipe() // nobody types
		defer typing.Close()
		if err := exchange(ctx, near, in, io.Discard, exchangeOptions{}); err != nil {
			t.Errorf("exchange = %v, want nil", err)
		}
	})
}

// refusing fails to be written to as a datagram socket does whose peer is not there.
type refusing struct{ net.Conn }

func (refusing) Write([]byte) (int, error) { return 0, syscall.ECONNREFUSED }

func TestExchangeFailsWithTheErrorOfTheWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer far.Close()
		err := exchange(t.Context(), refusing{near}, strings.NewReader("hi"), io.Discard, exchangeOptions{datagrams: true})
		if !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("exchange = %v, want %v", err, syscall.ECONNREFUSED)
		}
	})
}

func TestFirstDatagramChoosesThePeer(t *testing.T) {
	local := func() *net.UDPConn {
		pc, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { pc.Close() })
		pc.SetDeadline(time.Now().Add(time.Minute))
		return pc
	}
	server, first, other := local(), local(), local()
	first.WriteTo([]byte("first"), server.LocalAddr())
	c, err := awaitDatagram(t.Context(), server)
	if err != nil {
		t.Fatal(err)
	}
	other.WriteTo([]byte("not for you"), server.LocalAddr())
	first.WriteTo([]byte("second"), server.LocalAddr())
	buf := make([]byte, 100)
	for _, want := range []string{"first", "second"} {
		n, err := c.Read(buf)
		if err != nil || string(buf[:n]) != want {
			t.Errorf("Read = %q, %v; want %q", buf[:n], err, want)
		}
	}
	c.Write([]byte("back"))
	if n, err := first.Read(buf); err != nil || string(buf[:n]) != "back" {
		t.Errorf("the first peer read %q, %v", buf[:n], err)
	}
}
