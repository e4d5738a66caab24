package main

import (
	"bufio"
	"fmt"
	"os"
)

// The zone that is asked: its name, and that in a query.
const (
	dnsZone     = "bench.example."
	dnsZoneWire = "\x05bench\x07example\x00"
)

// writeDNSZone writes a zone of so many hosts, as everybody reads it.
func writeDNSZone(path string, hosts int) error {
	return writeZone(path, dnsZone, func(w *bufio.Writer) {
		for n := range hosts {
			fmt.Fprintf(w, "%s A 198.51.%d.%d\n", dnsHost(n), n>>8&0xff, n&0xff)
		}
	})
}

// writeDNSRoot writes a root zone in which every host of the zone has the same address: what resolvers fill their
// caches from.
func writeDNSRoot(path string) error {
	return writeZone(path, ".", func(w *bufio.Writer) {
		fmt.Fprintf(w, "*.%s A 198.51.100.1\n", dnsZone)
	})
}

func writeZone(path, origin string, hosts func(w *bufio.Writer)) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	ns := "ns." + origin
	if origin == "." {
		ns = "ns.root."
	}
	fmt.Fprintf(w, "$ORIGIN %s\n$TTL 86400\n@ SOA %s hostmaster.%s 1 3600 600 604800 3600\n@ NS %s\n%s A %v\n", origin, ns, ns, ns, ns, clientPrefix.Addr())
	hosts(w)
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}
