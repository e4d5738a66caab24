package stack_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/stack/event"
)

// fickle is the end of a cable with several queues. The far end spreads what it sends over them as a
// kernel that moves flows about: each flow's frames come by one queue for a while, and then by another.
type fickle struct {
	name   string
	queues []chan []byte
	far    *fickle
	closed chan struct{}
	once   sync.Once

	mu   sync.Mutex
	sent uint32
	late []byte // of one queue, which the next frame overtakes by another
}

// stay is how many frames take one way before the flows are moved.
const stay = 24

func newFickle(name string, queues int) *fickle {
	d := &fickle{name: name, closed: make(chan struct{})}
	for range queues {
		d.queues = append(d.queues, make(chan []byte, 256))
	}
	return d
}

func (d *fickle) Name() string     { return d.name }
func (d *fickle) MTU() int         { return 1500 }
func (d *fickle) Features() uint64 { return 0 }
func (d *fickle) Queues() int      { return len(d.queues) }

func (d *fickle) Close() error {
	d.once.Do(func() { close(d.closed) })
	return nil
}

func (d *fickle) ReadFrames(queue int, bufs [][]byte, sizes []int) (n int, err error) {
	select {
	case f := <-d.queues[queue]:
		sizes[0] = copy(bufs[0], f)
	case <-d.closed:
		return 0, net.ErrClosed
	}
	for n = 1; n < len(bufs); n++ {
		select {
		case f := <-d.queues[queue]:
			sizes[n] = copy(bufs[n], f)
		default:
			return n, nil
		}
	}
	return n, nil
}

// WriteFrames loses what the far end's queue has no room for, as a TUN device does. The last frame before the flows are moved
// is overtaken by the first of its flow after it, whoever reads first.
func (d *fickle) WriteFrames(queue int, frames [][]byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range frames {
		select {
		case <-d.closed:
			return 0, net.ErrClosed
		default:
		}
		d.sent++
		way := (d.sent/stay + uint32(flowOf(f[10:]))) % uint32(len(d.far.queues))
		if d.sent%stay == stay-1 {
			d.late = bytes.Clone(f)
			continue
		}
		d.give(way, bytes.Clone(f))
		if d.late != nil && flowOf(d.late[10:]) == flowOf(f[10:]) {
			d.give(way, d.late) // behind it, as if the old queue's reader had been slower
			d.late = nil
		}
	}
	return len(frames), nil
}

func (d *fickle) give(way uint32, f []byte) {
	select {
	case d.far.queues[way] <- f:
	default:
	}
}

// flowOf tells apart the flows of IPv4 packets by their ports.
func flowOf(p []byte) byte { return p[21] ^ p[23] }

// ficklePair returns two stacks joined by a cable with two queues either way.
func ficklePair(t testing.TB) (a, b *stack.Stack) {
	t.Helper()
	da, db := newFickle("fickle0", 2), newFickle("fickle1", 2)
	da.far, db.far = db, da
	return newStack(t, da, near, stack.Config{}), newStack(t, db, far, stack.Config{})
}

// Each direction's flows are moved from queue to queue all the time: two receive loops then feed one
// connection, one of them with what is older. Nothing is lost of the text or twice there, for readers in
// goroutines of their own and for handlers, and datagrams are answered whichever way they came.
func TestFlowsMayMoveBetweenQueues(t *testing.T) {
	a, b := ficklePair(t)
	echoes := echoServers(t, b)
	const size = 1 << 18
	var all sync.WaitGroup
	for n := range 6 {
		all.Go(func() { echoThrough(t, a, echoes[n%len(echoes)], size, uint64(n)) })
	}
	all.Go(func() { echoDatagrams(t, a, 300) })
	all.Wait()
	moved, segments := uint64(0), uint64(0)
	for _, st := range []*stack.Stack{a, b} {
		for _, c := range st.Stats() {
			switch c.Name {
			case "tcp.out_of_order":
				moved += c.Value
			case "tcp.segments.in":
				segments += c.Value
			}
		}
	}
	t.Logf("of %d segments %d came out of order", segments, moved)
	if moved == 0 {
		t.Error("no segment has overtaken another: the test shows nothing")
	}
}

// echoServers has b serve echo for readers and for handlers, and datagrams, and returns where.
func echoServers(t *testing.T, b *stack.Stack) []string {
	t.Helper()
	l, err := b.Listen("tcp", ":7")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				io.Copy(c, c)
			}()
		}
	}()
	if _, err := b.ListenEvents("tcp", ":8", &event.Funcs{Data: (*event.Conn).Write, Writable: func(*event.Conn) {}}, event.Options{}); err != nil {
		t.Fatal(err)
	}
	_, err = b.ListenPacketEvents("udp", ":7", event.PacketFunc(func(s *event.PacketSocket, p []byte, _ event.PacketMeta) { s.Reply(p) }))
	if err != nil {
		t.Fatal(err)
	}
	return []string{"192.0.2.2:7", "192.0.2.2:8"}
}

// echoThrough sends octets to an echo server and holds what comes back against them.
func echoThrough(t *testing.T, a *stack.Stack, to string, size int, seed uint64) {
	c, err := a.Dial("tcp", to)
	if err != nil {
		t.Error(err)
		return
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(5 * time.Minute))
	want := make([]byte, size)
	r := rand.NewChaCha8([32]byte{byte(seed)})
	r.Read(want)
	go func() {
		c.Write(want)
		c.(interface{ CloseWrite() error }).CloseWrite()
	}()
	got, err := io.ReadAll(c)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s: %d octets of %d came back, equal %v, %v", to, len(got), len(want), bytes.Equal(got, want), err)
	}
}

// echoDatagrams sends datagrams to an echo server, each again until it is answered.
func echoDatagrams(t *testing.T, a *stack.Stack, count int) {
	c, err := a.Dial("udp", "192.0.2.2:7")
	if err != nil {
		t.Error(err)
		return
	}
	defer c.Close()
	buf := make([]byte, 16)
	for n := range count {
		want := []byte{byte(n), byte(n >> 8)}
		for try := 0; ; try++ {
			if try == 1000 {
				t.Errorf("datagram %d was never answered", n)
				return
			}
			c.Write(want)
			c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
			if k, err := c.Read(buf); err == nil && bytes.Equal(buf[:k], want) {
				break
			}
		}
	}
}
