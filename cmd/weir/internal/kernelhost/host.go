package kernelhost

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirnet/weir/stack/script"
	"github.com/weirnet/weir/stack/socket/kernel"
	"github.com/weirnet/weir/tun"
)

// headerLen is the virtio-net header before each frame of a device.
const headerLen = 10

// Host is a kernel in a namespace of its own, behind a TUN device.
type Host struct {
	ns    *tun.Namespace
	dev   *tun.Device
	calls kernel.Calls
	net   script.Network
	began time.Time
	stood atomic.Int64 // nanoseconds that the clock stood still
	// congestion is the algorithm that new sockets are given, where it cannot be the default.
	congestion string
	events     chan struct{}   // something has happened
	ended      <-chan struct{} // nobody waits any more
	reader     sync.WaitGroup

	mu       sync.Mutex
	sent     []script.Captured
	blocked  map[*call]struct{}
	returned []*call      // since collect
	sockets  map[int]bool // the script's descriptors
	closing  bool
}

// Until returns New for hosts whose Wait ends with the context: a script that is interrupted need not
// sleep to the end.
func Until(ctx context.Context) func(script.Network) (script.Backend, error) {
	return func(n script.Network) (script.Backend, error) { return begin(ctx, n) }
}

// New makes the namespace and its device. It needs root, or CAP_SYS_ADMIN and CAP_NET_ADMIN.
func New(n script.Network) (script.Backend, error) { return begin(context.Background(), n) }

// Check makes a host and closes it: its error says in one line why there can be none.
func Check() error {
	h, err := New(script.Network{Local: netip.MustParsePrefix("192.168.0.1/16"), Remote: netip.MustParseAddr("192.0.2.1"), MTU: 1500})
	if err != nil {
		return err
	}
	return h.Close()
}

func begin(ctx context.Context, n script.Network) (script.Backend, error) {
	h := &Host{
		net: n, ended: ctx.Done(), events: make(chan struct{}, 1),
		blocked: map[*call]struct{}{}, sockets: map[int]bool{},
	}
	var err error
	if h.ns, err = tun.NewNamespace(); err != nil {
		return nil, err
	}
	if err = h.open(); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	h.calls.In, h.calls.Stopped = h.ns.Do, h.stopped
	h.began = time.Now()
	h.reader.Go(h.read)
	return h, nil
}

// open makes the device, with the kernel's address on it and the way to the script's side.
func (h *Host) open() (err error) {
	offload := tun.OffloadOff
	if h.net.Offload {
		offload = tun.OffloadOn
	}
	if h.dev, err = tun.Open(tun.Config{Name: "tun0", MTU: h.net.MTU, Offload: offload, Namespace: h.ns.Path()}); err != nil {
		return err
	}
	if err = h.dev.AddHostAddress(h.net.Local); err != nil {
		return err
	}
	if err = h.dev.Up(); err != nil {
		return err
	}
	if err = h.quiet(); err != nil {
		return err
	}
	return h.dev.AddRoute(defaultRoute(h.net.Remote), netip.Addr{})
}

func defaultRoute(a netip.Addr) netip.Prefix {
	if a.Is4() {
		return netip.MustParsePrefix("0.0.0.0/0")
	}
	return netip.MustParsePrefix("::/0")
}

// Calls returns the kernel's system calls.
func (h *Host) Calls() script.Calls { return tracked{&h.calls, h} }

// Now returns the time since the host was made, less that for which its clock stood still.
func (h *Host) Now() time.Duration { return time.Since(h.began) - time.Duration(h.stood.Load()) }

// happened wakes Wait.
func (h *Host) happened() {
	select {
	case h.events <- struct{}{}:
	default:
	}
}

// Wait sleeps until the instant, or until stop reports true, or not at all once the context has ended.
func (h *Host) Wait(until time.Duration, stop func() bool) bool {
	timer := time.NewTimer(until - h.Now())
	defer timer.Stop()
	for {
		h.collect()
		if stop() {
			return true
		}
		select {
		case <-h.events:
		case <-timer.C:
			h.collect()
			return stop()
		case <-h.ended:
			return stop()
		}
	}
}

// Inject writes a packet to the device, as if from the wire; one with segments as if the
// device had put them together.
func (h *Host) Inject(packet []byte, segment int) error {
	frame := append(make([]byte, headerLen, headerLen+len(packet)), packet...)
	if segment > 0 {
		if !h.net.Offload {
			return errors.New("give the kernel a packet of several segments: the device is plain; take --path merged")
		}
		merged(frame, segment)
	}
	if _, err := h.dev.WriteFrames(0, [][]byte{frame}); err != nil {
		return fmt.Errorf("give the kernel a packet: %w", err)
	}
	return nil
}

// merged says in a frame's virtio-net header that its TCP payload is segments of that size
// (Virtual I/O Device 1.2 §5.1.6.2). The checksum is whole and stays so.
func merged(frame []byte, segment int) {
	const gsoTCP4, gsoTCP6 = 1, 4
	packet := frame[headerLen:]
	at, kind := 40, byte(gsoTCP6)
	if packet[0]>>4 == 4 {
		at, kind = 4*int(packet[0]&15), gsoTCP4
	}
	if len(packet) < at+20 {
		return
	}
	header := at + 4*int(packet[at+12]>>4)
	if len(packet)-header <= segment {
		return
	}
	frame[1] = kind
	binary.LittleEndian.PutUint16(frame[2:], uint16(header))
	binary.LittleEndian.PutUint16(frame[4:], uint16(segment))
}

// Sent returns the oldest packet that the kernel sent and that was not returned yet.
func (h *Host) Sent() (script.Captured, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.sent) == 0 {
		return script.Captured{}, false
	}
	c := h.sent[0]
	h.sent = h.sent[1:]
	return c, true
}

// Close ends the calls that are blocked, the device and the namespace.
func (h *Host) Close() error {
	err := h.release()
	if h.dev != nil {
		err = errors.Join(err, h.dev.Close())
	}
	h.reader.Wait()
	return errors.Join(err, h.ns.Close())
}
