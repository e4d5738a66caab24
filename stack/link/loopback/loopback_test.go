package loopback

import (
	"bytes"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/link/internal/testpacket"
)

func TestWritesComeBackAsReads(t *testing.T) {
	d := New("")
	defer d.Close()
	super := testpacket.New(testpacket.Spec{Payload: make([]byte, 60000), SegmentSize: 1460, Checksum: link.ChecksumPartial}).Wire()
	large := testpacket.New(testpacket.Spec{V6: true, UDP: true, Payload: make([]byte, 65000), Checksum: link.ChecksumPartial}).Wire()
	if n, err := d.WriteFrames(0, [][]byte{super, large}); n != 2 || err != nil {
		t.Fatalf("WriteFrames = %d, %v", n, err)
	}
	bufs, sizes := [][]byte{make([]byte, link.FrameSize), make([]byte, link.FrameSize)}, make([]int, 2)
	if n, err := d.ReadFrames(0, bufs, sizes); n != 2 || err != nil {
		t.Fatalf("ReadFrames = %d, %v", n, err)
	}
	if !bytes.Equal(bufs[0][:sizes[0]], super) || !bytes.Equal(bufs[1][:sizes[1]], large) {
		t.Error("what came back differs from what was written")
	}
	if d.Name() != "lo" || d.MTU() != 65536 || d.Features()&link.FeatureHostTSO6 == 0 {
		t.Errorf("%s, MTU %d, features %#x", d.Name(), d.MTU(), d.Features())
	}
}

func TestFullLoopbackCallsBackAndCloseWakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := New("lo1")
		called := false
		d.OnWritable(func() { called = true })
		f := testpacket.New(testpacket.Spec{Payload: make([]byte, 100)}).Wire()
		wrote := 0
		for n := 1; n > 0; wrote += n {
			n, _ = d.WriteFrames(0, [][]byte{f})
		}
		ended := make(chan error)
		go func() {
			bufs, sizes := [][]byte{make([]byte, 2000)}, make([]int, 1)
			for {
				if _, err := d.ReadFrames(0, bufs, sizes); err != nil {
					ended <- err
					return
				}
			}
		}()
		time.Sleep(time.Second)
		if s := d.Stats(); !called || s.Read != uint64(wrote) {
			t.Errorf("called back %v, read %d of %d", called, s.Read, wrote)
		}
		d.Close()
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("ReadFrames = %v, want net.ErrClosed", err)
		}
		if d.InUse() != 0 {
			t.Errorf("%d frames leaked", d.InUse())
		}
	})
}
