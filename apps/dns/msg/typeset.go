package msg

import (
	"slices"
	"strings"
)

// TypeSet is the set of types of an NSEC or NSEC3 record, as the wire has it: a bitmap per
// window of 256 types (RFC 4034 section 4.1.2).
type TypeSet string

// NewTypeSet returns the set of those types.
func NewTypeSet(types ...Type) TypeSet {
	types = slices.Clone(types)
	slices.Sort(types)
	var b []byte
	window, at := -1, 0 // the window in hand, and where its length stands
	for _, t := range types {
		if int(t>>8) != window {
			window, at = int(t>>8), len(b)+1
			b = append(b, byte(window), 0)
		}
		octet := int(t&0xff) / 8
		for int(b[at]) <= octet {
			b = append(b, 0)
			b[at]++
		}
		b[at+1+octet] |= 0x80 >> (t & 7)
	}
	return TypeSet(b)
}

// Has reports whether t is in the set.
func (s TypeSet) Has(t Type) bool {
	for len(s) >= 2 && len(s) >= 2+int(s[1]) {
		if s[0] == byte(t>>8) {
			octet := int(t&0xff) / 8
			return octet < int(s[1]) && s[2+octet]&(0x80>>(t&7)) != 0
		}
		s = s[2+int(s[1]):]
	}
	return false
}

// Types returns what is in the set, in ascending order.
func (s TypeSet) Types() []Type {
	var types []Type
	for len(s) >= 2 && len(s) >= 2+int(s[1]) {
		for i := range 8 * int(s[1]) {
			if s[2+i/8]&(0x80>>(i&7)) != 0 {
				types = append(types, Type(s[0])<<8|Type(i))
			}
		}
		s = s[2+int(s[1]):]
	}
	return types
}

// String returns the mnemonics with spaces between them.
func (s TypeSet) String() string {
	var names []string
	for _, t := range s.Types() {
		names = append(names, t.String())
	}
	return strings.Join(names, " ")
}
