package shard

import (
	"bytes"
	"testing"

	"github.com/weirnet/weir/stack/tcp"
	"github.com/weirnet/weir/stack/wire"
)

// With SoftwareGSO a burst, of half the window here, is cut at the last moment: its last segment alone
// has PSH, although more text follows. So Linux sends, whatever its device can do.
func TestSoftwareGSOCutsBurstsForAPlainDevice(t *testing.T) {
	for name, far := range map[string]string{"IPv4": "192.0.2.9:80", "IPv6": "[2001:db8::9]:80"} {
		t.Run(name, func(t *testing.T) {
			s := tcp.LinuxSettings()
			w := newWorld(t, Config{TCP: &s})
			c, _, _ := w.dialPeer(0, "", far)
			una := c.conn.Info().SndUna
			w.write(c, text(30_000))
			list := w.sent(0)
			if len(list) != 10 {
				t.Fatalf("%d segments, want the initial window of 10", len(list))
			}
			for n, p := range list {
				if p.SegmentSize != 0 {
					t.Errorf("segment %d is a super-segment: the device cannot cut", n)
				}
				if got := p.tcp().Flags()&wire.FlagPSH != 0; got != (n == 4 || n == 9) {
					t.Errorf("segment %d of 10: PSH is %v", n, got)
				}
			}
			texts(t, list, una)
		})
	}
}

// What the device does not take of a burst waits, in order, and is neither lost nor sent twice.
func TestSoftwareGSOWaitsForAFullDevice(t *testing.T) {
	s := tcp.LinuxSettings()
	w := newWorld(t, Config{TCP: &s})
	c, _, _ := w.dialPeer(0, "", "192.0.2.9:80")
	una := c.conn.Info().SndUna
	for _, room := range []int{0, 3} {
		w.cables[0].makeRoom(room)
		w.write(c, text(5840))
	}
	for range 20 {
		w.cables[0].makeRoom(1)
		w.settle()
	}
	want := append(text(5840), text(5840)...)
	if got := texts(t, w.sent(0), una); !bytes.Equal(got, want) {
		t.Errorf("%d of %d octets were sent, or not in order", len(got), len(want))
	}
	w.counted("link.e0.drop.backlog_full", 0)
	w.counted("tcp.retransmit.segments", 0)
	w.counted("held.frames", 0)
}

// A burst of small segments is bounded, so that the backlog has room for all of it.
func TestSoftwareGSOBoundsTheSegmentsOfABurst(t *testing.T) {
	s := tcp.LinuxSettings()
	w := newWorld(t, Config{TCP: &s})
	c, _, _ := w.dialPeer(0, "", "192.0.2.9:80")
	if got, want := c.maxSegment(100), 100*maxBacklog/2; got != want {
		t.Errorf("%d octets at once in segments of 100, want %d", got, want)
	}
	if got := c.maxSegment(1460); got != maxPayload {
		t.Errorf("%d octets at once in segments of 1460, want %d", got, maxPayload)
	}
}
