package shard

import "syscall"

// yield lets other threads have the processor, but no other goroutine: who made one ready has
// woken a thread for it.
func yield() { syscall.RawSyscall(syscall.SYS_SCHED_YIELD, 0, 0, 0) }
