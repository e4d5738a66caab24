package tun

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// ip4Packet is a UDP datagram from weir4 to a closed port of host4.
func ip4Packet() []byte {
	p := make([]byte, 20+8+4)
	p[0], p[8], p[9] = 0x45, 64, 17
	binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
	copy(p[12:], weir4.AsSlice())
	copy(p[16:], host4.Addr().AsSlice())
	binary.BigEndian.PutUint16(p[10:], ^sum(p[:20]))
	u := p[20:]
	binary.BigEndian.PutUint16(u[0:], 9999)
	binary.BigEndian.PutUint16(u[2:], 9)
	binary.BigEndian.PutUint16(u[4:], 12)
	return p
}

func TestBadFramesAreNamedAndTheRestGoesOn(t *testing.T) {
	eachBackend(t, func(t *testing.T, cfg Config) {
		d := mustOpenUp(t, cfg)
		good := append(make([]byte, vnetLen), ip4Packet()...)
		notIP := append(make([]byte, vnetLen), ip4Packet()...)
		notIP[vnetLen] = 0x05
		odd := append(make([]byte, vnetLen), ip4Packet()...)
		odd[0] = needsCsum
		binary.LittleEndian.PutUint16(odd[6:], 5000)
		gso := append(make([]byte, vnetLen), ip4Packet()...)
		gso[1] = 99
		for _, bad := range [][]byte{notIP, odd, gso, make([]byte, vnetLen), nil} {
			n, err := d.WriteFrames(0, [][]byte{good, bad, good})
			if n != 1 {
				t.Errorf("took %d frames, want 1", n)
			}
			wantLine(t, err, unix.EINVAL, "frame 1 of the batch", d.Name())
		}
		if n, err := d.WriteFrames(0, [][]byte{good, good}); n != 2 || err != nil {
			t.Errorf("after the bad ones: %d, %v", n, err)
		}
		counts := map[string]uint64{}
		d.Counters(func(name string, v uint64) { counts[name] = v })
		if counts["tun.write.drop.refused"] != 5 {
			t.Errorf("counters %v", counts)
		}
	})
}

func TestPacketTooLargeForItsBufferIsDroppedAndCounted(t *testing.T) {
	eachBackend(t, func(t *testing.T, cfg Config) {
		cfg.Queues = min(cfg.Queues, 1) // the flows would go to any
		d := mustOpenUp(t, cfg)
		c, err := net.Dial("udp", netip.AddrPortFrom(weir4, 9).String())
		must(t, err)
		defer c.Close()
		for _, n := range []int{100, 171, 172, 173, 1400, 10} {
			_, err := c.Write(make([]byte, n))
			must(t, err)
		}
		bufs := [][]byte{make([]byte, vnetLen+200), make([]byte, vnetLen+200)}
		sizes := make([]int, 2)
		for _, want := range []int{100, 171, 172, 10} {
			for {
				n, err := d.ReadFrames(0, bufs[:1], sizes)
				if err != nil || n != 1 {
					t.Fatal(n, err)
				}
				if bufs[0][vnetLen]>>4 == 4 { // the kernel speaks of multicast groups meanwhile
					break
				}
			}
			if got := sizes[0] - vnetLen - 28; got != want {
				t.Errorf("datagram of %d octets, want %d", got, want)
			}
		}
		if n := d.counters.readTruncated.Load(); n != 2 {
			t.Errorf("%d counted, want 2", n)
		}
		if _, err := d.ReadFrames(0, [][]byte{make([]byte, 5)}, sizes); !errors.Is(err, unix.EINVAL) {
			t.Errorf("a buffer of 5 octets: %v", err)
		}
		if n, err := d.ReadFrames(0, nil, nil); n != 0 || err != nil {
			t.Errorf("no buffers: %d, %v", n, err)
		}
	})
}

// What waits is read as a batch, in order, by calls that do not sleep.
func TestWaitingPacketsComeAsABatch(t *testing.T) {
	eachBackend(t, func(t *testing.T, cfg Config) {
		cfg.Queues = min(cfg.Queues, 1)
		d := mustOpen(t, cfg)
		must(t, d.AddHostAddress(host4))
		must(t, d.Up())
		c, err := net.Dial("udp", netip.AddrPortFrom(weir4, 9).String())
		must(t, err)
		defer c.Close()
		const sent = 20
		for i := range byte(sent) {
			_, err := c.Write([]byte{i})
			must(t, err)
		}
		bufs, sizes := buffers(8)
		next, calls := byte(0), 0
		for next < sent {
			n, err := d.ReadFrames(0, bufs, sizes)
			must(t, err)
			calls++
			for i := range n {
				if p := bufs[i][vnetLen:sizes[i]]; p[0]>>4 == 4 && p[9] == 17 {
					if p[28] != next {
						t.Fatalf("datagram %d, want %d", p[28], next)
					}
					next++
				}
			}
		}
		if calls > 5 {
			t.Errorf("%d calls for %d packets in batches of %d", calls, sent, len(bufs))
		}
	})
}

func TestWritersDoNotDisturbEachOther(t *testing.T) {
	eachBackend(t, func(t *testing.T, cfg Config) {
		d := mustOpenUp(t, cfg)
		pc, err := net.ListenPacket("udp", netip.AddrPortFrom(host4.Addr(), 9).String())
		must(t, err)
		defer pc.Close()
		must(t, pc.(*net.UDPConn).SetReadBuffer(4<<20))
		const writers, each = 8, 50
		var wg sync.WaitGroup
		for range writers {
			wg.Go(func() {
				frame := append(make([]byte, vnetLen), ip4Packet()...)
				for range each {
					if n, err := d.WriteFrames(0, [][]byte{frame, frame}); n != 2 || err != nil {
						t.Errorf("%d, %v", n, err)
					}
				}
			})
		}
		wg.Wait()
		pc.SetReadDeadline(time.Now().Add(30 * time.Second))
		buf := make([]byte, 100)
		for i := range writers * each * 2 {
			if _, _, err := pc.ReadFrom(buf); err != nil {
				t.Fatalf("after %d datagrams: %v", i, err)
			}
		}
	})
}

// Writers and readers that are under way when Close comes all return.
func TestCloseEndsEverythingUnderWay(t *testing.T) {
	eachBackend(t, func(t *testing.T, cfg Config) {
		d := mustOpenUp(t, cfg)
		ended := startEcho(d)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				frame := append(make([]byte, vnetLen), ip4Packet()...)
				for {
					if _, err := d.WriteFrames(0, [][]byte{frame}); err != nil {
						if !errors.Is(err, d.errClosed) {
							t.Errorf("write: %v", err)
						}
						return
					}
				}
			})
		}
		wg.Go(func() {
			for d.SetMTU(1400) == nil {
			}
		})
		time.Sleep(5 * time.Millisecond)
		must(t, d.Close())
		wg.Wait()
		for range d.Queues() {
			<-ended
		}
	})
}

func TestReadAndWriteAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector drops from sync.Pool on purpose")
	}
	eachBackend(t, func(t *testing.T, cfg Config) {
		cfg.Queues = min(cfg.Queues, 1)
		d := mustOpen(t, cfg)
		must(t, d.AddHostAddress(host4))
		must(t, d.Up())
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		must(t, err)
		defer unix.Close(fd)
		must(t, unix.Connect(fd, &unix.SockaddrInet4{Port: 9, Addr: weir4.As4()}))
		payload := make([]byte, 100)
		frames := [][]byte{append(make([]byte, vnetLen), ip4Packet()...)}
		bufs, sizes := buffers(4)
		if n := testing.AllocsPerRun(300, func() {
			unix.Write(fd, payload)
			if _, err := d.ReadFrames(0, bufs, sizes); err != nil {
				t.Fatal(err)
			}
			if _, err := d.WriteFrames(0, frames); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%v allocations for a read and a write", n)
		}
		must(t, d.Down())
		if n := testing.AllocsPerRun(100, func() { d.WriteFrames(0, frames) }); n != 0 {
			t.Errorf("%v allocations for a write while down", n)
		}
	})
}
