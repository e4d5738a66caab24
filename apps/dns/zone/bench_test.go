package zone

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/weirnet/weir/apps/dns/msg"
)

func BenchmarkReadMasterFile(b *testing.B) {
	var text bytes.Buffer
	text.WriteString("$TTL 3600\n@ SOA ns h 1 2 3 4 5\n")
	const names = 100_000
	for i := range names {
		fmt.Fprintf(&text, "host%07d IN A 198.51.%d.%d\n", i, i>>8&255, i&255)
	}
	origin := msg.MustName("example.")
	b.ReportAllocs()
	for range b.N {
		if _, err := Load(NewReader(bytes.NewReader(text.Bytes()), "f", origin, ReadOptions{}), origin); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/names, "ns/record")
}
