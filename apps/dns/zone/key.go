package zone

import (
	"strings"

	"github.com/weirnet/weir/apps/dns/msg"
)

// A key is a name below the zone's origin, written so that comparing octets compares names in
// canonical order (RFC 4034 §6.1): the labels from the right, in lower case, each closed by a zero octet.
// Inside a label the octets 0 and 1 are written as 1 1 and 1 2, so that a zero octet is the end of a label and
// nothing else. The origin's key is empty, and a name's key begins with the keys of all its ancestors.

// maxKey is the most octets that a key can have: every octet of a name doubled.
const maxKey = 2 * 255

// maxLabels is the most labels that a name can have.
const maxLabels = 127

// appendKey appends to dst the key of a name, given in wire form, that is at or below an origin of
// so many labels.
func appendKey(dst []byte, name string, originLabels int) []byte {
	var starts [maxLabels + 1]uint8
	n := 0
	for i := 0; i < len(name) && name[i] != 0 && n < len(starts); i += 1 + int(name[i]) {
		starts[n] = uint8(i)
		n++
	}
	for n -= originLabels; n > 0; n-- {
		at := int(starts[n-1])
		dst = appendKeyLabel(dst, name[at+1:at+1+int(name[at])])
	}
	return dst
}

// appendKeyLabel appends one label to a key.
func appendKeyLabel(dst []byte, label string) []byte {
	for i := 0; i < len(label); i++ {
		switch c := label[i]; {
		case c <= 1:
			dst = append(dst, 1, c+1)
		case 'A' <= c && c <= 'Z':
			dst = append(dst, c+'a'-'A')
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, 0)
}

// keyName returns the name of a key below an origin, in lower case.
func keyName(key string, origin msg.Name) msg.Name {
	if key == "" {
		return origin
	}
	var buf [maxKey]byte
	at := len(buf)
	for len(key) > 0 {
		end := strings.IndexByte(key, 0)
		at = prependLabel(buf[:], at, key[:end])
		key = key[end+1:]
	}
	return msg.Name(string(buf[at:]) + string(origin))
}

// prependLabel writes a label of a key, in wire form, so that it ends at buf[at], and returns where it begins.
func prependLabel(buf []byte, at int, label string) int {
	var plain [63]byte
	n := 0
	for i := 0; i < len(label) && n < len(plain); i++ {
		c := label[i]
		if c == 1 && i+1 < len(label) {
			i++
			c = label[i] - 1
		}
		plain[n] = c
		n++
	}
	at -= n + 1
	buf[at] = byte(n)
	copy(buf[at+1:], plain[:n])
	return at
}

// keyLabels counts the labels of a key.
func keyLabels(key string) int { return strings.Count(key, "\x00") }

// keyPrefix returns the key of the ancestor that has so many labels below the origin.
func keyPrefix(key string, labels int) string {
	at := 0
	for ; labels > 0; labels-- {
		end := strings.IndexByte(key[at:], 0)
		if end < 0 {
			return key
		}
		at += end + 1
	}
	return key[:at]
}

// commonLabels counts the labels that two keys begin with alike.
func commonLabels(a, b string) int {
	labels := 0
	for i := 0; i < len(a) && i < len(b) && a[i] == b[i]; i++ {
		if a[i] == 0 {
			labels++
		}
	}
	return labels
}
