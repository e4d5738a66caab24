package kernelhost

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/weirnet/weir/stack/script"
)

const congestionControl = "net.ipv4.tcp_congestion_control"

// Sysctl writes a setting of Linux below /proc/sys in the namespace; "route.initcwnd",
// "route.initrwnd" and the like are metrics of the route to the script's side.
//
// In a script a setting takes no time: the host's clock stands still meanwhile.
func (h *Host) Sysctl(name, value string, try bool) error {
	began := time.Now()
	defer func() { h.stood.Add(int64(time.Since(began))) }()
	if metric, ok := strings.CutPrefix(name, "route."); ok {
		return h.metric(metric, value, try)
	}
	if !strings.HasPrefix(strings.ReplaceAll(name, "/", "."), "net.") || strings.Contains(name, "..") {
		// Others are the machine's own, whatever namespace they are written from.
		return fmt.Errorf("set %s: a script may set what is below net. only, which is the namespace's own", name)
	}
	file := filepath.Join("/proc/sys", filepath.Clean("/"+strings.ReplaceAll(name, ".", "/")))
	return h.ns.Do(func() error {
		if _, err := os.Stat(file); err != nil {
			return fmt.Errorf("set %s: this kernel has no such setting", name)
		}
		if try {
			return nil
		}
		err := os.WriteFile(file, []byte(value), 0)
		if name == congestionControl && errors.Is(err, unix.EPERM) {
			// Not every algorithm may be a namespace's default, but root may give any to a socket.
			h.congestion, err = value, nil
		}
		if err != nil {
			return fmt.Errorf("set %s to %q: %w", name, value, err)
		}
		return nil
	})
}

// quiet keeps the kernel from sending what no script is about.
func (h *Host) quiet() error {
	return h.ns.Do(func() error {
		for file, value := range map[string]string{
			"/proc/sys/net/ipv6/conf/tun0/router_solicitations": "0",
			"/proc/sys/net/ipv4/conf/all/rp_filter":             "0",
			"/proc/sys/net/ipv4/conf/tun0/rp_filter":            "0",
		} {
			if err := os.WriteFile(file, []byte(value), 0); err != nil && !os.IsNotExist(err) {
				return fmt.Errorf("prepare the namespace of a script: %w", err)
			}
		}
		return nil
	})
}

// metric sets a metric of the route to the script's side.
func (h *Host) metric(name, value string, try bool) error {
	n, err := strconv.Atoi(value)
	if err != nil {
		return fmt.Errorf("set the route's %s to %q: not a number", name, value)
	}
	return h.ns.Do(func() error {
		link, err := netlink.LinkByName("tun0")
		if err != nil {
			return err
		}
		p := defaultRoute(h.net.Remote)
		r := &netlink.Route{
			LinkIndex: link.Attrs().Index, Scope: netlink.SCOPE_LINK,
			Dst: &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(0, p.Addr().BitLen())},
		}
		switch name {
		case "initcwnd":
			r.InitCwnd = n
		case "initrwnd":
			r.InitRwnd = n
		case "mtu":
			r.MTU = n
		case "advmss":
			r.AdvMSS = n
		default:
			return fmt.Errorf("set the route's %s: not a metric that is known here", name)
		}
		if try {
			return nil
		}
		return netlink.RouteReplace(r)
	})
}

// Abort asks the kernel to destroy the connection between two ends (SOCK_DESTROY).
func (h *Host) Abort(local, remote netip.AddrPort) bool {
	return h.ns.Do(func() error {
		return netlink.SocketDestroy(net.TCPAddrFromAddrPort(local), net.TCPAddrFromAddrPort(remote))
	}) == nil
}

// Connections lists the kernel's TCP connections in the namespace.
func (h *Host) Connections() (list []script.Connection) {
	h.ns.Do(func() error {
		for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
			socks, err := netlink.SocketDiagTCPInfo(family)
			if err != nil {
				continue
			}
			for _, s := range socks {
				list = append(list, connection(s))
			}
		}
		return nil
	})
	return list
}

// states are the names of the kernel's numbers, from 1 on.
var states = [...]string{
	"ESTABLISHED", "SYN-SENT", "SYN-RECEIVED", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT", "CLOSED", "CLOSE-WAIT",
	"LAST-ACK", "LISTEN", "CLOSING", "SYN-RECEIVED",
}

func connection(s *netlink.InetDiagTCPInfoResp) script.Connection {
	d := s.InetDiagMsg
	c := script.Connection{Protocol: "tcp", State: strconv.Itoa(int(d.State))}
	if i := int(d.State) - 1; i >= 0 && i < len(states) {
		c.State = states[i]
	}
	c.Local, c.Remote = end(d.ID.Source, d.ID.SourcePort), end(d.ID.Destination, d.ID.DestinationPort)
	if t := s.TCPInfo; t != nil {
		c.Details = fmt.Sprintf("cwnd %d ssthresh %d unacked %d sacked %d lost %d retrans %d rtt %d us rto %d us",
			t.Snd_cwnd, t.Snd_ssthresh, t.Unacked, t.Sacked, t.Lost, t.Retrans, t.Rtt, t.Rto)
	}
	return c
}

// end is an address and a port, not valid where both are unspecified.
func end(ip net.IP, port uint16) netip.AddrPort {
	a, ok := netip.AddrFromSlice(ip)
	if !ok || port == 0 && a.IsUnspecified() {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(a.Unmap(), port)
}

// Counter reads one of the counters that nstat shows: "TcpExtBeyondWindow" is BeyondWindow of TcpExt in
// /proc/net/netstat, "TcpOutRsts" is OutRsts of Tcp in /proc/net/snmp.
func (h *Host) Counter(name string) (v uint64, ok bool) {
	h.ns.Do(func() error {
		for _, file := range []string{"/proc/thread-self/net/netstat", "/proc/thread-self/net/snmp"} {
			raw, err := os.ReadFile(file)
			if err != nil {
				continue
			}
			if v, ok = counter(string(raw), name); ok {
				break
			}
		}
		return nil
	})
	return v, ok
}

// counter finds a counter in pairs of lines, the names and the values of a group.
func counter(text, name string) (uint64, bool) {
	lines := strings.Split(text, "\n")
	for i := 0; i+1 < len(lines); i += 2 {
		names, values := strings.Fields(lines[i]), strings.Fields(lines[i+1])
		if len(names) == 0 || len(names) != len(values) {
			continue
		}
		group := strings.TrimSuffix(names[0], ":")
		for j := 1; j < len(names); j++ {
			if group+names[j] == name {
				v, err := strconv.ParseUint(values[j], 10, 64)
				return v, err == nil
			}
		}
	}
	return 0, false
}
