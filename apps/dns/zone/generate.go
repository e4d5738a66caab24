package zone

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/weirnet/weir/apps/dns/msg"
)

// generator carries out $GENERATE, BIND's directive for runs of similar records:
//
//	$GENERATE start-stop[/step] owner [ttl] [class] type rdata
//
// Rdata of several words are in quotes for BIND, "10 mail$", which are no part of them; here they may go without, too.
// Each $ in what follows the range is the counter, ${offset,width,base} the counter plus an offset, filled with zeros
// to a width, in base d, o, x, X, or in nibbles n, N from the lowest on; \$ is a dollar sign.
type generator struct {
	at, stop, step int64
	template       string
	buf            []byte
}

// maxSteps is the most records that one $GENERATE may stand for.
const maxSteps = 1 << 20

func newGenerator(line string) (*generator, error) {
	if i := comment(line); i >= 0 {
		line = line[:i]
	}
	rng, template, ok := strings.Cut(strings.TrimSpace(line), " ")
	if t, rest, tab := strings.Cut(strings.TrimSpace(line), "\t"); tab && (!ok || len(t) < len(rng)) {
		rng, template, ok = t, rest, true
	}
	if template = strings.TrimSpace(template); !ok || len(strings.Fields(template)) < 3 {
		return nil, errors.New("$GENERATE wants: start-stop[/step] owner [ttl] [class] type rdata")
	}
	g := &generator{step: 1, template: unquoted(template)}
	span, step, hasStep := strings.Cut(rng, "/")
	from, to, ok := strings.Cut(span, "-")
	var err error
	number := func(s string, into *int64) {
		n, e := strconv.ParseUint(s, 10, 31)
		if *into = int64(n); e != nil && err == nil {
			err = e
		}
	}
	number(from, &g.at)
	number(to, &g.stop)
	if hasStep {
		number(step, &g.step)
	}
	switch {
	case !ok || err != nil || g.step == 0 || g.stop < g.at:
		return nil, fmt.Errorf("$GENERATE range %q is not start-stop or start-stop/step", rng)
	case (g.stop-g.at)/g.step >= maxSteps:
		return nil, fmt.Errorf("$GENERATE range %q is of more than %d records", rng, maxSteps)
	}
	return g, nil
}

// unquoted takes the quotes away from rdata that are one quoted string.
func unquoted(template string) string {
	at, word := 0, func(s string) (string, int) {
		skip := len(s) - len(strings.TrimLeft(s, " \t"))
		n := strings.IndexAny(s[skip:], " \t")
		if n < 0 {
			n = len(s) - skip
		}
		return s[skip : skip+n], skip + n
	}
	for n := 0; ; n++ { // the owner, TTL and class, and the type, behind which are the rdata
		w, end := word(template[at:])
		at += end
		_, err := msg.ParseClass(w)
		if w == "" || n > 0 && err != nil && (w[0] < '0' || w[0] > '9') {
			break
		}
	}
	rdata := strings.TrimSpace(template[at:])
	if len(rdata) < 2 || rdata[0] != '"' {
		return template
	}
	for i := 1; i < len(rdata); i++ {
		switch {
		case rdata[i] == '\\':
			i++
		case rdata[i] == '"' && i == len(rdata)-1:
			return template[:at] + " " + strings.ReplaceAll(rdata[1:i], `\"`, `"`)
		case rdata[i] == '"':
			return template
		}
	}
	return template
}

// comment returns where in a line a comment begins, or -1.
func comment(line string) int {
	quote := false
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case '"':
			quote = !quote
		case ';':
			if !quote {
				return i
			}
		}
	}
	return -1
}

// next returns the next line, good until the one after.
func (g *generator) next() ([]byte, bool, error) {
	if g.at > g.stop {
		return nil, false, nil
	}
	g.buf = g.buf[:0]
	t := g.template
	for i := 0; i < len(t); i++ {
		switch c := t[i]; {
		case c == '\\' && i+1 < len(t) && t[i+1] == '$':
			g.buf = append(g.buf, '$')
			i++
		case c == '\\' && i+1 < len(t):
			g.buf = append(g.buf, c, t[i+1])
			i++
		case c == '$' && i+1 < len(t) && t[i+1] == '$':
			g.buf = append(g.buf, '$')
			i++
		case c == '$' && i+1 < len(t) && t[i+1] == '{':
			end := strings.IndexByte(t[i:], '}')
			if end < 0 {
				return nil, false, fmt.Errorf("$GENERATE: ${ without } in %q", t)
			}
			if err := g.modified(t[i+2 : i+end]); err != nil {
				return nil, false, err
			}
			i += end
		case c == '$':
			g.buf = strconv.AppendInt(g.buf, g.at, 10)
		default:
			g.buf = append(g.buf, c)
		}
	}
	g.buf = append(g.buf, '\n')
	g.at += g.step
	return g.buf, true, nil
}

// modified writes the counter as ${offset,width,base} says.
func (g *generator) modified(mod string) error {
	parts := strings.Split(mod, ",")
	bad := fmt.Errorf("$GENERATE: ${%s} is not ${offset}, ${offset,width} or ${offset,width,base}", mod)
	offset, err := strconv.ParseInt(parts[0], 10, 32)
	if err != nil || len(parts) > 3 {
		return bad
	}
	width, base := uint64(0), "d"
	if len(parts) > 1 {
		if width, err = strconv.ParseUint(parts[1], 10, 8); err != nil {
			return bad
		}
	}
	if len(parts) > 2 {
		base = parts[2]
	}
	n := g.at + offset
	if n < 0 {
		return fmt.Errorf("$GENERATE: ${%s} makes %d negative", mod, g.at)
	}
	verb, known := map[string]string{"d": "%0*d", "o": "%0*o", "x": "%0*x", "X": "%0*X"}[base]
	switch {
	case known:
		g.buf = fmt.Appendf(g.buf, verb, int(width), n)
	case base == "n" || base == "N":
		g.nibbles(uint64(n), int(width), base == "N")
	default:
		return bad
	}
	return nil
}

// nibbles writes a number as labels of one hexadecimal digit, as ip6.arpa has them. The width counts the dots too.
func (g *generator) nibbles(n uint64, width int, upper bool) {
	digits := "0123456789abcdef"
	if upper {
		digits = "0123456789ABCDEF"
	}
	for first := true; first || n > 0 || width > 0; first = false {
		if !first {
			g.buf = append(g.buf, '.')
			if width--; width == 0 && n == 0 {
				return
			}
		}
		g.buf = append(g.buf, digits[n&15])
		n >>= 4
		width--
	}
}
