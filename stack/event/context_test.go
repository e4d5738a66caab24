package event_test

import (
	"context"
	"errors"
	"syscall"
	"testing"

	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/stack/event"
)

func TestContextOfADialEndsTheAttemptAndNotTheConnection(t *testing.T) {
	a, b := pair(t, stack.Config{})
	listen(t, b, &event.Funcs{Data: (*event.Conn).Write})

	ended, end := context.WithCancel(t.Context())
	end()
	d := newDiary()
	if _, err := a.DialEvents(ended, "tcp", "192.0.2.2:7", d, event.DialOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
	d.is(t)
	if _, err := (stack.ListenConfig{}).Listen(ended, b, "tcp", ":8"); !errors.Is(err, context.Canceled) {
		t.Errorf("listening with a context that has ended: %v", err)
	}

	ctx, end := context.WithCancel(t.Context())
	defer end()
	_, err := a.DialEvents(ctx, "tcp", "192.0.2.77:7", d, event.DialOptions{}) // nobody is there
	must(t, err)
	answers := make(chan string, 1)
	c, err := a.DialEvents(ctx, "tcp", "192.0.2.2:7", &event.Funcs{
		Open: func(c *event.Conn) { c.Write([]byte("before")) },
		Data: func(_ *event.Conn, p []byte) int { answers <- string(p); return len(p) },
	}, event.DialOptions{})
	must(t, err)
	if got := wait(t, "an answer", answers); got != "before" {
		t.Errorf("the answer is %q", got)
	}
	end()
	if err := wait(t, "OnClose", d.over); err != syscall.ECONNABORTED {
		t.Errorf("OnClose of the attempt says %v", err)
	}
	c.Post(func(c *event.Conn) { c.Write([]byte("after")) })
	if got := wait(t, "another answer", answers); got != "after" {
		t.Errorf("the answer is %q", got)
	}
}
