// Package table lays out text in columns for a terminal.
package table

import (
	"io"
	"strings"
	"unicode/utf8"
)

// Align says to which side of its column a cell goes.
type Align uint8

const (
	Left Align = iota
	Right
)

// gap is the space between two columns.
const gap = "  "

// Table is a heading and rows of cells.
type Table struct {
	heads  []string
	aligns []Align
	rows   [][]string
}

// Column adds a column. All columns come before the first row.
func (t *Table) Column(head string, align Align) {
	t.heads = append(t.heads, head)
	t.aligns = append(t.aligns, align)
}

// Row adds a row. Cells beyond the columns are dropped, missing ones are empty.
func (t *Table) Row(cells ...string) {
	row := make([]string, len(t.heads))
	copy(row, cells)
	t.rows = append(t.rows, row)
}

// Len returns the number of rows.
func (t *Table) Len() int { return len(t.rows) }

// WriteTo writes the heading and the rows, each column as wide as its widest cell,
// with no space at the end of a line. It implements io.WriterTo.
func (t *Table) WriteTo(w io.Writer) (int64, error) {
	widths := make([]int, len(t.heads))
	for _, row := range append([][]string{t.heads}, t.rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	t.line(&b, t.heads, widths)
	for _, row := range t.rows {
		t.line(&b, row, widths)
	}
	n, err := io.WriteString(w, b.String())
	return int64(n), err
}

func (t *Table) line(b *strings.Builder, row []string, widths []int) {
	var line strings.Builder
	for i, cell := range row {
		if i > 0 {
			line.WriteString(gap)
		}
		pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
		if t.aligns[i] == Right {
			line.WriteString(pad + cell)
		} else {
			line.WriteString(cell + pad)
		}
	}
	b.WriteString(strings.TrimRight(line.String(), " "))
	b.WriteByte('\n')
}
