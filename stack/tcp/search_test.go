package tcp

import (
	"flag"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"
)

// The search of small scopes: two state machines and a network that may lose, duplicate,
// delay and reorder, and every order in which all that can happen. Each scene is a
// pattern of calls at either end; a world is the scene at one moment. From each world the
// search takes every step that is possible, forgets worlds that it has seen, and ends when
// there are none left: so what it checks holds for every interleaving within the scope,
// which is the number of faults of the network and of expiries of timers.
//
// What it checks of each world: Conn.Check; that the state changed along an edge of RFC 9293
// §3.3.2's diagram; that octets arrived in order and once; and, of a world where nothing is left
// to happen, that both ends are CLOSED, all calls were made, and everything written was
// read unless an end gave up.

var (
	searchMore   = flag.Int("search.more", 0, "more faults of the network than each scene has by default, in the search of small scopes")
	searchStates = flag.Int("search.states", 0, "stop a scene's search after so many millions of states; 0 is no bound")
)

// scene is two ends and what their users do, each in its own order:
//
//	C connect   L listen       w write two octets   F CloseWrite   X Close
//	A abort     e wait for the end of the stream    c wait until connected
type scene struct {
	name   string
	a, b   string
	faults int // by default
	fires  int // timers that may expire
	sack   bool
	slow   bool // ACKs are delayed
}

var scenes = []scene{
	{name: "open and close", a: "Cww c F X", b: "Lc w e F X", faults: 1, fires: 3},
	{name: "close while opening", a: "Cw F X", b: "Lc w X", faults: 1, fires: 3},
	{name: "simultaneous open", a: "Cw c F e X", b: "Cw c F e X", faults: 1, fires: 1},
	{name: "simultaneous open, both close", a: "CX", b: "CX", faults: 1, fires: 4},
	{name: "simultaneous close", a: "Cc X", b: "Lc X", faults: 2, fires: 4},
	{name: "half-close", a: "Cc F e X", b: "Lc ww e w X", faults: 1, fires: 3},
	{name: "server closes first", a: "C e X", b: "Lc w X", faults: 2, fires: 4},
	{name: "abort", a: "Cww c A", b: "Lc w e X", faults: 1, fires: 3},
	{name: "abort while opening", a: "CA", b: "Lc e X", faults: 3, fires: 4},
	{name: "three writes with SACK", a: "C c www F X", b: "Lc e X", faults: 1, fires: 2, sack: true},
	{name: "delayed acknowledgments", a: "C c ww F X", b: "Lc w e X", faults: 1, fires: 2, slow: true},
	{name: "nobody listens", a: "CwX", b: "", faults: 3, fires: 4},
	{name: "opens before it is listened to", a: "Cw c F X", b: "Lc e X", faults: 1, fires: 4},
}

func TestEveryInterleavingOfASmallScope(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("seconds of search, and minutes with the race detector, which one goroutine has no need of")
	}
	var mu sync.Mutex
	var states, steps uint64
	began := time.Now()
	t.Run("scenes", func(t *testing.T) {
		for _, sc := range scenes {
			t.Run(strings.ReplaceAll(sc.name, " ", "_"), func(t *testing.T) {
				t.Parallel()
				s := newSearch(t, sc)
				s.run()
				mu.Lock()
				states, steps = states+s.seen.n, steps+s.steps
				mu.Unlock()
			})
		}
	})
	t.Logf("in all: %d states, %d steps, %v", states, steps, time.Since(began).Round(time.Millisecond))
}

// search is the search of one scene.
type search struct {
	t     *testing.T
	scene scene
	limit uint64
	seen  seenSet
	steps uint64
	deep  int
	stack []*world // one for each depth, used over and over
	path  []string
	sets  Settings
	cp    copier
	hash  hasher
	plan  *plan
	ends  uint64 // worlds in which nothing is left to happen
}

func newSearch(t *testing.T, sc scene) *search {
	s := &search{t: t, scene: sc, limit: uint64(*searchStates) * 1e6}
	s.scene.faults += *searchMore
	s.scene.fires += *searchMore
	s.sets = searchSettings(sc)
	ps := plans{}
	s.cp.plans, s.hash.plans = ps, ps
	s.plan = ps.of(reflect.TypeFor[world]())
	return s
}

func (s *search) run() {
	began := time.Now()
	w := s.at(0)
	w.init(s)
	s.explore(0)
	if s.ends == 0 {
		s.t.Error("no world was an end")
	}
	s.t.Logf("%d faults, %d expiries: %d states, %d steps, %d ends, up to %d steps deep, %v",
		s.scene.faults, s.scene.fires, s.seen.n, s.steps, s.ends, s.deep, time.Since(began).Round(time.Millisecond))
}

// at returns the world that the search uses at a depth.
func (s *search) at(depth int) *world {
	for len(s.stack) <= depth {
		s.stack = append(s.stack, new(world))
	}
	return s.stack[depth]
}

// explore takes every step from the world at a depth.
func (s *search) explore(depth int) {
	w := s.at(depth)
	if !s.seen.add(s.fingerprint(w)) || s.limit > 0 && s.seen.n > s.limit {
		return
	}
	s.deep = max(s.deep, depth)
	any := false
	for i := 0; ; i++ {
		next := s.at(depth + 1)
		step, ok := w.step(i)
		if !ok {
			break
		}
		if step.kind == stepNone {
			continue
		}
		any = true
		copyInto(&s.cp, next, w)
		s.path = append(s.path, step.describe(w))
		s.steps++
		if err := next.take(step); err != nil {
			s.fail(next, err)
		}
		s.explore(depth + 1)
		s.path = s.path[:len(s.path)-1]
		if s.t.Failed() {
			return
		}
	}
	if !any {
		s.ends++
		if err := w.finished(); err != nil {
			s.fail(w, err)
		}
	}
}

func (s *search) fail(w *world, err error) {
	s.t.Errorf("%v\nafter:\n  %s\nworld:\n%s", err, strings.Join(s.path, "\n  "), w)
}

func (s *search) fingerprint(w *world) uint64 {
	s.hash.now, s.hash.sum = w.now, 0x5bd1e995
	s.hash.value(s.plan, unsafe.Pointer(w))
	return s.hash.sum
}

// seenSet is a set of fingerprints, of eight octets each: two worlds in 2⁶⁴ would be taken
// for one.
type seenSet struct {
	slots []uint64
	n     uint64
}

// add enters a fingerprint and reports whether it was new.
func (s *seenSet) add(v uint64) bool {
	if v == 0 {
		v = 1
	}
	if s.n*4 >= uint64(len(s.slots))*3 {
		old := s.slots
		s.slots, s.n = make([]uint64, max(1<<12, 2*len(old))), 0
		for _, v := range old {
			if v != 0 {
				s.add(v)
			}
		}
	}
	mask := uint64(len(s.slots) - 1)
	for i := v * 0x9e3779b97f4a7c15 >> 20 & mask; ; i = (i + 1) & mask {
		switch s.slots[i] {
		case v:
			return false
		case 0:
			s.slots[i] = v
			s.n++
			return true
		}
	}
}
