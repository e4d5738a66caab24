package server

import (
	"sync"
	"sync/atomic"
	"time"
)

// workerLinger is how long a goroutine waits for more work before it ends.
const workerLinger = 10 * time.Second

// pool runs jobs in goroutines of which there are at most so many. They are started as they are needed.
type pool struct {
	max  int
	run  func(*job)
	jobs chan *job // to who waits

	busy    atomic.Int64
	mu      sync.Mutex
	workers int
	closed  bool
	wg      sync.WaitGroup
}

func newPool(size int, run func(*job)) *pool {
	return &pool{max: size, run: run, jobs: make(chan *job)}
}

// give has a job run, and reports false where everybody is busy or the pool is closed.
func (p *pool) give(j *job) bool {
	p.busy.Add(1) // here, and not by who takes it: that one may have to wait for a processor
	select {
	case p.jobs <- j:
		return true
	default:
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.workers >= p.max {
		p.busy.Add(-1)
		return false
	}
	p.workers++
	p.wg.Go(func() { p.work(j) })
	return true
}

func (p *pool) work(j *job) {
	timer := time.NewTimer(workerLinger)
	defer timer.Stop()
	for ; j != nil; j = p.next(timer) {
		p.run(j)
		p.busy.Add(-1)
	}
	p.mu.Lock()
	p.workers--
	p.mu.Unlock()
}

// next waits for another job; nil is that there is none.
func (p *pool) next(timer *time.Timer) *job {
	timer.Reset(workerLinger)
	select {
	case j := <-p.jobs: // nil where it is closed
		return j
	case <-timer.C:
		return nil
	}
}

// count returns how many jobs were given and have not ended.
func (p *pool) count() int { return int(p.busy.Load()) }

// close takes no more jobs. wait returns when those that run have ended.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.closed = true
	}
}

// wait returns when all goroutines are gone.
func (p *pool) wait() {
	done := make(chan struct{})
	go func() {
		p.wg.Wait()
		close(done)
	}()
	for {
		select {
		case p.jobs <- nil: // who waits ends
		case <-done:
			return
		}
	}
}
