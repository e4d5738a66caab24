package dnssec

import (
	"encoding/binary"
	"slices"

	"github.com/weirnet/weir/apps/dns/msg"
)

// signedData returns what a signature of the set covers (RFC 4034 section 3.1.8.1): the RRSIG's
// rdata without the signature, and each record in canonical form and order, once.
func signedData(set *msg.RRset, sig *msg.RRSIG) []byte {
	head := *sig
	head.Signer, head.Signature = sig.Signer.Fold(), ""
	b := []byte(head.Data())
	owner := signedOwner(set.Name, sig.Labels)
	for _, data := range canonicalData(set) {
		b = append(b, owner...)
		b = binary.BigEndian.AppendUint16(b, uint16(set.Type))
		b = binary.BigEndian.AppendUint16(b, uint16(set.Class))
		b = binary.BigEndian.AppendUint32(b, sig.OrigTTL)
		b = binary.BigEndian.AppendUint16(b, uint16(len(data)))
		b = append(b, data...)
	}
	return b
}

// signedOwner returns the name that was signed: the wildcard, where the signature has fewer labels
// than the name (RFC 4035 section 5.3.2).
func signedOwner(name msg.Name, labels uint8) msg.Name {
	name = name.Fold()
	if name.Labels() > int(labels) && !(name.IsWildcard() && name.Labels() == int(labels)+1) {
		return "\x01*" + name.Suffix(int(labels))
	}
	return name
}

// ownerLabels is what an RRSIG's Labels field says of a name: neither the root nor a wildcard's
// asterisk counts (RFC 4034 section 3.1.3).
func ownerLabels(name msg.Name) int {
	n := name.Labels()
	if name.IsWildcard() {
		n--
	}
	return n
}

// canonicalData returns the set's rdata in canonical form and order, without duplicates
// (RFC 4034 sections 6.2 and 6.3).
func canonicalData(set *msg.RRset) []string {
	all := make([]string, len(set.Data))
	for i, d := range set.Data {
		all[i] = msg.RR{Type: set.Type, Class: set.Class, Data: d}.CanonicalData()
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// serialLess compares times in seconds that wrap (RFC 4034 section 3.1.5, RFC 1982).
func serialLess(a, b uint32) bool { return int32(a-b) < 0 }
