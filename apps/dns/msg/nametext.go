package msg

import (
	"fmt"
	"strings"
)

// ParseName reads a name as people write it (RFC 1035 section 5.1): labels with dots between
// them, in which \. is a dot and \DDD the octet of that decimal value. A name without a dot at
// the end is taken as absolute. The error says what of s is wrong.
func ParseName(s string) (Name, error) {
	if s == "." {
		return Root, nil
	}
	var b [maxName + 1]byte
	w, label := 1, 0 // where the next octet goes; where the label's length stands
	closeLabel := func() error {
		switch l := w - label - 1; {
		case l == 0:
			return errLabelEmpty
		case l > maxLabel:
			return errLabelLong
		default:
			b[label] = byte(l)
		}
		label = w
		w++
		return nil
	}
	var err error
	for i := 0; i < len(s) && err == nil; i++ {
		c := s[i]
		if c == '.' {
			if err = closeLabel(); err == nil && w > maxName {
				err = errNameLong
			}
			continue
		}
		if c == '\\' {
			if c, i, err = unescape(s, i); err != nil {
				break
			}
		}
		if w >= maxName {
			err = errNameLong
			break
		}
		b[w] = c
		w++
	}
	switch {
	case err != nil:
	case s == "":
		err = errLabelEmpty
	case w > label+1:
		if err = closeLabel(); err == nil && w > maxName {
			err = errNameLong
		}
	}
	if err != nil {
		return "", fmt.Errorf("%q is no domain name: %w", s, err)
	}
	return Name(b[:label+1]), nil
}

// unescape returns what the escape at s[i] stands for, and where its last octet is.
func unescape(s string, i int) (byte, int, error) {
	rest := s[i+1:]
	if rest == "" {
		return 0, i, fmt.Errorf("nothing comes after the last backslash")
	}
	if !isDigit(rest[0]) {
		return rest[0], i + 1, nil
	}
	if len(rest) < 3 || !isDigit(rest[1]) || !isDigit(rest[2]) {
		return 0, i, fmt.Errorf("a backslash and a digit must be followed by two more digits")
	}
	v := int(rest[0]-'0')*100 + int(rest[1]-'0')*10 + int(rest[2]-'0')
	if v > 255 {
		return 0, i, fmt.Errorf("\\%s is no octet", rest[:3])
	}
	return byte(v), i + 3, nil
}

func isDigit(c byte) bool { return c-'0' < 10 }

// MustName is ParseName for names that are written in a program. It panics for what is none.
func MustName(s string) Name {
	n, err := ParseName(s)
	if err != nil {
		panic("msg.MustName: " + err.Error())
	}
	return n
}

// String returns n as people write it, with the dot at the end; "." for the root, and "" for no name.
func (n Name) String() string {
	if len(n) == 0 {
		return ""
	}
	if n.end(0) {
		return "."
	}
	var b strings.Builder
	b.Grow(len(n))
	for i := 0; !n.end(i); i = n.next(i) {
		for _, c := range []byte(n[i+1 : n.next(i)]) {
			writeOctet(&b, c)
		}
		b.WriteByte('.')
	}
	return b.String()
}

// writeOctet writes an octet of a label, escaped where it would mean something in a master file.
func writeOctet(b *strings.Builder, c byte) {
	switch {
	case strings.IndexByte(`.\"();@$ `, c) >= 0 && c != ' ':
		b.WriteByte('\\')
		b.WriteByte(c)
	case c <= ' ' || c >= 0x7f:
		fmt.Fprintf(b, "\\%03d", c)
	default:
		b.WriteByte(c)
	}
}
