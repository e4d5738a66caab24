package dnssec

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/weirnet/weir/apps/dns/msg"
)

// locked is a source for several goroutines.
type locked struct {
	mu sync.Mutex
	w  *world
}

func (l *locked) Fetch(ctx context.Context, name msg.Name, typ msg.Type) (*msg.Message, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Fetch(ctx, name, typ)
}

func TestOneValidatorJudgesManyAnswersAtOnce(t *testing.T) {
	w, _ := newWorld(t, nil)
	v, err := New(Config{Source: &locked{w: w}, Anchors: parse(t, w.ds(".")), Limits: Limits{Zones: 3}})
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for i := range 4 {
		for name, want := range map[string]Status{"www.a.example.": Secure, "www.b.example.": Insecure, fmt.Sprint("nope", i, ".example."): Secure} {
			a := w.ask(msg.MustName(name), msg.TypeA)
			group.Go(func() {
				for range 5 {
					if r := v.Validate(context.Background(), a, now); r.Status != want {
						t.Errorf("%s: %s (%s), want %s", name, r.Status, r.EDE, want)
					}
				}
				v.Flush(msg.MustName("example."))
			})
		}
	}
	group.Wait()
}
