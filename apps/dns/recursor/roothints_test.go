package recursor

import (
	"testing"

	"github.com/weirnet/weir/apps/dns/msg"
)

func TestHintsOfThePublicRootNameThirteenServersOfBothFamilies(t *testing.T) {
	count := make(map[msg.Type]int)
	seen := make(map[string]bool)
	for _, r := range RootHints() {
		count[r.Type]++
		if s := r.String(); seen[s] {
			t.Errorf("twice: %s", s)
		} else {
			seen[s] = true
		}
		if a := r.Addr(); a.IsValid() && (a.IsPrivate() || !a.IsGlobalUnicast()) {
			t.Errorf("no public address: %s", r)
		}
	}
	if count[msg.TypeNS] != 13 || count[msg.TypeA] != 13 || count[msg.TypeAAAA] != 13 {
		t.Errorf("got %v, want 13 of each type", count)
	}
	if _, err := hints(RootHints()); err != nil {
		t.Error(err)
	}
}
