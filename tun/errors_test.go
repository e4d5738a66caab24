package tun

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// wantLine holds an error against what a person needs: one line that holds the words, and
// the errno for programs.
func wantLine(t *testing.T, err error, errno error, words ...string) {
	t.Helper()
	if err == nil {
		t.Error("no error, want", words)
		return
	}
	t.Log(err)
	if !errors.Is(err, errno) {
		t.Errorf("%v: does not wrap %v", err, errno)
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("more than a line: %q", err)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q does not say %q", err, w)
		}
	}
}

func openErr(cfg Config) error {
	d, err := Open(cfg)
	if d != nil {
		d.Close()
	}
	return err
}

func TestConfigThatCannotBeIsRefused(t *testing.T) {
	for _, c := range []struct {
		cfg   Config
		words []string
	}{
		{Config{Name: "a-name-that-is-too-long"}, []string{"a-name-that-is-too-long", "15 octets"}},
		{Config{Name: "a b"}, []string{`"a b"`, "not a name"}},
		{Config{Name: "a/b"}, []string{"not a name"}},
		{Config{Name: ".."}, []string{"not a name"}},
		{Config{Name: "a%s"}, []string{"not a name"}},
		{Config{Name: "%d%d"}, []string{"not a name"}},
		{Config{MTU: 67}, []string{"MTU 67", "below the minimum", "68"}},
		{Config{MTU: -1}, []string{"MTU -1", "below"}},
		{Config{MTU: 65536}, []string{"MTU 65536", "above"}},
		{Config{Queues: -1}, []string{"-1 queues"}},
		{Config{Queues: 257}, []string{"257 queues", "256"}},
		{Config{Offload: 9}, []string{"Offload(9)"}},
		{Config{RingLen: -1}, []string{"ring of -1"}},
	} {
		wantLine(t, openErr(c.cfg), unix.EINVAL, c.words...)
	}
}

func TestOffloadIsReadAndWritten(t *testing.T) {
	for _, s := range []string{"auto", "on", "off"} {
		if o, err := ParseOffload(s); err != nil || o.String() != s {
			t.Errorf("ParseOffload(%q) = %v, %v", s, o, err)
		}
	}
	_, err := ParseOffload("maybe")
	wantLine(t, err, unix.EINVAL, `"maybe"`, "auto, on or off")
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	eachBackend(t, func(t *testing.T, cfg Config) {
		withoutNetAdmin(t, func() {
			cfg.Name = "weir0"
			wantLine(t, openErr(cfg), unix.EPERM, "open weir0", "no permission", "CAP_NET_ADMIN")
		})

		cfg.Name = "lo"
		wantLine(t, openErr(cfg), unix.EEXIST, "open lo", "in use", "another kind", "choose another name")

		tap, _, err := attach("tap0", unix.IFF_TAP|unix.IFF_NO_PI)
		must(t, err)
		defer unix.Close(tap)
		cfg.Name = "tap0"
		wantLine(t, openErr(cfg), unix.EEXIST, "open tap0", "TAP device")

		mustOpen(t, Config{Name: "held0"})
		cfg.Name = "held0"
		wantLine(t, openErr(cfg), unix.EBUSY, "open held0", "in use", "another program")

		l := makeOperators(t, Config{Name: "oper0"})
		must(t, netlink.LinkSetUp(l))
		first := mustOpen(t, Config{Name: "oper0"})
		cfg.Name = "oper0"
		if cfg.Queues <= 1 {
			wantLine(t, openErr(cfg), unix.EBUSY, "open oper0", "in use")
		} else {
			wantLine(t, openErr(cfg), unix.EINVAL, "open oper0", "one queue only", "multi_queue")
		}
		first.Close()

		cfg.Name, cfg.Namespace = "weir0", "no-such-namespace"
		wantLine(t, openErr(cfg), unix.ENOENT, "/run/netns/no-such-namespace", "does not exist", "ip netns add")
		cfg.Namespace = filepath.Join(t.TempDir(), "file")
		must(t, os.WriteFile(cfg.Namespace, nil, 0o600))
		wantLine(t, openErr(cfg), unix.EINVAL, cfg.Namespace, "not a network namespace")
	})
}

func TestMissingCloneDeviceIsExplained(t *testing.T) {
	eachBackend(t, func(t *testing.T, cfg Config) {
		real := cloneDevice
		defer func() { cloneDevice = real }()
		cfg.Name = "weir0"
		cloneDevice = filepath.Join(t.TempDir(), "tun")
		wantLine(t, openErr(cfg), unix.ENOENT, "open weir0", "there is no "+cloneDevice, "modprobe tun")
		cloneDevice = "/dev/null"
		if err := openErr(cfg); err == nil {
			t.Error("a device over /dev/null")
		}
	})
	for err, want := range map[error]string{unix.EACCES: "no permission", unix.ENODEV: "no driver", unix.EMFILE: "ulimit -n"} {
		wantLine(t, openError("weir0", cloneDevice, err), err, want)
	}
}

func TestMTUAndIPv6AddressesFitTogether(t *testing.T) {
	inNamespace(t, func(*Namespace) {
		d := mustOpen(t, Config{})
		wantLine(t, d.SetMTU(67), unix.EINVAL, "MTU 67", d.Name(), "68")
		wantLine(t, d.SetMTU(65536), unix.EINVAL, "65535")
		must(t, d.SetMTU(1279))
		wantLine(t, d.AddHostAddress(host6), unix.EINVAL, "2001:db8:77::1/64", "1279", "1280")
		must(t, d.SetMTU(68))
		must(t, d.AddHostAddress(host4))
		must(t, d.SetMTU(1280))
		must(t, d.AddHostAddress(host6))
		wantLine(t, d.SetMTU(1279), unix.EINVAL, "MTU 1279", "1280", "2001:db8:77::1/64")
		must(t, d.RemoveHostAddress(host6))
		must(t, d.SetMTU(1279))
	})
}

func TestAddressInUseIsRefused(t *testing.T) {
	inNamespace(t, func(*Namespace) {
		a := mustOpenUp(t, Config{})
		b := mustOpenUp2(t)
		must(t, a.AddHostAddress(host4)) // twice the same does no harm
		wantLine(t, b.AddHostAddress(host4), unix.EADDRINUSE, "192.0.2.1/24 to "+b.Name(), "in use", a.Name())
		wantLine(t, b.AddHostAddress(prefix("2001:db8:77::1/128")), unix.EADDRINUSE, "in use", a.Name())
		wantLine(t, a.AddHostAddress(prefix("192.0.2.1/25")), unix.EADDRINUSE, "in use")
		wantLine(t, a.AddHostAddress(netip.Prefix{}), unix.EINVAL, "not an address")
		wantLine(t, a.AddHostAddress(prefix("ff02::1/64")), unix.EINVAL, "no interface")
		wantLine(t, a.AddHostAddress(prefix("0.0.0.0/0")), unix.EINVAL, "no interface")
		wantLine(t, a.AddHostAddress(prefix("::ffff:192.0.2.9/120")), unix.EINVAL, "plain")
		wantLine(t, a.RemoveHostAddress(prefix("192.0.2.77/24")), unix.EADDRNOTAVAIL, "192.0.2.77/24", "does not have it")
		must(t, a.RemoveHostAddress(host4))
		must(t, b.AddHostAddress(host4))
		withoutNetAdmin(t, func() {
			wantLine(t, a.AddHostAddress(prefix("192.0.2.99/24")), unix.EPERM, "CAP_NET_ADMIN")
			wantLine(t, a.SetMTU(1400), unix.EPERM, "CAP_NET_ADMIN")
		})
		must(t, os.WriteFile("/proc/sys/net/ipv6/conf/"+b.Name()+"/disable_ipv6", []byte("1"), 0))
		wantLine(t, b.AddHostAddress(prefix("2001:db8:5::1/64")), unix.EACCES, "IPv6 is switched off", "disable_ipv6")
	})
}

func mustOpenUp2(t *testing.T) *Device {
	d := mustOpen(t, Config{})
	must(t, d.Up())
	return d
}

func TestRoutesThatCannotBeAreExplained(t *testing.T) {
	inNamespace(t, func(*Namespace) {
		a := mustOpenUp(t, Config{})
		b := mustOpenUp2(t)
		net4, net6 := prefix("198.51.100.0/24"), prefix("2001:db8:99::/48")
		must(t, a.AddRoute(net4, netip.Addr{}))
		must(t, a.AddRoute(net4, netip.Addr{})) // the same again
		must(t, a.AddRoute(net6, weir6))
		must(t, a.AddRoute(prefix("203.0.113.7/24"), weir4)) // host bits do no harm
		wantLine(t, b.AddRoute(net4, netip.Addr{}), unix.EEXIST, "198.51.100.0/24", a.Name()+" already")
		wantLine(t, b.AddRoute(net4, weir4), unix.ENETUNREACH, "next hop")
		wantLine(t, a.AddRoute(net6, weir4), unix.EINVAL, "one address family")
		wantLine(t, a.AddRoute(netip.Prefix{}, weir4), unix.EINVAL)
		wantLine(t, b.RemoveRoute(net4, netip.Addr{}), unix.ESRCH, "no such route")
		must(t, a.RemoveRoute(net4, netip.Addr{}))
		must(t, b.AddRoute(net4, netip.Addr{}))
		must(t, b.AddRoute(prefix("0.0.0.0/0"), netip.Addr{}))
		must(t, b.AddRoute(prefix("::/0"), netip.Addr{}))
		must(t, b.Down())
		wantLine(t, b.AddRoute(prefix("198.18.0.0/15"), netip.Addr{}), unix.ENETDOWN, "down")
		startEcho(a)
		must(t, ping(prefix("203.0.113.9/32").Addr(), 8))
		must(t, ping(prefix("2001:db8:99::9/128").Addr(), 8))
	})
}
