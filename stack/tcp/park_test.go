package tcp

import (
	"reflect"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/tcp/cc"
)

// parked is an established connection that was busy and is parked now.
func parked(t *testing.T, with ...func(*dialogue)) *dialogue {
	t.Helper()
	d := established(t, with...)
	d.c.Write(d.now, []byte("text"))
	d.want("what was written", "PA", 1, 1, text("text"))
	d.now = d.now.Add(10 * time.Millisecond)
	d.in("A", 1, 5)
	d.in("PA", 1, 5, text("an answer"))
	d.c.Read(d.now, make([]byte, 100))
	d.advance(time.Second)
	d.drain()
	if !d.c.Park() || !d.c.parked() {
		t.Fatal("an idle connection is not parked")
	}
	return d
}

// Whatever a user or a driver calls, nobody writes to what all idle connections share. Every
// exported method is called, with no arguments to speak of.
func TestParkedConnectionsWriteToNothingShared(t *testing.T) {
	typ := reflect.TypeFor[*Conn]()
	for i := range typ.NumMethod() {
		m := typ.Method(i)
		for name, set := range map[string]func(*dialogue){
			"weir": func(*dialogue) {}, "linux": func(d *dialogue) { d.set = LinuxSettings() }, "freebsd": func(d *dialogue) { d.set = FreeBSDSettings() },
		} {
			t.Run(name+"/"+m.Name, func(t *testing.T) {
				var c *Conn
				if name == "weir" {
					c = &parked(t, set).c
				} else {
					d := established(t, set)
					if d.drain(); !d.c.Park() {
						t.Fatal("an idle connection is not parked")
					}
					c = &d.c
				}
				callWithAnything(m, c)
				if err := checkShared(); err != nil {
					t.Fatal(err)
				}
				var zero Conn
				switch m.Name {
				case "Accept", "Connect", "TimeWait", "HalfOpen", "HeedsPathMTU":
				default:
					callWithAnything(m, &zero) // may be asked before it is opened
				}
				if err := checkShared(); err != nil {
					t.Fatalf("before it is opened: %v", err)
				}
			})
		}
	}
}

// callWithAnything calls a method with a value of each type that it wants: numbers are 1, and
// pointers lead to something.
func callWithAnything(m reflect.Method, c *Conn) {
	args := []reflect.Value{reflect.ValueOf(c)}
	for i := 1; i < m.Type.NumIn(); i++ {
		args = append(args, anything(m.Type.In(i), c))
	}
	m.Func.Call(args)
}

func anything(t reflect.Type, c *Conn) reflect.Value {
	v := reflect.New(t).Elem()
	switch {
	case t == reflect.TypeFor[*Config]():
		set := DefaultSettings()
		return reflect.ValueOf(&Config{Settings: &set, Counters: new(Counters), Pool: c.pool, MSS: 1000})
	case t.Kind() == reflect.Pointer:
		return reflect.New(t.Elem())
	case t.Kind() == reflect.Slice:
		return reflect.MakeSlice(t, 1, 1)
	case v.CanInt():
		v.SetInt(1)
	case v.CanUint():
		v.SetUint(1)
	case t.Kind() == reflect.Bool:
		v.SetBool(true)
	}
	return v
}

// What Info tells is the same of a parked connection.
func TestInfoOfAParkedConnection(t *testing.T) {
	for _, k := range []cc.Kind{cc.Reno, cc.CUBIC} {
		for _, segments := range []bool{false, true} {
			d := parked(t, func(d *dialogue) { d.set.CC, d.set.CwndInSegments = k, segments })
			d.c.wake()
			d.c.Write(d.now, make([]byte, 1700))
			d.drain()
			d.now = d.now.Add(time.Millisecond)
			d.in("A", 10, 1005)
			d.in("A", 10, 1705)
			for d.c.parked() {
				t.Fatal("a connection that was written to is parked")
			}
			d.c.Output(d.now, &d.got, d.buf)
			before := d.c.InfoAt(d.now)
			if !d.c.Park() {
				t.Fatal("an idle connection is not parked")
			}
			if after := d.c.InfoAt(d.now); after != before {
				t.Errorf("%v: %+v\nthen %+v", k, before, after)
			}
			if before.Cwnd == 0 || before.SRTT == 0 || before.Congestion != k.String() {
				t.Errorf("%v: %+v", k, before)
			}
		}
	}
}

// What is queued, outstanding, out of order, delayed or due is not given up.
func TestBusyConnectionsAreNotParked(t *testing.T) {
	for name, f := range map[string]func(d *dialogue){
		"unread":       func(d *dialogue) { d.in("PA", 10, 5, text("text")); d.advance(time.Second); d.drain() },
		"unsent":       func(d *dialogue) { d.c.Write(d.now, []byte("text")) },
		"outstanding":  func(d *dialogue) { d.c.Write(d.now, []byte("text")); d.drain() },
		"out of order": func(d *dialogue) { d.in("PA", 20, 5, text("text")); d.drain() },
		"delayed ACK": func(d *dialogue) {
			d.in("PA", 10, 5, text("text"))
			d.c.Read(d.now, make([]byte, 10))
			d.drain()
		},
		"due":     func(d *dialogue) { d.in("A", 5, 5) },
		"closing": func(d *dialogue) { d.c.Close(d.now); d.drain() },
	} {
		t.Run(name, func(t *testing.T) {
			d := parked(t)
			f(d)
			if d.c.Park() || d.c.parked() {
				t.Error("it is parked")
			}
		})
	}
}

// A connection that has met congestion goes on from what it knew.
func TestParkingForgetsNoLoss(t *testing.T) {
	d := parked(t, func(d *dialogue) { d.set.CC = cc.CUBIC })
	d.c.Write(d.now, make([]byte, 3000))
	d.drain()
	d.advance(3 * time.Second)
	d.drain()
	d.in("A", 10, 3005)
	d.drain()
	d.c.wake()
	control, rec := d.c.cc, d.c.loss.rec
	if !d.c.Park() {
		t.Fatal("an idle connection is not parked")
	}
	if d.c.wake(); d.c.cc != control || d.c.loss.rec != rec || rec == nil {
		t.Error("what was known of losses is gone")
	}
	if d.c.parkedCC == nil {
		t.Error("nothing was kept")
	}
}
