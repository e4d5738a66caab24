package tcp

import (
	"fmt"
	"reflect"
	"unsafe"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/mem"
)

// The search of small scopes copies a whole world millions of times and asks as often
// whether it has seen it. Both follow a plan that is made once for each type, by
// reflection, so that a field which is new to Conn tomorrow is copied and compared without
// anybody thinking of it.

// shallow are types that worlds share: what is set once, only counted, or a pool.
var shallow = map[reflect.Type]bool{
	reflect.TypeFor[Settings](): true, reflect.TypeFor[Counters](): true, reflect.TypeFor[mem.Pool](): true,
}

// uncompared are fields that tell of the past and decide nothing in the scenes searched, by
// type and name: figures for listings, and instants that only timers look at which are off.
var uncompared = map[string]bool{
	"tcp.Conn.again": true, "tcp.Conn.heardAt": true, "tcp.pending.progressAt": true, "tcp.Conn.sentAt": true,
	"tcp.Conn.stat": true, "tcp.Conn.delivered": true, "tcp.Conn.deliveredCE": true, "tcp.pending.appLimited": true, "tcp.Conn.rate": true,
	"tcp.pending.ratedAt": true, "tcp.pending.limitedAt": true, "tcp.pending.limit": true, "tcp.pending.shortWrite": true,
	"tcp.sent.then": true, "tcp.flight.first": true,
	"tcp.Conn.settled": true, "tcp.flight.clock": true, "tcp.flight.last": true, "tcp.TimeWait.set": true, "tcp.TimeWait.ctr": true,
}

var (
	timeType  = reflect.TypeFor[clock.Time]()
	blockType = reflect.TypeFor[mem.Block]()
)

// plan is how to copy and compare a type.
type plan struct {
	size  uintptr
	flat  bool   // plain octets: nothing to follow
	leafs []leaf // in the order of the fields
}

type leafKind uint8

const (
	leafRaw leafKind = iota
	leafTime
	leafPointer
	leafSlice
	leafInterface
)

type leaf struct {
	kind   leafKind
	silent bool // not compared
	off    uintptr
	size   uintptr
	typ    reflect.Type // what is pointed to, the element, the interface
	elem   *plan
}

type plans map[reflect.Type]*plan

// of returns the plan of a type. It panics where a type has what no state machine should
// hold: a map, a channel, a function.
func (ps plans) of(t reflect.Type) *plan {
	if p := ps[t]; p != nil {
		return p
	}
	p := &plan{size: t.Size(), flat: true}
	ps[t] = p
	ps.walk(p, t, 0, false)
	for _, l := range p.leafs {
		p.flat = p.flat && (l.kind == leafRaw || l.kind == leafTime)
	}
	return p
}

func (ps plans) walk(p *plan, t reflect.Type, off uintptr, silent bool) {
	add := func(l leaf) {
		l.off, l.silent = off, silent
		p.leafs = append(p.leafs, l)
	}
	switch k := t.Kind(); {
	case t == timeType:
		add(leaf{kind: leafTime, size: t.Size()})
	case k == reflect.Struct:
		for f := range t.NumField() {
			sf := t.Field(f)
			ps.walk(p, sf.Type, off+sf.Offset, silent || uncompared[t.String()+"."+sf.Name])
		}
	case k == reflect.Array:
		for i := range t.Len() {
			ps.walk(p, t.Elem(), off+uintptr(i)*t.Elem().Size(), silent)
		}
	case k == reflect.Pointer && shallow[t.Elem()]:
	case k == reflect.Pointer:
		l := leaf{kind: leafPointer, typ: t.Elem()}
		if t.Elem() != blockType {
			l.elem = ps.of(t.Elem())
		}
		add(l)
	case k == reflect.Slice:
		add(leaf{kind: leafSlice, typ: t.Elem(), elem: ps.of(t.Elem())})
	case k == reflect.Interface:
		add(leaf{kind: leafInterface, typ: t})
	case k == reflect.Bool, k >= reflect.Int && k <= reflect.Float64:
		add(leaf{kind: leafRaw, size: t.Size()})
	default:
		panic(fmt.Sprintf("a state machine holds a %v", t))
	}
}

// slice is what a slice is made of.
type slice struct {
	data     unsafe.Pointer
	len, cap int
}

// copier copies values of one root type into others.
type copier struct {
	plans    plans
	src, dst unsafe.Pointer // the roots
	size     uintptr
}

// copyInto makes *dst a deep copy of *src. Blocks of octets are shared, with one more
// owner: every world writes the same octets to the same places of a stream.
func copyInto[T any](c *copier, dst, src *T) {
	p := c.plans.of(reflect.TypeFor[T]())
	*dst = *src
	c.src, c.dst, c.size = unsafe.Pointer(src), unsafe.Pointer(dst), p.size
	c.follow(p, unsafe.Pointer(dst))
}

// follow replaces what the value at v, a flat copy, points to by copies.
func (c *copier) follow(p *plan, v unsafe.Pointer) {
	if p.flat {
		return
	}
	for i := range p.leafs {
		l := &p.leafs[i]
		at := unsafe.Add(v, l.off)
		switch l.kind {
		case leafPointer:
			c.pointer(l, (*unsafe.Pointer)(at))
		case leafSlice:
			c.slice(l, (*slice)(at))
		case leafInterface:
			c.iface(l, at)
		}
	}
}

func (c *copier) pointer(l *leaf, at *unsafe.Pointer) {
	switch {
	case *at == nil:
	case l.typ == blockType:
		(*mem.Block)(*at).Retain()
	default:
		n := reflect.New(l.typ)
		n.Elem().Set(reflect.NewAt(l.typ, *at).Elem())
		*at = n.UnsafePointer()
		c.follow(l.elem, *at)
	}
}

func (c *copier) slice(l *leaf, s *slice) {
	switch {
	case s.data == nil:
		return
	case uintptr(s.data)-uintptr(c.src) < c.size: // into the root itself
		s.data = unsafe.Add(c.dst, uintptr(s.data)-uintptr(c.src))
		return // the root's own fields were followed already, or will be
	case s.cap == 0:
		return
	}
	n := reflect.MakeSlice(reflect.SliceOf(l.typ), s.len, s.len)
	reflect.Copy(n, reflect.NewAt(reflect.SliceOf(l.typ), unsafe.Pointer(s)).Elem())
	s.data, s.cap = n.UnsafePointer(), s.len
	for i := range s.len {
		c.follow(l.elem, unsafe.Add(s.data, uintptr(i)*l.elem.size))
	}
}

func (c *copier) iface(l *leaf, at unsafe.Pointer) {
	v := reflect.NewAt(l.typ, at).Elem()
	if v.IsNil() {
		return
	}
	t := v.Elem().Type().Elem() // every interface in a Conn holds a pointer
	n := reflect.New(t)
	n.Elem().Set(v.Elem().Elem())
	v.Set(n)
	c.follow(c.plans.of(t), n.UnsafePointer())
}

// hasher makes a number of a value that equal values share: instants count by their
// distance from now, pointers by what they point to, and octets not at all.
type hasher struct {
	plans plans
	now   clock.Time
	sum   uint64
}

func (h *hasher) add(v uint64) {
	h.sum ^= v
	h.sum *= 0x9e3779b97f4a7c15
	h.sum ^= h.sum >> 29
}

func (h *hasher) value(p *plan, v unsafe.Pointer) {
	for i := range p.leafs {
		l := &p.leafs[i]
		if l.silent {
			continue
		}
		at := unsafe.Add(v, l.off)
		switch l.kind {
		case leafRaw:
			h.raw(at, l.size)
		case leafTime:
			h.instant(*(*clock.Time)(at))
		case leafPointer:
			h.pointer(l, *(*unsafe.Pointer)(at))
		case leafSlice:
			s := (*slice)(at)
			h.add(uint64(s.len))
			for i := range s.len {
				h.value(l.elem, unsafe.Add(s.data, uintptr(i)*l.elem.size))
			}
		case leafInterface:
			if e := reflect.NewAt(l.typ, at).Elem(); !e.IsNil() {
				h.value(h.plans.of(e.Elem().Type().Elem()), e.Elem().UnsafePointer())
			}
		}
	}
}

func (h *hasher) raw(at unsafe.Pointer, size uintptr) {
	switch size {
	case 1:
		h.add(uint64(*(*uint8)(at)))
	case 2:
		h.add(uint64(*(*uint16)(at)))
	case 4:
		h.add(uint64(*(*uint32)(at)))
	default:
		h.add(*(*uint64)(at))
	}
}

func (h *hasher) instant(t clock.Time) {
	if t != clock.Never && t != 0 {
		t -= h.now
	}
	h.add(uint64(t))
}

func (h *hasher) pointer(l *leaf, to unsafe.Pointer) {
	if to == nil || l.elem == nil {
		h.add(uint64(uintptr(to)&1) + 7)
		return
	}
	h.value(l.elem, to)
}
