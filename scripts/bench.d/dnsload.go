package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/weirnet/weir/apps/bench/hist"
)

// dnsQueries is packed queries for names of a zone of so many, in an order that looks random and is always the same.
func dnsQueries(names, count int) [][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	list := make([][]byte, count)
	for i := range list {
		n := i
		if count < names {
			n = r.IntN(names)
		}
		list[i] = dnsQuery(dnsHost(n))
	}
	if count == names {
		r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	}
	return list
}

// dnsHost is the first label of a host of the zone: names are of different lengths, so that answers are.
func dnsHost(n int) string { return fmt.Sprintf("%.*s%d", 1+n%7, "hostname", n) }

// dnsQuery is a query with EDNS for the address of a host of the zone.
func dnsQuery(host string) []byte {
	p := []byte{0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, byte(len(host))}
	p = append(p, host...)
	p = append(p, dnsZoneWire...)
	return append(p, 0, 1, 0, 1, 0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0)
}

// dnsClient sends queries and takes answers.
type dnsClient struct {
	fd      int
	queries [][]byte
	next    int
	id      uint16
	echo    bool // what comes back is the query itself
	rd      byte
	bad     uint64
	sentAt  [1 << 16]atomic.Int64
	begun   time.Time
	hist    *hist.Histogram // nil: nobody wants to know
}

func (c *client) dnsClient(port int, queries [][]byte, echo, rd bool) (*dnsClient, error) {
	k := &dnsClient{queries: queries, echo: echo, begun: time.Now()}
	if rd {
		k.rd = 1
	}
	return k, c.ns.Do(func() (err error) {
		if k.fd, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0); err != nil {
			return err
		}
		late := unix.NsecToTimeval(int64(udpPatience))
		unix.SetsockoptInt(k.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, clientBuffer)
		unix.SetsockoptInt(k.fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, clientBuffer)
		return errors.Join(unix.SetsockoptTimeval(k.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &late), connectTo(k.fd, port))
	})
}

func (k *dnsClient) close() { unix.Close(k.fd) }

// send sends up to n queries.
func (k *dnsClient) send(b *batch, n int) (int, error) {
	n = min(n, datagramBatch)
	for i := range n {
		q := b.buffers[i][:copy(b.buffers[i][:], k.queries[(k.next+i)%len(k.queries)])]
		binary.BigEndian.PutUint16(q, k.id+uint16(i))
		q[2] = k.rd
		b.vectors[i].Len = uint64(len(q))
		if k.hist != nil {
			k.sentAt[k.id+uint16(i)].Store(int64(time.Since(k.begun)))
		}
	}
	sent, err := b.send(k.fd, n)
	k.next = (k.next + sent) % len(k.queries)
	k.id += uint16(sent)
	return sent, err
}

// receive takes answers and returns how many.
func (k *dnsClient) receive(b *batch) (int, error) {
	n, err := b.receive(k.fd, datagramBatch)
	now := int64(time.Since(k.begun))
	for i := range n {
		p := b.buffers[i][:]
		if !k.echo && (p[2]&0x80 == 0 || p[3]&0x0f != 0 || p[7] == 0) {
			k.bad++
		}
		if k.hist != nil {
			if at := k.sentAt[binary.BigEndian.Uint16(p)].Swap(0); at != 0 {
				k.hist.Record(time.Duration(now - at))
			}
		}
	}
	return n, err
}

// wrong is an error where answers were none.
func (k *dnsClient) wrong(r outcome) error {
	if k.bad > 0 {
		return fmt.Errorf("%d of %d answers have no records", k.bad, r.count)
	}
	return nil
}

// flight keeps n queries on their way.
func (k *dnsClient) flight(n int, d time.Duration) (r outcome, err error) {
	out, in := newBatch(datagramSize), newBatch(2048)
	begin, flying := time.Now(), 0
	for time.Since(begin) < d {
		for flying < n {
			s, err := k.send(out, n-flying)
			if err != nil {
				return r, err
			}
			flying += s
			r.sent += uint64(s)
		}
		s, err := k.receive(in)
		if err != nil {
			return r, err
		}
		r.count += uint64(s)
		if flying -= s; s == 0 {
			flying = 0 // they are lost
		}
	}
	r.took = time.Since(begin)
	return r, k.wrong(r)
}

// flood sends at a rate, or as fast as one thread can where that is 0, while another takes the answers.
func (k *dnsClient) flood(rate int, d time.Duration) (r outcome, err error) {
	done := make(chan error, 1)
	begin := time.Now()
	var took time.Duration
	var sent uint64
	go func() {
		out := newBatch(datagramSize)
		for time.Since(begin) < d {
			n := floodBatch
			if rate > 0 {
				if n = int(float64(rate)*time.Since(begin).Seconds()) - int(sent); n < 1 {
					time.Sleep(50 * time.Microsecond)
					continue
				}
			}
			s, err := k.send(out, n)
			sent += uint64(s)
			if err != nil {
				done <- err
				return
			}
		}
		took = time.Since(begin)
		done <- nil
	}()
	in := newBatch(2048)
	for {
		n, rerr := k.receive(in)
		r.count += uint64(n)
		if n > 0 && rerr == nil {
			continue
		}
		select {
		case err := <-done:
			r.took, r.sent = took, sent
			return r, errors.Join(err, rerr, k.wrong(r))
		default:
			if rerr != nil {
				return r, errors.Join(rerr, <-done)
			}
		}
	}
}
