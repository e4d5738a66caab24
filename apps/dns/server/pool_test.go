package server

import (
	"runtime"
	"testing"
)

// A job is counted from when it is given, not from when a processor is free for it: else who asks how much there is to do would
// be told of nothing while thousands wait.
func TestWhatIsGivenIsCounted(t *testing.T) {
	held := make(chan struct{})
	p := newPool(1, func(*job) { <-held })
	for range 100 {
		for !p.give(new(job)) { // until the goroutine waits for another
			runtime.Gosched()
		}
		if n := p.count(); n != 1 {
			t.Fatalf("%d jobs, one of which has been given and held up", n)
		}
		if p.give(new(job)) || p.count() != 1 {
			t.Fatalf("%d jobs, the second of which nobody takes", p.count())
		}
		held <- struct{}{}
	}
	p.close()
	p.wait()
}
