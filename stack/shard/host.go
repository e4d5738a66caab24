package shard

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/icmp"
	"github.com/weirnet/weir/stack/ip"
	"github.com/weirnet/weir/stack/mem"
	"github.com/weirnet/weir/stack/route"
	"github.com/weirnet/weir/stack/tcp/isn"
	"github.com/weirnet/weir/stack/wheel"
)

// Host is one stack: its interfaces, routes, sockets and connections. Its methods
// are safe for concurrent use.
type Host struct {
	cfg    Config
	clock  clock.Clock
	pool   mem.Pool
	secret secrets
	lo     *Interface

	netMu sync.Mutex // held by who changes net or mode
	net   atomic.Pointer[network]

	conns        flows[TCP, *TCP]
	paths        sharedPaths
	halfOpens    flows[halfOpen, *halfOpen]
	timeWaits    flows[timeWait, *timeWait]
	maxTimeWaits int
	listeners    listeners
	datagrams    sockets
	ports        ports
	portUse      portUse
	spread       *isn.Generator // hashes for SO_REUSEPORT, with a secret of its own
	groups       groups
	raws         raws
	pings        pings

	timerMu       sync.Mutex
	wheel         *wheel.Wheel[expirer]
	connWheel     *wheel.Wheel[struct{}] // timers of connections: see timed
	timersStopped bool                   // under timerMu: the host is closed
	service       *service               // who runs timers: that of Start, or of a stepped host
	kick          chan struct{}          // tells the service goroutine that there is something earlier

	reassembly reassembly
	pathMTU    pathMTUs
	limiter    limiter
	idents     idents

	dog      watchdog
	deferred deferred
	parted   parted

	rounds   sync.Pool // for Deliver
	standIns sync.Pool // connections that nobody knows: see halfOpen
	batches  sync.Pool // of *udpBatch
	txFrames sync.Pool
	txInUse  atomic.Int64
	inSlots  atomic.Int64 // blocks that receive loops wait with

	drops    ip.Drops
	counters Counters
	lanes    lanes

	running sync.WaitGroup
	mode    atomic.Uint32
	closed  chan struct{}
}

// The modes of a Host.
const (
	modeStepped uint32 = iota // its owner calls Deliver and Expire
	modeRunning               // goroutines do
	modeClosed
)

// secrets are the keyed hashes that make what we choose unpredictable to others.
type secrets struct{ *isn.Generator }

// expirer is what has an entry in the wheel.
type expirer interface {
	// expire is called without any lock when the entry's time has come.
	expire(now clock.Time)
}

// New returns a host with nothing but its loopback interface. It has no goroutine until Start.
func New(cfg Config) *Host {
	cfg = cfg.withDefaults()
	h := &Host{
		cfg:       cfg,
		clock:     cfg.Clock,
		secret:    secrets{isn.New(cfg.Secret)},
		spread:    isn.New(isn.Derive(cfg.Secret, "SO_REUSEPORT")),
		wheel:     wheel.New[expirer](wheelTick),
		connWheel: wheel.New[struct{}](wheelTick),
		kick:      make(chan struct{}, 1),
		closed:    make(chan struct{}),

		maxTimeWaits: maxTimeWaits,
	}
	h.standIns.New = func() any { return new(TCP) }
	h.txFrames.New = func() any { return newTxFrame() }
	h.service = &service{h: h}
	h.dog.init()
	h.listeners.init()
	h.datagrams.init()
	h.ports.init()
	h.groups.init()
	h.pings.init()
	h.reassembly.init(h)
	h.pathMTU.init(h)
	h.limiter.Limiter = icmp.NewLimiter(cfg.limiter())
	h.idents.IDs = ip.NewIDs(cfg.Secret)
	h.net.Store(&network{routes: new(route.Table)})
	h.addLoopback()
	return h
}

// Now returns the present instant of the host's clock.
func (h *Host) Now() clock.Time { return h.clock.Now() }

// Config returns the configuration with its defaults filled in.
func (h *Host) Config() Config { return h.cfg }

// Pool returns the pool that the host's connections and sockets take their blocks from.
func (h *Host) Pool() *mem.Pool { return &h.pool }

// Start gives the host its goroutines: one for its timers and one for each queue of
// each device, those to come included.
func (h *Host) Start() {
	h.netMu.Lock()
	defer h.netMu.Unlock()
	if !h.mode.CompareAndSwap(modeStepped, modeRunning) {
		return
	}
	h.service.watch = &watch{host: h, replace: h.service.replace}
	h.dog.add(h.service.watch)
	h.running.Add(1)
	go h.service.run()
	for _, i := range h.Interfaces() {
		i.start()
	}
}

// isClosed reports whether Close has begun.
func (h *Host) isClosed() bool { return h.mode.Load() == modeClosed }

// Close resets every connection, closes every socket and device, and returns when
// every goroutine of the host has ended.
func (h *Host) Close() error {
	h.netMu.Lock() // so that an interface is added before or not at all
	was := h.mode.Swap(modeClosed)
	h.netMu.Unlock()
	if was == modeClosed {
		h.running.Wait()
		h.dog.close()
		return nil
	}
	h.listeners.closeAll()
	conns := append(h.conns.list(), h.parted.list()...)
	h.sweep(conns, (*TCP).abortBy)
	patience := make(chan struct{})
	timer := time.AfterFunc(lastWordsPatience, func() { close(patience) })
	for _, c := range conns {
		c.lastWords(patience)
	}
	timer.Stop()
	h.datagrams.closeAll()
	h.raws.closeAll()
	h.pings.closeAll()
	var first error
	for _, i := range h.Interfaces() {
		if err := i.shut(); err != nil && first == nil {
			first = err
		}
	}
	close(h.closed)
	h.running.Wait()
	h.dog.close()
	h.release()
	return first
}

// release gives back what the tables still hold once nothing runs any more.
func (h *Host) release() {
	for _, half := range h.halfOpens.list() {
		half.mu.Lock()
		half.leave()
		half.mu.Unlock()
	}
	for _, t := range h.timeWaits.list() {
		t.mu.Lock()
		t.leave()
		t.mu.Unlock()
	}
	for _, c := range h.conns.list() {
		c.drop()
	}
	h.deferred.release()
	h.reassembly.release()
	for _, i := range h.Interfaces() {
		i.dropBacklog()
	}
	h.stopTimers()
}
