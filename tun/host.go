package tun

import (
	"fmt"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// host is the kernel's side of a device: a netlink socket in the device's network
// namespace, and what was done through it that Close may have to undo.
type host struct {
	nl    *netlink.Handle
	found *found // the operator's device as it was; nil where Open made the device

	mu     sync.Mutex
	addrs  []netip.Prefix // added to the device
	routes []route        // added through it
	mtu    int            // set; 0 not
	upDown bool           // Up or Down was called
}

// newHost opens the socket in the thread's network namespace.
func newHost() (*host, error) {
	nl, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, &Error{Op: "open", On: "a netlink socket", Err: err}
	}
	nl.SetSocketTimeout(10 * time.Second)
	return &host{nl: nl}, nil
}

// beforeClose implements undoer.
func (h *host) beforeClose(d *Device) error {
	if h.found == nil || d.index == 0 {
		return nil
	}
	return h.restore(d)
}

// afterClose implements undoer.
func (h *host) afterClose() {
	if h.found != nil {
		h.found.resetFlags(h)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.nl.Close()
}

// host returns the kernel's side, nil for a device from Attach.
func (d *Device) host() *host {
	h, _ := d.undo.(*host)
	return h
}

// link names the device to netlink: by index, which no other device gets.
func (d *Device) link() netlink.Link {
	return &netlink.Tuntap{LinkAttrs: netlink.LinkAttrs{Name: d.name, Index: d.index}}
}

// settle learns what the device is once its queues are open, and gives a new one its MTU
// and ring.
func (h *host) settle(d *Device, cfg *Config) error {
	l, err := h.nl.LinkByName(d.name)
	if err != nil {
		return hostError("look up", d.name, err)
	}
	t, ok := l.(*netlink.Tuntap)
	if !ok || t.Flags&netlink.TUNTAP_NO_PI == 0 {
		return &Error{Op: "open", On: d.name, Err: unix.EBUSY, Why: "another program changed the device meanwhile", Hint: "try again"}
	}
	d.index = t.Index
	d.mtu.Store(int64(t.MTU))
	if !d.Created() && h.found.up() {
		h.waitRunning(d)
	} else if d.Created() {
		h.hush(t)
		if cfg.RingLen > 0 {
			if err := h.nl.LinkSetTxQLen(t, cfg.RingLen); err != nil {
				return hostError("set the ring length of", d.name, err)
			}
		}
	}
	if cfg.MTU == 0 || cfg.MTU == t.MTU {
		return nil
	}
	return d.SetMTU(cfg.MTU)
}

// patience bounds the waits for what the kernel does in the background. It takes microseconds, and on a
// machine with much else to do as long as a thread waits for a processor.
const patience = 5 * time.Second

// waitRunning waits until the kernel has noticed that a device that was up before has a
// reader: until then it sends nothing to it, and holds its IPv6 addresses back.
func (h *host) waitRunning(d *Device) {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Microsecond) {
		now, err := h.nl.LinkByIndex(d.index)
		if err != nil || now.Attrs().RawFlags&unix.IFF_RUNNING != 0 {
			break
		}
	}
	for _, a := range h.found.addrs {
		h.waitUsable(toPrefix(a.IPNet).Addr())
	}
}

// addrGenNone is IN6_ADDR_GEN_MODE_NONE.
const addrGenNone = 1

// hush makes a new device say nothing on its own: with no link-local address there are no
// router solicitations and no autoconfiguration. Its IPv6 addresses stay when it goes down,
// as IPv4's do, so that a pulled cable can be put back. Neither is worth failing for: the
// kernel may have no IPv6, and /proc/sys may be read-only.
func (h *host) hush(l netlink.Link) {
	h.nl.LinkSetIP6AddrGenMode(l, addrGenNone)
	os.WriteFile(ipv6Setting(l.Attrs().Name, "keep_addr_on_down"), []byte("1"), 0)
}

// ipv6Setting is the path of a sysctl of an interface, in the thread's namespace.
func ipv6Setting(name, setting string) string {
	return "/proc/sys/net/ipv6/conf/" + name + "/" + setting
}

// begin locks the host's side for a change.
func (d *Device) begin(op string) (*host, error) {
	h := d.host()
	if h == nil {
		return nil, &Error{Op: op, On: d.name, Why: "it was attached to without the host's side", Hint: "use Open, or do it with ip", Err: unix.EOPNOTSUPP}
	}
	h.mu.Lock()
	if d.closed.Load() {
		h.mu.Unlock()
		return nil, &Error{Op: op, On: d.name, Why: "the device is closed", Err: unix.EBADF}
	}
	return h, nil
}

// SetMTU sets the interface's MTU in octets. The error wraps EINVAL where it is below
// MinMTU, above MaxMTU, or below MinIPv6MTU while the interface has an IPv6 address, which
// the kernel would take away.
func (d *Device) SetMTU(mtu int) error {
	op := fmt.Sprintf("set MTU %d on", mtu)
	h, err := d.begin(op)
	if err != nil {
		return err
	}
	defer h.mu.Unlock()
	bad := func(why, hint string) error {
		return &Error{Op: op, On: d.name, Why: why, Hint: hint, Err: unix.EINVAL}
	}
	switch {
	case mtu < MinMTU:
		return bad("it is below the minimum", fmt.Sprintf("use %d or more", MinMTU))
	case mtu > MaxMTU:
		return bad("it is above the maximum", fmt.Sprintf("use %d or less", MaxMTU))
	case mtu < MinIPv6MTU:
		addrs, err := h.addresses(d.link(), netlink.FAMILY_V6)
		if err != nil {
			return hostError(op, d.name, err)
		}
		if len(addrs) > 0 {
			return bad(fmt.Sprintf("IPv6 needs %d or more, and the interface has %v", MinIPv6MTU, addrs[0].IPNet), "use more, or remove the IPv6 addresses first")
		}
	}
	if err := h.nl.LinkSetMTU(d.link(), mtu); err != nil {
		return hostError(op, d.name, err)
	}
	h.mtu = mtu
	d.mtu.Store(int64(mtu))
	return nil
}

// Up sets the interface up: packets flow. Addresses and routes that were added here, and
// that the kernel took away when the interface went down, are added again.
func (d *Device) Up() error {
	h, err := d.begin("set up")
	if err != nil {
		return err
	}
	defer h.mu.Unlock()
	if err := h.nl.LinkSetUp(d.link()); err != nil {
		return hostError("set up", d.name, err)
	}
	h.upDown = true
	for _, p := range h.addrs {
		if err := unless(unix.EEXIST, h.addAddress(d, p)); err != nil {
			return addressError(fmt.Sprintf("%v to %s", p, d.name), p, err)
		}
		h.waitUsable(p.Addr())
	}
	for _, r := range h.routes {
		if err := unless(unix.EEXIST, h.nl.RouteAdd(r.netlink(d.index))); err != nil {
			return routeError("add", r, d.name, err)
		}
	}
	return nil
}

// Down sets the interface down, as if the cable were pulled. The kernel then takes away its
// routes, and of an operator's device the IPv6 addresses too; Up brings back what was added
// here, and Close what was there before.
func (d *Device) Down() error {
	h, err := d.begin("set down")
	if err != nil {
		return err
	}
	defer h.mu.Unlock()
	if err := h.nl.LinkSetDown(d.link()); err != nil {
		return hostError("set down", d.name, err)
	}
	h.upDown = true
	return nil
}
