package tcp

import (
	"testing"
	"time"
	"unsafe"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/wire"
)

// "TIME-WAIT … are small records of their own, not connections."
func TestTimeWaitRecordIsSmall(t *testing.T) {
	if n := unsafe.Sizeof(TimeWait{}); n > 64 {
		t.Errorf("%d octets", n)
	}
	if n := unsafe.Sizeof(Conn{}); n > 456 {
		t.Errorf("a connection has %d octets", n)
	}
}

func inTimeWait(t *testing.T) (*dialogue, TimeWait) {
	d := statesOf()[8].reach(t)
	return d, d.c.TimeWait()
}

// RFC 9293 §3.10.7.4 fifth: "The only thing that can arrive in this state is a
// retransmission of the remote FIN. Acknowledge it, and restart the 2 MSL timeout."
func TestTimeWaitAcknowledgesTheFinAgain(t *testing.T) {
	d, w := inTimeWait(t)
	var reply Segment
	later := d.now.Add(10 * time.Second)
	if v := w.Input(later, d.segment("FA", 1, 2, nil), &reply); v != TimeWaitReply {
		t.Fatalf("verdict %v", v)
	}
	if reply.Flags != wire.FlagACK || reply.Seq != d.iss.Add(2) || reply.Ack != d.irs.Add(2) {
		t.Errorf("reply %+v", reply)
	}
	if w.Deadline() != later.Add(2*d.set.MSL) {
		t.Errorf("deadline %v", w.Deadline())
	}
}

// The connection itself does the same while the driver has not put the record in its place.
func TestConnInTimeWaitDoesAsTheRecord(t *testing.T) {
	d, _ := inTimeWait(t)
	d.now = d.now.Add(10 * time.Second)
	d.in("FA", 1, 2)
	d.want("the FIN again", "A", 2, 2)
	if got := d.c.Deadline(); got != d.now.Add(2*d.set.MSL) {
		t.Errorf("deadline %v", got)
	}
}

// RFC 9293 §3.6.1, RFC 6191 §2: which SYN may begin a new connection.
func TestTimeWaitReuse(t *testing.T) {
	for _, tc := range []struct {
		name    string
		stamped bool
		seq     int
		opts    []part
		want    TimeWaitVerdict
	}{
		{"new number", false, 3, nil, TimeWaitReuse},
		{"old number", false, 1, nil, TimeWaitReply},
		{"same number", false, 2, nil, TimeWaitReply},
		{"timestamps are new", false, 1, []part{ts(1, 0)}, TimeWaitReuse},
		{"later timestamp", true, 1, []part{ts(2001, 0)}, TimeWaitReuse},
		{"same timestamp, old number", true, 1, []part{ts(2000, 0)}, TimeWaitReply},
		{"same timestamp, new number", true, 3, []part{ts(2000, 0)}, TimeWaitReuse},
		{"earlier timestamp", true, 3, []part{ts(1999, 0)}, TimeWaitReply},
		{"timestamps are gone, new number", true, 3, nil, TimeWaitReuse},
		{"timestamps are gone, old number", true, 1, nil, TimeWaitReply},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d, w := inTimeWait(t)
			if tc.stamped {
				w.stamped, w.tsRecent = true, 2000
			}
			var reply Segment
			if got := w.Input(d.now, d.segment("S", tc.seq, 0, tc.opts), &reply); got != tc.want {
				t.Errorf("verdict %v, want %v", got, tc.want)
			}
			if w.MinISS().LessEq(w.sndNxt) {
				t.Error("the new connection would overlap the old")
			}
		})
	}
}

// RFC 9293 §3.10.7.4 second, RFC 5961 §3 and RFC 1337.
func TestResetInTimeWait(t *testing.T) {
	d, w := inTimeWait(t)
	var reply Segment
	if v := w.Input(d.now, d.segment("R", 3, 0, nil), &reply); v != TimeWaitReply {
		t.Errorf("not the expected number: %v", v)
	}
	if v := w.Input(d.now, d.segment("R", 1, 0, nil), &reply); v != TimeWaitIgnore {
		t.Errorf("outside the window: %v", v)
	}
	if v := w.Input(d.now, d.segment("R", 2, 0, nil), &reply); v != TimeWaitDead {
		t.Errorf("the expected number: %v", v)
	}
	d.set.IgnoreTimeWaitReset = true
	if v := w.Input(d.now, d.segment("R", 2, 0, nil), &reply); v != TimeWaitIgnore {
		t.Errorf("RFC 1337: %v", v)
	}
}

// Nothing that TIME-WAIT is sent makes it answer ACKs without end.
func TestTimeWaitIgnoresPureAcks(t *testing.T) {
	d, w := inTimeWait(t)
	var reply Segment
	if v := w.Input(d.now, d.segment("A", 2, 2, nil), &reply); v != TimeWaitIgnore {
		t.Errorf("verdict %v", v)
	}
}

// Two ends in TIME-WAIT must not answer each other's acknowledgments for ever, whatever is said of
// congestion in them: neither goes on repeating ECN-Echo there, nor is it a reason to answer.
func TestTimeWaitDoesNotAnswerECNEcho(t *testing.T) {
	for _, name := range ProfileNames() {
		set, _ := ProfileSettings(name)
		ctr := Counters{}
		tw := TimeWait{set: &set, ctr: &ctr, sndNxt: 100, rcvNxt: 200, size: 1000, window: 1000, deadline: clock.Time(time.Minute)}
		var reply Segment
		s := Segment{Seq: 200, Ack: 100, Flags: wire.FlagACK | wire.FlagECE, Window: 1000}
		if v := tw.Input(clock.Time(time.Second), &s, &reply); v != TimeWaitIgnore {
			t.Errorf("%s: an ACK with ECN-Echo gives %v in TIME-WAIT, want nothing", name, v)
		}
	}
}
