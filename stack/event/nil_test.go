package event_test

import (
	"errors"
	"syscall"
	"testing"

	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/stack/event"
	"github.com/weirnet/weir/stack/link/pipe"
)

// Who gives no handler is told so at once: a packet that came would find nothing to call.
func TestWithoutAHandler(t *testing.T) {
	a, _ := pipe.New(pipe.Options{MTU: 1500})
	st := newStack(t, a, "192.0.2.2/24", stack.Config{})
	_, listen := st.ListenEvents("tcp", ":7", nil, event.Options{})
	_, packet := st.ListenPacketEvents("udp", ":7", nil)
	_, dial := st.DialEvents(t.Context(), "tcp", "192.0.2.1:7", nil, event.DialOptions{})
	for name, err := range map[string]error{"ListenEvents": listen, "ListenPacketEvents": packet, "DialEvents": dial} {
		if !errors.Is(err, syscall.EINVAL) {
			t.Errorf("%s says %v, want EINVAL", name, err)
		}
	}
}
