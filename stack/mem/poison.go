//go:build poison

package mem

// poisoned says that a block is overwritten when it is given back, so that tests of whole
// transfers see whoever looks at one afterwards.
const poisoned = true

// poison is what a block is overwritten with.
const poison = 0xdd
