package tree

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/weirnet/weir/apps/dns/msg"
)

// Write writes the tree into a directory, for any name server to read: a master file for each zone, named as
// FileName says, root.hints, and root.key where the tree is signed.
func (t *Tree) Write(dir string) error {
	for _, z := range t.Zones {
		if err := write(dir, FileName(z.Origin), z.Records); err != nil {
			return err
		}
	}
	if err := write(dir, "root.hints", t.Hints); err != nil || len(t.Anchors) == 0 {
		return err
	}
	return write(dir, "root.key", t.Anchors)
}

// FileName is the name of a zone's master file: "root.zone" for the root, otherwise "weir.example.zone".
func FileName(origin msg.Name) string {
	if origin == msg.Root {
		return "root.zone"
	}
	return origin.String() + "zone"
}

func write(dir, name string, records []msg.RR) error {
	if err := os.WriteFile(filepath.Join(dir, name), []byte(Text(records)), 0o644); err != nil {
		return fmt.Errorf("write the name tree: %w", err)
	}
	return nil
}

// Text returns records as lines of a master file.
func Text(records []msg.RR) string {
	var b strings.Builder
	for _, rr := range records {
		b.WriteString(rr.String())
		b.WriteByte('\n')
	}
	return b.String()
}
