package tcp

import (
	"testing"
	"time"
)

// What Linux's struct tcp_info documents, in octets and counts of segments.
func TestInfoCountsWhatHasHappened(t *testing.T) {
	d := established(t)
	d.write(2500)
	d.drain()
	d.now = d.now.Add(100 * time.Millisecond)
	d.in("A", 1, 1001)
	d.in("AP", 1, 1001, octets(300))
	d.in("AP", 500, 1001, octets(300))
	d.now = d.now.Add(50 * time.Millisecond)
	i := d.c.InfoAt(d.now)
	for _, f := range []struct {
		name      string
		got, want int
	}{
		{"acked", int(i.OctetsAcked), 1000}, {"received", int(i.OctetsReceived), 300},
		{"sent", int(i.OctetsSent), 2500}, {"again", int(i.OctetsAgain), 0},
		{"data out", i.DataOut, 3}, {"data in", i.DataIn, 2}, {"out of order", i.OutOfOrderIn, 1},
		{"segments in", i.SegmentsIn, 5}, {"segments out", i.SegmentsOut, 4},
		{"unacked", i.UnackedSegments, 2}, {"unacked octets", i.Unacked, 1500},
		{"since text was sent", int(i.LastDataSent), int(150 * time.Millisecond)},
		{"since text came", int(i.LastDataRecv), int(50 * time.Millisecond)},
		{"since an ACK came", int(i.LastAckRecv), int(50 * time.Millisecond)},
		{"busy", int(i.Busy), int(150 * time.Millisecond)},
		{"state", int(i.CAState), int(CAOpen)}, {"cwnd", i.Cwnd, 10000},
	} {
		if f.got != f.want {
			t.Errorf("%s: %d, want %d", f.name, f.got, f.want)
		}
	}
}

// tcpi_last_data_recv of a connection without text is its age.
func TestInfoCountsTimeFromTheHandshake(t *testing.T) {
	d := connected(t)
	d.now = d.now.Add(time.Second)
	if i := d.c.InfoAt(d.now); i.LastDataRecv != time.Second || i.LastDataSent != time.Second {
		t.Errorf("%v, %v", i.LastDataRecv, i.LastDataSent)
	}
}

func TestInfoTellsWhatHoldsTheSenderUp(t *testing.T) {
	d := established(t, func(d *dialogue) { d.cfg.SendBuffer = 4000 })
	d.in("A", 1, 1, win(1000))
	d.write(2000)
	d.drain()
	d.now = d.now.Add(30 * time.Millisecond)
	d.in("A", 1, 1001, win(10000))
	d.drain()
	d.c.Write(d.now, make([]byte, 5000))
	d.drain()
	d.now = d.now.Add(20 * time.Millisecond)
	i := d.c.InfoAt(d.now)
	if i.WindowLimited != 30*time.Millisecond || i.BufferLimited != 20*time.Millisecond || i.Busy != 50*time.Millisecond {
		t.Errorf("window %v, buffer %v, busy %v", i.WindowLimited, i.BufferLimited, i.Busy)
	}
}

func TestInfoTellsOfTimeouts(t *testing.T) {
	d := established(t)
	d.write(1000)
	d.drain()
	d.toTimer()
	d.drain()
	i := d.c.Info()
	if i.CAState != CALoss || i.Timeouts != 1 || i.Backoff != 1 || i.OctetsAgain != 1000 || i.Retransmits != 1 {
		t.Errorf("%+v", i)
	}
	d.in("A", 1, 1001, win(0))
	d.write(10)
	d.drain()
	d.toTimer()
	d.drain()
	if i = d.c.Info(); i.Probes != 1 || !i.Probing || i.Timeouts != 0 {
		t.Errorf("%d probes, %d timeouts", i.Probes, i.Timeouts)
	}
}
