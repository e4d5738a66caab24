package tun

import (
	"errors"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// What an operator has set up is used, and nothing of it changed.
func TestAttachUsesADeviceThatIsSetUp(t *testing.T) {
	eachBackend(t, func(t *testing.T, cfg Config) {
		cfg.Name = "oper0"
		l := makeOperators(t, cfg)
		must(t, netlink.LinkSetMTU(l, 1400))
		for _, p := range []string{"192.0.2.1/24", "2001:db8:77::1/64"} {
			must(t, netlink.AddrAdd(l, &netlink.Addr{IPNet: ipNet(prefix(p)), Flags: unix.IFA_F_NODAD}))
		}
		must(t, netlink.LinkSetUp(l))
		for range 2 {
			d, err := Attach(Config{Name: cfg.Name, Queues: cfg.Queues, Offload: cfg.Offload})
			must(t, err)
			if d.Created() || d.MTU() != 1400 || d.Index() != l.Attrs().Index || d.Backend() != map[bool]string{true: "vnet_hdr", false: "plain"}[cfg.Offload == OffloadOn] {
				t.Errorf("created %v, MTU %d, index %d, %s", d.Created(), d.MTU(), d.Index(), d.Backend())
			}
			startEcho(d)
			eventually(t, "the device answers", func() bool { return pingFor(time.Second, weir4, 100) == nil })
			for name, err := range map[string]error{"AddHostAddress": d.AddHostAddress(host4), "Up": d.Up(), "SetMTU": d.SetMTU(1300)} {
				if !errors.Is(err, unix.EOPNOTSUPP) {
					t.Errorf("%s: %v, want EOPNOTSUPP", name, err)
				}
			}
			must(t, d.Close())
		}
		if _, err := netlink.LinkByName(cfg.Name); err != nil {
			t.Errorf("the device is gone: %v", err)
		}
	})
}

func TestAttachMakesNothing(t *testing.T) {
	inNamespace(t, func(*Namespace) {
		for want, cfg := range map[unix.Errno]Config{
			unix.ENODEV: {Name: "nobody0"},
			unix.EINVAL: {Name: "nobody0", MTU: 1400},
		} {
			if d, err := Attach(cfg); !errors.Is(err, want) {
				t.Errorf("%+v: %v, %v, want %v", cfg, d, err, want)
			}
		}
		if _, err := netlink.LinkByName("nobody0"); err == nil {
			t.Error("a device was made")
		}
	})
}
