package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/weirnet/weir/apps/dns/tree"
	"github.com/weirnet/weir/cmd/weir/internal/netflag"
	"github.com/weirnet/weir/cmd/weir/internal/node"
)

// upDefaults are the devices of a plain weir up: TEST-NET-1 (RFC 5737) and the
// documentation prefix (RFC 3849).
var upDefaults = netflag.Defaults{
	Name:      "weir0",
	Addrs:     []netip.Prefix{netip.MustParsePrefix("192.0.2.2/24"), netip.MustParsePrefix("2001:db8:77::2/64")},
	HostAddrs: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/24"), netip.MustParsePrefix("2001:db8:77::1/64")},
	MTU:       1500,
	Offload:   netflag.OffloadAuto,
	Queues:    1,
}

// upFlags are the flags of weir up.
type upFlags struct {
	devices *netflag.Devices
	routes  netflag.Routes
	forward bool
	netns   string
	serve   string
	pcap    string
	metrics string
	control string
	profile string
	sysctls map[string]string
	names   dnsFlags
}

const upLong = `Puts weir's stack on a TUN device of this host, or on several, until interrupted.

A device that exists is used and left as it was found; one that does not is made
and is gone when weir ends. Making one needs root or CAP_NET_ADMIN.

--addr, --host-addr, --mtu, --offload and --queues belong to the --tun before them.
Where one side's addresses are left out they follow from the other's: the first free
address of the same prefix. By default everything that weir sends goes out by its
one device; with several, or for a family that has a --route, only what the routes say.
The next hop of a --route must be a neighbour on its device, but with onlink.

With dns among --serve it is a name server too, and takes the flags of weir dns serve; what
is --forward there is --forward-zone here.`

const upExample = `  weir up                                              # weir0: 192.0.2.2 and 2001:db8:77::2
  weir up --tun tun7                                   # another name for the device
  weir up --addr 10.9.0.2/24 --addr fd09::2/64         # other addresses for weir
  weir up --addr 10.9.0.2/24 --host-addr 10.9.0.77/24  # and for the host
  weir up --host-addr none                             # the host's side is set up by somebody else
  weir up --route 0.0.0.0/0,via=192.0.2.1              # everything by a next hop
  weir up --mtu 9000                                   # jumbo packets
  weir up --offload off                                # plain packets, no larger than the MTU
  weir up --queues 2                                   # two receive loops
  weir up --netns blue                                 # the device in the namespace blue (ip netns)
  weir up --serve echo,daytime                         # not discard and chargen; or none
  weir up --serve echo,dns --zone example.org=FILE     # a name server too: see weir dns serve
  weir up --pcap weir.pcapng                           # every packet, for tshark or Wireshark
  weir up --metrics 127.0.0.1:9100                     # Prometheus, on the host's network
  weir up --sysctl net.ipv4.tcp_keepalive_time=600     # keep-alives after ten minutes
  weir up --profile linux                              # TCP as Linux has it
  weir up --control /run/user/1000/weir.sock           # where weir ss and weir stats ask

  # a router between two devices, with a network behind 10.2.0.9
  weir up --forward --tun left --addr 10.1.0.2/24 --tun right --addr 10.2.0.2/24 \
          --route 10.3.0.0/16,via=10.2.0.9,dev=right`

func newUp() *cobra.Command {
	f := &upFlags{devices: netflag.NewDevices(upDefaults)}
	cmd := &cobra.Command{
		Use:     "up",
		Short:   "Put the stack on a TUN device, until interrupted",
		Long:    upLong,
		Example: upExample,
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), cmd.OutOrStdout()) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	f.devices.Register(flags)
	f.routes.Register(flags)
	flags.BoolVar(&f.forward, "forward", false, "pass packets on between the devices, as a router")
	flags.StringVar(&f.netns, "netns", "", "put the devices in the network namespace `NAME` (or a path)")
	flags.StringVar(&f.serve, "serve", defaultServices, "the `LIST` of services to run, or none")
	flags.StringVar(&f.pcap, "pcap", "", "capture every packet to `FILE`, in the pcapng format")
	flags.StringVar(&f.metrics, "metrics", "", "serve Prometheus' metrics at http://`ADDR`/metrics, on the host's network")
	flags.StringVar(&f.profile, "profile", "", "behave like `STACK` where the RFCs leave room: weir, linux or freebsd")
	flags.StringToStringVar(&f.sysctls, "sysctl", nil, "set `NAME=VALUE`, by the name that Linux or FreeBSD has for it; may be given again")
	flags.StringVar(&f.control, "control", "", "listen at `PATH` for weir ss and weir stats")
	flags.Lookup("sysctl").DefValue = "" // pflag's is []
	f.registerNames(flags)
	return cmd
}

// registerNames adds the flags of weir dns serve. Its help has them; here there is one, that they begin with.
func (f *upFlags) registerNames(flags *pflag.FlagSet) {
	names := pflag.NewFlagSet("dns", pflag.ContinueOnError)
	f.names.register(names, "forward-zone")
	names.VisitAll(func(flag *pflag.Flag) { flag.Hidden = flag.Name != "zone" })
	flags.AddFlagSet(names)
}

// config reads the flags that describe the network.
func (f *upFlags) config(t *tree.Tree) (node.Config, error) {
	devices, err := f.devices.Resolve()
	if t != nil {
		devices, err = treeDevices(f.devices, t)
	}
	if err != nil {
		return node.Config{}, err
	}
	routes, err := f.routes.Resolve(devices)
	if err != nil {
		return node.Config{}, err
	}
	return node.Config{Devices: devices, Routes: routes, Forward: f.forward, Netns: f.netns, Pcap: f.pcap, Profile: f.profile, Sysctls: f.sysctls}, nil
}

func (f *upFlags) run(ctx context.Context, out io.Writer) (err error) {
	services, names, err := parseServices(f.serve)
	if err != nil {
		return err
	}
	t, err := f.nameTree(names)
	if err != nil {
		return err
	}
	cfg, err := f.config(t)
	if err != nil {
		return err
	}
	n, err := node.Open(cfg)
	if err != nil {
		return err
	}
	r := &running{node: n, start: time.Now()}
	defer func() {
		if cerr := r.close(); err == nil {
			err = cerr
		}
	}()
	if err := r.serve(services); err != nil {
		return err
	}
	if names {
		if err := r.serveNames(&f.names, t); err != nil {
			return err
		}
		defer onHangup(func() { r.reload(os.Stderr) })()
	}
	if err := r.expose(f.control, f.metrics); err != nil {
		return err
	}
	if _, err := fmt.Fprint(out, ready(r, f)); err != nil {
		return err
	}
	return r.wait(ctx)
}

// nameTree is the tree to serve, where that is asked for, and says what is wrong with the flags about names.
func (f *upFlags) nameTree(names bool) (*tree.Tree, error) {
	if !names {
		if f.names.said() {
			return nil, errors.New("zones, recursion and forwarding need dns among --serve")
		}
		return nil, nil
	}
	if err := f.names.load(); err != nil {
		return nil, err
	}
	if err := f.names.check(); err != nil || !f.names.tree {
		return nil, err
	}
	return tree.New(tree.Options{Signed: f.names.signed})
}
