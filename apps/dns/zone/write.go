package zone

import (
	"bufio"
	"io"
)

// WriteTo writes the zone as a master file in its full form: a record a line with nothing left out, the SOA record first, names
// in canonical order (RFC 4034 §6.1). Reading it gives the same zone. It implements io.WriterTo.
func (z *Zone) WriteTo(w io.Writer) (int64, error) {
	b := bufio.NewWriterSize(w, 64<<10)
	var total int64
	for rr := range z.All() {
		n, err := b.WriteString(rr.String() + "\n")
		total += int64(n)
		if err != nil {
			return total, err
		}
	}
	return total, b.Flush()
}
