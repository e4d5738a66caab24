package main

import (
	"os"
	"regexp"
	"testing"

	"github.com/weirnet/weir/stack/script"
)

// The packet script that the README shows passes.
func TestScriptOfTheReadmePasses(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile("(?s)```\n(// [^\n]*\n0 +socket.*?)```").FindSubmatch(text)
	if m == nil {
		t.Fatal("the README has no packet script")
	}
	for _, offload := range []bool{false, true} {
		if r := script.RunSource("README.md", m[1], script.Options{Offload: offload}); r.Outcome != script.Pass {
			t.Errorf("offload %v: %v", offload, r)
		}
	}
}
