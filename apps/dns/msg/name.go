package msg

import (
	"errors"
	"strings"
)

// Limits of RFC 1035 section 2.3.4, in octets of wire form.
const (
	maxName  = 255
	maxLabel = 63
)

// Name is a domain name in wire form: labels, each after an octet of its length, uncompressed,
// and at the end the root's zero octet; at most 255 octets. "" is no name. The case in which a
// name was written is preserved, and it does not count in comparisons (RFC 4343).
type Name string

// Root is the name of the root.
const Root Name = "\x00"

var (
	errNameLong   = errors.New("a name is longer than 255 octets (RFC 1035 section 2.3.4)")
	errLabelLong  = errors.New("a label is longer than 63 octets (RFC 1035 section 2.3.4)")
	errLabelEmpty = errors.New("a label is empty")
)

// Valid reports whether n is a whole name in wire form. The methods of a name that is not valid
// do not panic, and what they return has no meaning.
func (n Name) Valid() bool {
	if len(n) > maxName {
		return false
	}
	for i := 0; i < len(n); {
		l := int(n[i])
		switch {
		case l == 0:
			return i == len(n)-1
		case l > maxLabel:
			return false
		}
		i += 1 + l
	}
	return false
}

// Fold returns n in lower case (RFC 4343): n itself, without allocation, when it is already.
// The octets of length are below 64, so that none of them is taken for a letter.
func (n Name) Fold() Name {
	for i := range len(n) {
		if isUpper(n[i]) {
			b := []byte(n)
			FoldWire(b[i:])
			return Name(b)
		}
	}
	return n
}

// FoldWire makes the letters of a name in wire form lower case in place.
func FoldWire(b []byte) {
	for i, c := range b {
		if isUpper(c) {
			b[i] = c + 'a' - 'A'
		}
	}
}

func isUpper(c byte) bool { return c-'A' < 26 }

func lower(c byte) byte {
	if isUpper(c) {
		return c + 'a' - 'A'
	}
	return c
}

// Equal reports whether the names are the same without regard to case.
func (n Name) Equal(o Name) bool { return equalFold(string(n), string(o)) }

func equalFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if a[i] != b[i] && lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

// next returns where the label after the one at i begins: never beyond the root's octet.
func (n Name) next(i int) int { return min(i+1+int(n[i]), len(n)-1) }

// end reports whether nothing but the root is at i.
func (n Name) end(i int) bool { return i >= len(n)-1 || n[i] == 0 }

// Labels returns how many labels n has, the root's not counted.
func (n Name) Labels() int {
	count := 0
	for i := 0; !n.end(i); i = n.next(i) {
		count++
	}
	return count
}

// First returns the octets of the first label, "" for the root.
func (n Name) First() string {
	if n.end(0) {
		return ""
	}
	return string(n[1:n.next(0)])
}

// Parent returns n without its first label. That of the root is the root.
func (n Name) Parent() Name {
	if n.end(0) {
		return n
	}
	return n[n.next(0):]
}

// Suffix returns the last so many labels of n, and n itself when it has no more than that.
func (n Name) Suffix(labels int) Name {
	for skip := n.Labels() - labels; skip > 0; skip-- {
		n = n.Parent()
	}
	return n
}

// Under reports whether n is the zone's name or below it, without regard to case.
func (n Name) Under(zone Name) bool {
	if len(zone) == 0 {
		return false
	}
	for i := 0; len(n)-i >= len(zone); i = n.next(i) {
		if len(n)-i == len(zone) {
			return equalFold(string(n[i:]), string(zone))
		}
	}
	return false
}

// Child returns the name below n whose first label is label's octets.
func (n Name) Child(label string) (Name, error) {
	switch {
	case label == "":
		return "", errLabelEmpty
	case len(label) > maxLabel:
		return "", errLabelLong
	case 1+len(label)+len(n) > maxName:
		return "", errNameLong
	}
	return Name(string([]byte{byte(len(label))}) + label + string(n)), nil
}

// IsWildcard reports whether the first label of n is an asterisk (RFC 4592 section 2.1.1).
func (n Name) IsWildcard() bool { return strings.HasPrefix(string(n), "\x01*") }

// Wildcard returns the wildcard directly below n.
func (n Name) Wildcard() (Name, error) { return n.Child("*") }

// Compare orders names as RFC 4034 section 6.1 does: by labels from the right, each as a string
// of octets in lower case, and a name before those below it.
func (n Name) Compare(o Name) int {
	var ns, os [128]uint8
	i, j := n.starts(&ns), o.starts(&os)
	for i > 0 && j > 0 {
		i, j = i-1, j-1
		a, b := int(ns[i]), int(os[j])
		if c := compareFold(n[a+1:n.next(a)], o[b+1:o.next(b)]); c != 0 {
			return c
		}
	}
	return i - j
}

// starts notes where each label begins and returns how many there are.
func (n Name) starts(at *[128]uint8) int {
	count := 0
	for i := 0; !n.end(i) && i < maxName && count < len(at); i = n.next(i) {
		at[count] = uint8(i)
		count++
	}
	return count
}

func compareFold(a, b Name) int {
	for i := range min(len(a), len(b)) {
		if x, y := lower(a[i]), lower(b[i]); x != y {
			return int(x) - int(y)
		}
	}
	return len(a) - len(b)
}
