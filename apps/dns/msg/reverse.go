package msg

import "net/netip"

// The trees that addresses are names in (RFC 1035 §3.5, RFC 3596 §2.5).
var (
	arpa4 = MustName("in-addr.arpa.")
	arpa6 = MustName("ip6.arpa.")
)

const hexDigits = "0123456789abcdef"

// ReverseName returns the name that an address has in the reverse tree, where its PTR records are. It is "" for an
// address that is not valid. A zone is left out.
func ReverseName(a netip.Addr) Name {
	switch a = a.Unmap(); {
	case a.Is4():
		b := make([]byte, 0, 30)
		p := a.As4()
		for i := 3; i >= 0; i-- {
			at := len(b)
			b = append(b, 0)
			if p[i] >= 100 {
				b = append(b, '0'+p[i]/100)
			}
			if p[i] >= 10 {
				b = append(b, '0'+p[i]/10%10)
			}
			b = append(b, '0'+p[i]%10)
			b[at] = byte(len(b) - at - 1)
		}
		return Name(append(b, arpa4...))
	case a.Is6():
		b := make([]byte, 0, 74)
		p := a.As16()
		for i := 15; i >= 0; i-- {
			b = append(b, 1, hexDigits[p[i]&15], 1, hexDigits[p[i]>>4])
		}
		return Name(append(b, arpa6...))
	}
	return ""
}

// ReverseAddr returns the address that a name of the reverse tree stands for, and false where it is not that of one
// whole address.
func ReverseAddr(n Name) (netip.Addr, bool) {
	n = n.Fold()
	labels := n.Labels()
	if n.Under(arpa4) && labels == 6 {
		var p [4]byte
		for i := 3; i >= 0; i-- {
			l := n.First()
			v := 0
			for _, c := range []byte(l) {
				if c < '0' || c > '9' || len(l) > 3 || len(l) > 1 && l[0] == '0' {
					return netip.Addr{}, false
				}
				v = v*10 + int(c-'0')
			}
			if v > 255 {
				return netip.Addr{}, false
			}
			p[i], n = byte(v), n.Parent()
		}
		return netip.AddrFrom4(p), true
	}
	if !n.Under(arpa6) || labels != 34 {
		return netip.Addr{}, false
	}
	var p [16]byte
	for i := range 32 {
		l := n.First()
		if len(l) != 1 {
			return netip.Addr{}, false
		}
		v := nibble(l[0])
		if v > 15 {
			return netip.Addr{}, false
		}
		p[15-i/2] |= v << (4 * (i % 2))
		n = n.Parent()
	}
	return netip.AddrFrom16(p), true
}

func nibble(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	}
	return 0xff
}
