package main

import (
	"github.com/spf13/cobra"

	"github.com/weirnet/weir/cmd/weir/internal/netflag"
)

func newDNSServe() *cobra.Command {
	f := &upFlags{devices: netflag.NewDevices(upDefaults), serve: "dns"}
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve zones, or resolve for others, until interrupted",
		Long: `Puts weir's stack on a TUN device, as weir up does, and a name server on the stack: an authority for zones
of master files and of other servers, a recursive resolver, a forwarder, or all of them. It prints
a line that begins with "ready" when it answers.

A zone of its own is answered for first; then the longest zone that is forwarded; then, with
--recursive, everything else. The last two only for clients nearby, or those that --allow names. SIGHUP has the
zones' files read again: no query is lost, and a file that cannot be read leaves its zone as it was.

--config FILE has the same settings by the same names, in TOML. What is on the command line goes first. SIGHUP has
the file read again as well: zones, keys, who may what, forwarding and recursion are then as it says, or, where anything in
it is wrong, all as before. The cache forgets what others are to be asked about now. Only log, log-sample, rate-limit,
max-udp, max-connections, cache-size and serve-stale stay:

` + dnsFileExample,
		Example: "  weir dns serve --tree                                 # the demonstration tree: dig @203.0.113.53 www.weir.example\n" +
			"  weir dns serve --zone example.org=example.org.zone    # an authority: dig @192.0.2.2 example.org\n" +
			"  weir dns serve --zone example.org=f --allow-transfer 192.0.2.1 --notify 192.0.2.1\n" +
			"  weir dns serve --secondary example.org=192.0.2.1@transfer --key transfer:c2VjcmV0c2VjcmV0\n" +
			"  weir dns serve --recursive --route 0.0.0.0/0,via=192.0.2.1\n" +
			"  weir dns serve --forward .=192.0.2.1 --forward corp.example=10.0.0.53,10.0.1.53\n" +
			"  weir dns serve --forward .=tls://192.0.2.1#dns.example --allow 10.0.0.0/8\n" +
			"  weir dns serve --zone example.org=f --reverse 192.0.2.0/24 --metrics 127.0.0.1:9100\n" +
			"  weir dns serve --zone example.org=f --log queries.log --log-sample 100\n" +
			"  weir dns serve --config names.toml",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), cmd.OutOrStdout()) },
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	f.names.register(fs, "forward")
	f.devices.Register(fs)
	f.routes.Register(fs)
	fs.StringVar(&f.netns, "netns", "", "put the devices in the network namespace `NAME` (or a path)")
	fs.StringVar(&f.pcap, "pcap", "", "capture every packet to `FILE`, in the pcapng format")
	fs.StringVar(&f.metrics, "metrics", "", "serve Prometheus' metrics at http://`ADDR`/metrics, on the host's network")
	fs.StringVar(&f.control, "control", "", "listen at `PATH` for weir dns cache and reload, weir ss and weir stats")
	return cmd
}
