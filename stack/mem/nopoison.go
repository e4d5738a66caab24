//go:build !poison

package mem

const (
	poisoned = false
	poison   = 0
)
