//go:build !linux

package shard

import "runtime"

// yield lets others have the processor.
func yield() { runtime.Gosched() }
