package main

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirnet/weir/tun"
)

// client is the kernel's TCP at clientPrefix's address.
type client struct {
	ctx        context.Context // its end makes every connection fail
	ns         *tun.Namespace
	congestion string
	hasSources bool
}

// outcome is what a test counted.
type outcome struct {
	count uint64 // octets, requests, …
	took  time.Duration
	sent  uint64 // datagrams; those without an answer are lost
}

// spare is how long a test may take beyond its time before it fails.
const spare = 15 * time.Second

// connect opens n connections to a port, which fail at the end of their time and spare.
func (c *client) connect(n, port int, d time.Duration) (conns []*net.TCPConn, err error) {
	dialer := net.Dialer{Timeout: spare, Control: withCongestion(c.congestion)}
	err = c.ns.Do(func() error {
		for range n {
			conn, err := dialer.DialContext(c.ctx, "tcp4", fmt.Sprintf("%v:%d", stackPrefix.Addr(), port))
			if err != nil {
				return err
			}
			conns = append(conns, conn.(*net.TCPConn))
		}
		return nil
	})
	for _, conn := range conns {
		conn.SetDeadline(time.Now().Add(d + spare))
		context.AfterFunc(c.ctx, func() { conn.SetLinger(0); conn.Close() })
		if err != nil {
			conn.Close()
		}
	}
	return conns, err
}

// each runs f on every connection at the same time, closes them, and returns the sum of what
// f counted and how long all of it took, and the first error.
func each(conns []*net.TCPConn, f func(c *net.TCPConn) (uint64, error)) (outcome, error) {
	var wg sync.WaitGroup
	var total atomic.Uint64
	errs := make([]error, len(conns))
	begin := time.Now()
	for i, c := range conns {
		wg.Go(func() {
			n, err := f(c)
			total.Add(n)
			errs[i] = err
		})
	}
	wg.Wait()
	took := time.Since(begin)
	for _, c := range conns {
		c.Close()
	}
	return outcome{count: total.Load(), took: took}, cmp.Or(errs...)
}

// bulkTo sends for d on n connections and returns how many octets the server read, and the time
// until it had.
func (c *client) bulkTo(n int, d time.Duration) (outcome, error) {
	conns, err := c.connect(n, sinkPort, d)
	if err != nil {
		return outcome{}, err
	}
	end := time.Now().Add(d)
	return each(conns, func(c *net.TCPConn) (uint64, error) {
		buf := make([]byte, bufferSize)
		var sent, read uint64
		for time.Now().Before(end) {
			n, err := c.Write(buf)
			sent += uint64(n)
			if err != nil {
				return 0, err
			}
		}
		if err := c.CloseWrite(); err != nil {
			return 0, err
		}
		if err := binary.Read(c, binary.BigEndian, &read); err != nil {
			return 0, err
		}
		if read != sent {
			return 0, fmt.Errorf("%d octets were sent and %d read", sent, read)
		}
		return read, nil
	})
}

// bulkFrom reads for d on n connections and returns how many octets came.
func (c *client) bulkFrom(n int, d time.Duration) (outcome, error) {
	conns, err := c.connect(n, sourcePort, d)
	if err != nil {
		return outcome{}, err
	}
	end := time.Now().Add(d)
	return each(conns, func(c *net.TCPConn) (got uint64, err error) {
		buf := make([]byte, bufferSize)
		c.SetDeadline(end)
		for {
			n, err := c.Read(buf)
			got += uint64(n)
			switch {
			case errors.Is(err, os.ErrDeadlineExceeded) && got > 0:
				return got, nil
			case err != nil:
				return got, err
			}
		}
	})
}
