package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirnet/weir/stack/event"
)

const piece = 256 << 10

// fill writes the content of a stream from an offset on, both multiples of eight: each word is a
// bijection of its place and stream, so that none may stand in another's place unseen.
func fill(b []byte, stream int, offset int64) {
	for i := 0; i < len(b); i += 8 {
		binary.LittleEndian.PutUint64(b[i:], word(stream, offset+int64(i)))
	}
}

func word(stream int, offset int64) uint64 {
	return (uint64(stream)<<56 | uint64(offset)) * 0x9e3779b97f4a7c15
}

// verify holds what was received against the content.
func verify(b []byte, stream int, offset int64) error {
	for i := 0; i < len(b); i += 8 {
		if got, want := binary.LittleEndian.Uint64(b[i:]), word(stream, offset+int64(i)); got != want {
			return fmt.Errorf("stream %d: at octet %d there is %016x, want %016x", stream, offset+int64(i), got, want)
		}
	}
	return nil
}

func runEcho(ctx context.Context, o *options, say func(string, ...any)) (*result, error) {
	t, err := newOnTUN(o.queues, 1)
	if err != nil {
		return nil, err
	}
	defer t.close()
	_, err = t.stack.ListenEvents("tcp4", ":7", &event.Funcs{Data: (*event.Conn).Write}, event.Options{})
	if err != nil {
		return nil, err
	}
	each := int64(o.sizeGB * 1e9 / float64(o.streams))
	each = max(each/piece, 1) * piece
	total := each * int64(o.streams)
	var moved atomic.Int64
	began, cpu := time.Now(), cpuTime()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	for i := range o.streams {
		all.Go(func() {
			if err := echoStream(ctx, t, i, each, &moved); err != nil {
				cancel(err)
			}
		})
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	watch(done, &moved, total, cancel, say)
	<-done
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	took := time.Since(began)
	r := &result{}
	r.add("octets each way, all right", float64(total), "")
	r.add("streams", float64(o.streams), "")
	r.add("queues", float64(o.queues), "")
	r.add("each way", float64(total)*8/took.Seconds()/1e9, "Gbit/s")
	r.add("processor time of weir and client", (cpuTime()-cpu).Seconds()/(float64(total)/1e9), "s per GB")
	return r, nil
}

// watch tells of progress and ends what stands still.
func watch(done <-chan struct{}, moved *atomic.Int64, total int64, cancel context.CancelCauseFunc, say func(string, ...any)) {
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	last, at := int64(-1), time.Now()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		now := moved.Load()
		say("%.1f of %.1f GB", float64(now)/1e9, float64(total)/1e9)
		if now != last {
			last, at = now, time.Now()
		} else if time.Since(at) > stalled {
			cancel(fmt.Errorf("nothing moves for %v", stalled))
		}
	}
}

// echoStream sends n octets and compares what comes back.
func echoStream(ctx context.Context, t *onTUN, stream int, n int64, moved *atomic.Int64) (err error) {
	var c net.Conn
	err = t.ns.Do(func() (err error) {
		d := net.Dialer{Timeout: stalled}
		c, err = d.DialContext(ctx, "tcp4", netip.AddrPortFrom(weirAddr, 7).String())
		return err
	})
	if err != nil {
		return err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.Close() })()
	sent := make(chan error, 1)
	go func() {
		buf := make([]byte, piece)
		var err error
		for at := int64(0); at < n && err == nil; at += piece {
			fill(buf, stream, at)
			_, err = c.Write(buf)
		}
		if err == nil {
			err = c.(*net.TCPConn).CloseWrite()
		}
		sent <- err
	}()
	err = receiveEcho(c, stream, n, moved)
	if err != nil {
		c.Close() // the sender ends
	}
	return errors.Join(err, <-sent)
}

// receiveEcho compares n octets and holds that the stream then ends.
func receiveEcho(c net.Conn, stream int, n int64, moved *atomic.Int64) error {
	buf := make([]byte, piece)
	have, at := 0, int64(0)
	for {
		k, err := c.Read(buf[have:])
		have += k
		whole := have &^ 7
		if verr := verify(buf[:whole], stream, at); verr != nil {
			return verr
		}
		at += int64(whole)
		moved.Add(int64(whole))
		have = copy(buf, buf[whole:have])
		if err == nil {
			continue
		}
		if at == n && have == 0 && err == io.EOF {
			return nil
		}
		return fmt.Errorf("stream %d ended after %d of %d octets: %w", stream, at, n, err)
	}
}
