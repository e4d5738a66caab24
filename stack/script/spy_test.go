package script_test

import (
	"fmt"
	"strings"

	"github.com/weirnet/weir/stack/script"
)

// spy is weir as a Backend, of which a test can see what a script has no words for: what was
// sent though the script expects nothing more, and what connections there were at the end.
type spy struct {
	script.Backend
	sent int
	left []script.Connection
}

// watch puts a spy into the options of a run.
func watch(o *script.Options) *spy {
	s := new(spy)
	o.Backend = func(n script.Network) (b script.Backend, err error) {
		s.Backend, err = script.NewWeir(n)
		return s, err
	}
	return s
}

func (s *spy) Sent() (script.Captured, bool) {
	c, ok := s.Backend.Sent()
	if ok {
		s.sent++
	}
	return c, ok
}

// Close looks round before everything is gone.
func (s *spy) Close() error {
	for {
		if _, ok := s.Sent(); !ok {
			break
		}
	}
	s.left = s.Backend.Connections()
	return s.Backend.Close()
}

// state is that of the connection with the peer: CLOSED where there is none.
func (s *spy) state() string {
	for _, c := range s.left {
		if c.Protocol == "tcp" && c.Remote.IsValid() {
			return c.State
		}
	}
	return "CLOSED"
}

// String is what is left, a line for each.
func (s *spy) String() string {
	var b strings.Builder
	for _, c := range s.left {
		fmt.Fprintf(&b, "\n  %v", c)
	}
	return b.String()
}
