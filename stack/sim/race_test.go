//go:build race

package sim_test

// defaultSeeds is fewer under the race detector, which slows a run down ten times and has
// nothing to find in one goroutine.
const defaultSeeds = 4
