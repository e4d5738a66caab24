package chargen

const (
	first     = ' ' // the first printable character
	printable = 95  // from space to tilde
	lineChars = 72
	lineLen   = lineChars + len("\r\n")
	cycle     = printable * lineLen // after which the pattern repeats
	cycles    = 36                  // about a quarter of a mebioctet for each write
)

// stream is the pattern, a whole number of cycles. It is never written to.
var stream = pattern()

func pattern() []byte {
	b := make([]byte, 0, cycles*cycle)
	for line := range cycles * printable {
		for i := range lineChars {
			b = append(b, byte(first+(line+i)%printable))
		}
		b = append(b, '\r', '\n')
	}
	return b
}
