package table

import (
	"strings"
	"testing"
)

func TestColumnsAreAsWideAsTheirWidestCell(t *testing.T) {
	var tab Table
	tab.Column("name", Left)
	tab.Column("value", Right)
	tab.Column("note", Left)
	tab.Row("a", "1", "first")
	tab.Row("longer", "1234567")
	tab.Row("ünï", "41µs", "", "dropped")
	var b strings.Builder
	if _, err := tab.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	want := "" +
		"name      value  note\n" +
		"a             1  first\n" +
		"longer  1234567\n" +
		"ünï        41µs\n"
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}
