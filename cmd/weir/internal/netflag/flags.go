package netflag

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
)

// Devices collects the flags that describe devices.
type Devices struct {
	defaults Defaults
	common   spec    // what was said before the first --tun
	named    []*spec // one for each --tun
}

// NewDevices returns a collector with the defaults.
func NewDevices(def Defaults) *Devices { return &Devices{defaults: def} }

// Register adds --tun, --addr, --host-addr, --mtu, --offload and --queues to fs.
func (d *Devices) Register(fs *pflag.FlagSet) {
	fs.Var(&value{kind: "NAME", text: d.defaults.Name, set: d.setTun}, "tun",
		"the TUN `NAME` to open or create, with a free number for a %d in it; the flags after it belong to it (repeatable)")
	fs.Var(&value{kind: "CIDR", text: list(d.defaults.Addrs), set: d.setAddr}, "addr",
		"an address of weir's, as `CIDR` (repeatable)")
	fs.Var(&value{kind: "CIDR", text: list(d.defaults.HostAddrs), set: d.setHostAddr}, "host-addr",
		"an address of the host's on the device, as `CIDR`, or none to leave its side alone (repeatable)")
	fs.Var(&value{kind: "N", text: number(d.defaults.MTU), set: d.setMTU}, "mtu",
		"the largest packet on the wire, `N` octets")
	fs.Var(&value{kind: "auto|on|off", text: string(d.defaults.Offload), set: d.setOffload}, "offload",
		"segments larger than the MTU and checksums left to the kernel: `auto|on|off`")
	fs.Var(&value{kind: "N", text: number(d.defaults.Queues), set: d.setQueues}, "queues",
		"`N` queues of the device, each with a receive loop of its own")
}

// current returns the device that a flag belongs to.
func (d *Devices) current() *spec {
	if n := len(d.named); n > 0 {
		return d.named[n-1]
	}
	return &d.common
}

func (d *Devices) setTun(s string) error {
	if err := checkName(s); err != nil {
		return err
	}
	d.named = append(d.named, &spec{Device: Device{Name: s}})
	return nil
}

func (d *Devices) setAddr(s string) error {
	p, err := parseAddr(s)
	if err != nil {
		return err
	}
	c := d.current()
	for _, q := range c.Addrs {
		if p.Addr() == q.Addr() {
			return errors.New("given twice for the same device")
		}
	}
	c.Addrs = append(c.Addrs, p)
	return nil
}

func (d *Devices) setHostAddr(s string) error {
	c := d.current()
	if s == "none" {
		if len(c.HostAddrs) > 0 {
			return errors.New("none contradicts the --host-addr before it")
		}
		c.HostNone = true
		return nil
	}
	if c.HostNone {
		return errors.New("an address contradicts the --host-addr none before it")
	}
	p, err := parseAddr(s)
	if err != nil {
		return err
	}
	c.HostAddrs = append(c.HostAddrs, p)
	return nil
}

func (d *Devices) setMTU(s string) error {
	n, err := strconv.Atoi(s)
	if err != nil || n <= 0 {
		return errors.New("not a number of octets")
	}
	c := d.current()
	c.MTU, c.mtuSet = n, true
	return nil
}

func (d *Devices) setOffload(s string) error {
	c := d.current()
	switch o := Offload(s); o {
	case OffloadAuto, OffloadOn, OffloadOff:
		c.Offload, c.offloadSet = o, true
		return nil
	}
	return errors.New("must be auto, on or off")
}

func (d *Devices) setQueues(s string) error {
	const most = 256 // MAX_TAP_QUEUES of the kernel
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > most {
		return fmt.Errorf("must be a number from 1 to %d", most)
	}
	c := d.current()
	c.Queues, c.queuesSet = n, true
	return nil
}

// value is a pflag.Value that hands each occurrence of its flag to set.
type value struct {
	kind string
	text string
	set  func(string) error
}

func (v *value) String() string     { return v.text }
func (v *value) Type() string       { return v.kind }
func (v *value) Set(s string) error { return v.set(s) }

func list(ps []netip.Prefix) string {
	texts := make([]string, len(ps))
	for i, p := range ps {
		texts[i] = p.String()
	}
	return strings.Join(texts, ", ")
}

// number leaves a zero out of the help: it stands for "not said".
func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
