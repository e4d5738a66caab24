package main

import "testing"

func TestSizesAreRead(t *testing.T) {
	for text, want := range map[string]int64{
		"1": 1, "1000B": 1000, "4K": 4096, "4KiB": 4096, "64M": 64 << 20, "1GiB": 1 << 30, "1024G": 1 << 40,
	} {
		if got, err := parseSize(text); got != want || err != nil {
			t.Errorf("%s is %d (%v), want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "0", "-1", "GiB", "1KB", "1TiB", "1GiBGiB", "2000GiB", "99999999999999999999"} {
		if got, err := parseSize(text); err == nil {
			t.Errorf("%q is accepted as %d", text, got)
		}
	}
}
