package stub

import "strings"

// names returns the names that a name may be short for, in the order in which they are asked for: a
// name with a final dot is itself only; one with NDots dots or more is tried as it stands first,
// another last.
func (c *Conf) names(name string) (list []string) {
	if strings.HasSuffix(name, ".") {
		return asked(list, name)
	}
	whole := strings.Count(name, ".") >= c.NDots
	if whole {
		list = asked(list, name+".")
	}
	for _, s := range c.Search {
		list = asked(list, name+"."+s)
	}
	if !whole {
		list = asked(list, name+".")
	}
	return list
}

// asked appends a name where it is one to ask servers for: not too long, and not below onion, whose names
// no server is to learn of (RFC 7686 §2).
func asked(list []string, name string) []string {
	top := strings.TrimSuffix(name, ".")
	top = lower(top[strings.LastIndexByte(top, '.')+1:])
	if len(name) > 254 || name == "." && len(list) > 0 || top == "onion" {
		return list
	}
	return append(list, name)
}

// isHostName reports whether a name is one that hosts have, or services: letters, digits,
// hyphens not at an end, and underlines, in labels of 63 at most; and not digits alone. Others are
// not there, as far as a program is concerned that may put names into a command or a page.
func isHostName(name string) bool {
	if name == "." {
		return true
	}
	bare := strings.TrimSuffix(name, ".")
	if bare == "" || len(bare) > 253 {
		return false
	}
	digitsOnly := true
	for label := range strings.SplitSeq(bare, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			switch {
			case '0' <= c && c <= '9':
			case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '-', c == '_':
				digitsOnly = false
			default:
				return false
			}
		}
	}
	return !digitsOnly
}
