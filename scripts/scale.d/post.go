package main

import (
	"github.com/weirnet/weir/stack/event"
	"github.com/weirnet/weir/stack/shard"
)

// post runs f with a connection's lock held and sends what it wrote.
func post(c *event.Conn, f func(c *event.Conn)) {
	t := (*shard.TCP)(c)
	t.Lock()
	defer t.Unlock()
	f(c)
	t.Push()
}
