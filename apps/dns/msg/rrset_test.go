package msg

import (
	"net/netip"
	"testing"
)

func TestRRsetsGatherRecordsWithTheirSignatures(t *testing.T) {
	var rrs []RR
	for i := range 60 { // each twice
		rrs = append(rrs, A(MustName("a.example."), uint32(300-i), netip.AddrFrom4([4]byte{192, 0, 2, byte(i % 30)})))
		if i == 5 {
			rrs = append(rrs, NS(MustName("b.example."), 60, MustName("ns.example.")))
		}
	}
	sig, err := ParseRR("A.Example. 300 IN RRSIG A 13 2 300 20300101000000 20200101000000 12345 example. aaaa")
	if err != nil {
		t.Fatal(err)
	}
	sets := RRsets(append(rrs, sig, sig))
	if len(sets) != 2 || len(sets[0].Data) != 30 || len(sets[0].Sigs) != 1 || sets[0].TTL != 241 || sets[1].Type != TypeNS {
		t.Errorf("%d sets, %d records, %d signatures, TTL %d", len(sets), len(sets[0].Data), len(sets[0].Sigs), sets[0].TTL)
	}
	if all := sets[0].AppendTo(nil, true); len(all) != 31 || all[30].Type != TypeRRSIG || len(sets[0].RRs()) != 30 {
		t.Errorf("%d records in all", len(all))
	}
}
