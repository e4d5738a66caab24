package shard

import (
	"net/netip"
	"syscall"
	"testing"
)

const group4, group6 = "233.252.0.1", "ff05::db8:1"

// member opens a socket on a port and joins the group, if any.
func (w *world) member(port uint16, group string, ifc int) *UDP {
	w.Helper()
	u := w.OpenUDP(false)
	must(w, u.Bind(netip.AddrPortFrom(netip.IPv6Unspecified(), port), BindOptions{Both: true, ReuseAddr: true}))
	if group != "" {
		must(w, u.JoinGroup(addr(group), w.ifcs[ifc].Index()))
	}
	return u
}

// fromGroup has interface n receive a datagram from src to a group.
func (w *world) fromGroup(n int, src, group string) {
	w.receive(n, udpPacket(netip.AddrPortFrom(addr(src), 9), netip.AddrPortFrom(addr(group), 53), []byte("x")))
}

func (w *world) has(name string, u *UDP, want int) {
	w.Helper()
	n := 0
	for d, ok := pop(u); ok; d, ok = pop(u) {
		d.Release()
		n++
	}
	if n != want {
		w.Errorf("%s has %d datagrams, want %d", name, n, want)
	}
}

// What is sent to a group is for the host where somebody here has joined it on that interface, and then for
// every socket on the port, members by MulticastAll or not.
func TestGroupIsHeardWhereItWasJoined(t *testing.T) {
	for _, c := range [][2]string{{group4, "192.0.2.9"}, {group6, "2001:db8::9"}} {
		group, src := c[0], c[1]
		w := newWorld(t, Config{})
		other := w.member(53, "", 0)
		w.fromGroup(0, src, group)
		w.counted("ip.drop.no_group", 1)
		a, b := w.member(53, group, 0), w.member(53, group, 0)
		deaf := w.member(53, "", 0)
		deaf.Configure(func(o *DatagramOptions) { o.V4.MulticastAll, o.V6.MulticastAll = false, false })
		w.fromGroup(0, src, group)
		w.fromGroup(1, src, group) // not joined there
		w.has("a member", a, 1)
		w.has("another member", b, 1)
		w.has("one that joined nothing", other, 1)
		w.has("one that hears only what it joined", deaf, 0)
		wantErr(t, a.JoinGroup(addr(group), w.ifcs[0].Index()), syscall.EADDRINUSE)
		must(t, a.JoinGroup(addr(group), w.ifcs[1].Index()))
		w.fromGroup(1, src, group)
		w.has("a member on both", a, 1)
		w.has("a member on the other", b, 1) // by MulticastAll
		must(t, a.LeaveGroup(addr(group), w.ifcs[1].Index()))
		wantErr(t, a.LeaveGroup(addr(group), w.ifcs[1].Index()), syscall.EADDRNOTAVAIL)
		b.Close()
		w.has("one that joined nothing", other, 1)
		w.fromGroup(0, src, group)
		w.has("the last member", a, 1)
		a.Close()
		w.fromGroup(0, src, group)
		w.has("one that joined nothing", other, 1)
		if len(w.groups.m) != 0 {
			t.Errorf("groups %v stay", w.groups.m)
		}
	}
}

func TestJoinErrors(t *testing.T) {
	w := newWorld(t, Config{})
	u := w.OpenUDP(true)
	wantErr(t, u.JoinGroup(addr("192.0.2.1"), 1), syscall.EINVAL)
	wantErr(t, u.JoinGroup(addr(group4), 99), syscall.ENODEV)
	wantErr(t, u.JoinGroup(addr(group4), 0), syscall.ENODEV) // no route leads there
	one := w.ifcs[0].Index()
	for n := range 20 {
		must(t, u.JoinGroup(netip.AddrFrom4([4]byte{233, 252, 0, byte(n)}), one))
	}
	wantErr(t, u.JoinGroup(netip.AddrFrom4([4]byte{233, 252, 0, 20}), one), syscall.ENOBUFS)
	wantErr(t, u.JoinSource(addr("233.252.0.0"), addr("192.0.2.9"), one), error(nil)) // an empty filter may change
	for n := range 9 {
		must(t, u.JoinSource(addr("233.252.0.0"), netip.AddrFrom4([4]byte{192, 0, 2, byte(100 + n)}), one))
	}
	wantErr(t, u.JoinSource(addr("233.252.0.0"), addr("192.0.2.200"), one), syscall.ENOBUFS)
	wantErr(t, u.JoinSource(addr("233.252.0.0"), addr("192.0.2.9"), one), syscall.EADDRNOTAVAIL)
	wantErr(t, u.BlockSource(addr("233.252.0.0"), addr("192.0.2.9"), one), syscall.EINVAL)
	wantErr(t, u.LeaveSource(addr("233.252.0.99"), addr("192.0.2.9"), one), syscall.EINVAL)
}

// RFC 3376 §3: a socket hears the sources of its filter, or all but those.
func TestSourceFilters(t *testing.T) {
	for _, c := range [][3]string{{group4, "192.0.2.8", "192.0.2.9"}, {group6, "2001:db8::8", "2001:db8::9"}} {
		w := newWorld(t, Config{})
		group, one := addr(c[0]), w.ifcs[0].Index()
		u := w.member(53, "", 0)
		heard := func(when string, first, second int) {
			t.Helper()
			w.fromGroup(0, c[1], c[0])
			w.has(when+", the first source:", u, first)
			w.fromGroup(0, c[2], c[0])
			w.has(when+", the second source:", u, second)
		}
		must(t, u.JoinSource(group, addr(c[1]), one))
		heard("joined by source", 1, 0)
		must(t, u.JoinSource(group, addr(c[2]), one))
		heard("joined by both", 1, 1)
		must(t, u.LeaveSource(group, addr(c[1]), one))
		heard("left one", 0, 1)
		must(t, u.LeaveSource(group, addr(c[2]), one))
		heard("left both", 0, 0)
		must(t, u.JoinGroup(group, one))
		must(t, u.BlockSource(group, addr(c[2]), one))
		heard("blocked", 1, 0)
		must(t, u.UnblockSource(group, addr(c[2]), one))
		heard("unblocked", 1, 1)
		must(t, u.SetSources(group, one, false, []netip.Addr{addr(c[2])}))
		heard("filter set", 0, 1)
		if exclude, list, err := u.Sources(group, one); exclude || err != nil || len(list) != 1 || list[0] != addr(c[2]) {
			t.Errorf("filter %v %v %v", exclude, list, err)
		}
		must(t, u.SetSources(group, one, false, nil))
		_, _, err := u.Sources(group, one)
		wantErr(t, err, syscall.EADDRNOTAVAIL)
	}
}

// A socket's filter is one interface's: it says nothing of the group on another.
func TestSourceFilterIsOneInterfaces(t *testing.T) {
	w := newWorld(t, Config{})
	u, group := w.member(53, "", 0), addr(group4)
	must(t, u.JoinSource(group, addr("192.0.2.8"), w.ifcs[0].Index()))
	must(t, u.JoinSource(group, addr("192.0.2.9"), w.ifcs[1].Index()))
	w.fromGroup(1, "192.0.2.9", group4)
	w.has("the source of that interface:", u, 1)
	w.fromGroup(1, "192.0.2.8", group4)
	w.has("the other interface's source:", u, 0)
}

// What is sent to a group leaves with hop limit 1 by the interface that was asked for, and members here get a copy.
func TestSentToAGroup(t *testing.T) {
	for _, c := range [][2]string{{group4, "198.51.100.1"}, {group6, "2001:db8:1::1"}} {
		w := newWorld(t, Config{})
		group, one := addr(c[0]), w.ifcs[1].Index()
		dst := netip.AddrPortFrom(group, 53)
		u, listener := w.OpenUDP(false), w.member(53, c[0], 1)
		wantErr(t, u.SendTo(nil, dst, SendOptions{}), syscall.ENETUNREACH) // no route
		set := func(f func(o *FamilyOptions)) {
			u.Configure(func(o *DatagramOptions) { f(o.family(group.Is4())) })
		}
		set(func(o *FamilyOptions) { o.MulticastInterface = one })
		must(t, u.SendTo([]byte("x"), dst, SendOptions{}))
		if p := w.one(1); p.ttl != 1 || p.src != addr(c[1]) || p.dst != group {
			t.Errorf("%v", p)
		}
		if d, ok := pop(listener); !ok || d.From.Addr() != addr(c[1]) || d.To != group || d.Interface != one {
			t.Errorf("the copy: %+v %v", d, ok)
		}
		set(func(o *FamilyOptions) { o.MulticastLoop, o.MulticastHopLimit = false, 7 })
		must(t, u.SendTo([]byte("x"), dst, SendOptions{}))
		if p := w.one(1); p.ttl != 7 {
			t.Errorf("hop limit %d", p.ttl)
		}
		w.has("a member without loop", listener, 0)
		set(func(o *FamilyOptions) { o.MulticastLoop, o.MulticastHopLimit = true, 0 })
		must(t, u.SendTo(text(3000), dst, SendOptions{}))
		w.none() // it may not leave the host
		w.has("a member with hop limit 0", listener, 1)
		must(t, u.SendTo([]byte("x"), dst, SendOptions{Interface: w.ifcs[0].Index(), HopLimit: 3}))
		if p := w.one(0); p.ttl != 3 {
			t.Errorf("%v", p)
		}
		w.has("a member on the other interface", listener, 0)
		w.counted("held.frames", 0)
	}
}

// What is sent to a group by the loopback comes back once.
func TestGroupOnTheLoopback(t *testing.T) {
	w := newWorld(t, Config{})
	u := w.member(53, "", 0)
	must(t, u.JoinGroup(addr(group4), w.lo.Index()))
	must(t, u.SendTo([]byte("x"), netip.AddrPortFrom(addr(group4), 53), SendOptions{Interface: w.lo.Index()}))
	w.settle()
	w.has("a member", u, 1)
}

// A broadcast is for every socket on the port, the sender's own host's too.
func TestBroadcastReachesAll(t *testing.T) {
	w := newWorld(t, Config{})
	a, b := w.member(53, "", 0), w.member(53, "", 0)
	connected := w.member(53, "", 0)
	must(t, connected.Connect(ap("192.0.2.9:9")))
	w.fromGroup(0, "192.0.2.9", "192.0.2.255")
	w.has("one", a, 1)
	w.has("the other", b, 1)
	w.has("one connected to the sender, from an address of its own", connected, 0)
	u, err := w.ListenUDP(ap("0.0.0.0:0"), false)
	must(t, err)
	must(t, u.Send([]byte("x"), netip.Addr{}, ap("192.0.2.255:53")))
	w.one(0)
	w.has("one", a, 1)
	w.has("the other", b, 1)
}
