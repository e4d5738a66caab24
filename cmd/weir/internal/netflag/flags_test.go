package netflag

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

var testDefaults = Defaults{
	Name:      "weir0",
	Addrs:     []netip.Prefix{netip.MustParsePrefix("192.0.2.2/24"), netip.MustParsePrefix("2001:db8:77::2/64")},
	HostAddrs: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/24"), netip.MustParsePrefix("2001:db8:77::1/64")},
	MTU:       1500,
	Offload:   OffloadAuto,
	Queues:    1,
}

// parse reads a command line and gives its devices and routes as text.
func parse(line string) (string, error) {
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	devices, routes := NewDevices(testDefaults), new(Routes)
	devices.Register(fs)
	routes.Register(fs)
	if err := fs.Parse(strings.Fields(line)); err != nil {
		return "", err
	}
	ds, err := devices.Resolve()
	if err != nil {
		return "", err
	}
	rs, err := routes.Resolve(ds)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, d := range ds {
		host := list(d.HostAddrs)
		if d.HostNone {
			host = "none"
		}
		fmt.Fprintf(&b, "%s: %s | %s | %d %s %d\n", d.Name, list(d.Addrs), host, d.MTU, d.Offload, d.Queues)
	}
	for _, r := range rs {
		fmt.Fprintf(&b, "route %s", r.Dst)
		if r.Via.IsValid() {
			fmt.Fprintf(&b, " via %s", r.Via)
		}
		fmt.Fprintf(&b, " dev %s", r.Dev)
		if r.OnLink {
			b.WriteString(" onlink")
		}
		b.WriteByte('\n')
	}
	return b.String(), nil
}

const both = "route 0.0.0.0/0 dev weir0\nroute ::/0 dev weir0\n"

func TestFlagsAfterATunBelongToIt(t *testing.T) {
	tests := []struct{ name, line, want string }{
		{"everything by default", "",
			"weir0: 192.0.2.2/24, 2001:db8:77::2/64 | 192.0.2.1/24, 2001:db8:77::1/64 | 0 auto 1\n" + both},
		{"a name keeps the default addresses", "--tun weir0 --mtu 9000 --offload off --queues 4",
			"weir0: 192.0.2.2/24, 2001:db8:77::2/64 | 192.0.2.1/24, 2001:db8:77::1/64 | 9000 off 4\n" + both},
		{"the order does not matter with one device", "--addr 10.0.0.2/24 --host-addr 10.0.0.9/24 --tun weir0",
			"weir0: 10.0.0.2/24 | 10.0.0.9/24 | 0 auto 1\n" + both},
		{"the host's address follows from weir's", "--addr 10.0.0.2/24 --addr fd00::2/64 --addr 10.0.0.3/24",
			"weir0: 10.0.0.2/24, fd00::2/64, 10.0.0.3/24 | 10.0.0.1/24, fd00::1/64 | 0 auto 1\n" + both},
		{"it is not weir's own", "--addr 10.0.0.1/24 --addr fd00::1/64",
			"weir0: 10.0.0.1/24, fd00::1/64 | 10.0.0.2/24, fd00::2/64 | 0 auto 1\n" + both},
		{"weir's address follows from the host's", "--host-addr 10.0.0.1/24",
			"weir0: 10.0.0.2/24 | 10.0.0.1/24 | 0 auto 1\n" + both},
		{"point to point, RFC 3021 and 6164", "--addr 10.0.0.4/31 --addr fd00::5/127",
			"weir0: 10.0.0.4/31, fd00::5/127 | 10.0.0.5/31, fd00::4/127 | 0 auto 1\n" + both},
		{"a single address leaves the host without", "--addr 10.0.0.4/32",
			"weir0: 10.0.0.4/32 |  | 0 auto 1\n" + both},
		{"none leaves the host's side alone", "--host-addr none",
			"weir0: 192.0.2.2/24, 2001:db8:77::2/64 | none | 0 auto 1\n" + both},
		{"several devices", "--mtu 1400 --tun weir0 --addr 10.0.0.2/24 --tun weir1 --addr 10.0.1.2/24 --mtu 1300 --host-addr none --offload off",
			"weir0: 10.0.0.2/24 | 10.0.0.1/24 | 1400 auto 1\nweir1: 10.0.1.2/24 | none | 1300 off 1\n"},
		{"a route replaces its family's default", "--route 0.0.0.0/0,via=192.0.2.1 --route 10.0.0.0/8,dev=weir0",
			"weir0: 192.0.2.2/24, 2001:db8:77::2/64 | 192.0.2.1/24, 2001:db8:77::1/64 | 0 auto 1\n" +
				"route 0.0.0.0/0 via 192.0.2.1 dev weir0\nroute 10.0.0.0/8 dev weir0\nroute ::/0 dev weir0\n"},
		{"a next hop says which device", "--tun weir0 --addr 10.0.0.2/24 --tun weir1 --addr 10.0.1.2/24 --route ::/0,dev=weir0 --route 10.9.0.0/16,via=10.0.1.1",
			"weir0: 10.0.0.2/24 | 10.0.0.1/24 | 0 auto 1\nweir1: 10.0.1.2/24 | 10.0.1.1/24 | 0 auto 1\n" +
				"route ::/0 dev weir0\nroute 10.9.0.0/16 via 10.0.1.1 dev weir1\n"},
		{"a next hop that no subnet has", "--addr 10.0.0.2/32 --route 0.0.0.0/0,via=10.0.0.1,onlink --route ::/0",
			"weir0: 10.0.0.2/32 |  | 0 auto 1\nroute 0.0.0.0/0 via 10.0.0.1 dev weir0 onlink\nroute ::/0 dev weir0\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parse(tt.line)
			if err != nil {
				t.Fatal(err)
			}
			if got != tt.want {
				t.Errorf("%s\ngot\n%swant\n%s", tt.line, got, tt.want)
			}
		})
	}
}

func TestWhatCannotBeIsRefusedInOneLine(t *testing.T) {
	tests := []struct{ line, want string }{
		{"--tun a-name-that-is-too-long", "at most 15"},
		{"--tun a/b", "slash"},
		{"--tun weir%s", "%d"},
		{"--tun weir0 --addr 10.0.0.2/24 --tun weir0 --addr 10.0.1.2/24", "given twice"},
		{"--addr 10.0.0.2", "10.0.0.2/24"},
		{"--addr fd00::2", "fd00::2/64"},
		{"--addr nonsense", "not an address"},
		{"--addr 10.0.0.0/24", "network's own"},
		{"--addr 10.0.0.255/24", "broadcast"},
		{"--addr 224.0.0.1/24", "no address for a host"},
		{"--addr ::ffff:10.0.0.1/120", "as IPv4"},
		{"--addr 10.0.0.2/24 --addr 10.0.0.2/16", "given twice"},
		{"--addr 10.0.0.2/24 --host-addr 10.0.0.2/24", "both"},
		{"--host-addr none --host-addr 10.0.0.1/24", "contradicts"},
		{"--host-addr 10.0.0.1/24 --host-addr none", "contradicts"},
		{"--host-addr 10.0.0.1/32", "none follows"},
		{"--addr 10.0.0.2/24 --tun weir0 --tun weir1", "before the first"},
		{"--host-addr none --tun weir0 --tun weir1", "before the first"},
		{"--tun weir0 --tun weir1 --addr 10.0.0.2/24", "--tun weir0 has no --addr"},
		{"--mtu 67 --addr 10.0.0.2/24", "68"},
		{"--mtu 1279", "1280"},
		{"--mtu 70000", "65535"},
		{"--mtu x", "number"},
		{"--offload maybe", "auto, on or off"},
		{"--queues 0", "1 to 256"},
		{"--route 10.0.0.1/8", "10.0.0.0/8"},
		{"--route nonsense", "not a destination"},
		{"--route 10.0.0.0/8,via=fd00::1", "families"},
		{"--route 10.0.0.0/8,via=x", "not an address"},
		{"--route 10.0.0.0/8,weight=3", "none of"},
		{"--route 10.0.0.0/8,via=10.9.0.1,onlink=no", "none of"},
		{"--route 10.0.0.0/8,onlink", "give via=ADDR"},
		{"--route 10.0.0.0/8,dev=weir9", "no --tun weir9"},
		{"--tun weir0 --addr 10.0.0.2/24 --tun weir1 --addr 10.0.1.2/24 --route 10.9.0.0/16", "which of the devices"},
		{"--tun weir0 --addr 10.0.0.2/24 --tun weir1 --addr 10.0.1.2/24 --route 10.9.0.0/16,via=10.7.0.1", "dev=NAME"},
	}
	for _, tt := range tests {
		_, err := parse(tt.line)
		if err == nil {
			t.Errorf("%s: accepted", tt.line)
			continue
		}
		if !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %q, want one line with %q", tt.line, err, tt.want)
		}
	}
}

func TestHelpShowsTheDefaults(t *testing.T) {
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	NewDevices(testDefaults).Register(fs)
	usage := fs.FlagUsages()
	for _, want := range []string{"--tun NAME", "(default weir0)", "192.0.2.2/24, 2001:db8:77::2/64", "(default 1500)", "(default auto)"} {
		if !strings.Contains(usage, want) {
			t.Errorf("no %q in\n%s", want, usage)
		}
	}
}

func FuzzFlagsNeverPanic(f *testing.F) {
	f.Add("--tun weir0 --addr 10.0.0.2/24 --host-addr none --mtu 9000 --route ::/0,via=fd00::1,dev=weir0")
	f.Add("--addr 255.255.255.254/31 --addr ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/126")
	f.Fuzz(func(_ *testing.T, line string) { _, _ = parse(line) })
}
