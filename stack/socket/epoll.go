package socket

import (
	"slices"
	"sync"
	"syscall"
	"time"
)

// epoll is an epoll set. An item that something has happened to is in the list of those that
// may be ready; EpollWait asks each of these what holds now. A level-triggered item
// that is ready goes back to the end of the list, an edge-triggered one has to be told anew.
type epoll struct {
	sys   *System
	watch watchers

	scan  sync.Mutex // held while the list is gone through: by one at a time
	mu    sync.Mutex // nests below any object's lock, and below watchers.mu of another object
	items map[epollKey]*epollItem
	ready []*epollItem
}

type epollKey struct {
	fd   int
	file *file
}

// epollItem is a descriptor in an epoll set.
type epollItem struct {
	ep     *epoll
	key    epollKey
	event  EpollEvent // under ep.mu
	listed bool       // in ep.ready
	gone   bool
}

// The flags among an item's events.
const epollFlags = EPOLLET | EPOLLONESHOT | EPOLLEXCLUSIVE | EPOLLWAKEUP

// maxEpollDepth bounds sets in sets.
const maxEpollDepth = 5

// EpollCreate is epoll_create1(2), with EPOLL_CLOEXEC. The errors are EINVAL and EMFILE.
func (s *System) EpollCreate(flags int) (int, error) {
	if flags&^EPOLL_CLOEXEC != 0 {
		return -1, syscall.EINVAL
	}
	ep := &epoll{sys: s, items: map[epollKey]*epollItem{}}
	return s.install(newFile(ep, 0), 0, flags&EPOLL_CLOEXEC != 0)
}

func (ep *epoll) watchers() *watchers { return &ep.watch }

// events is what a set in another set, or under poll, reports.
func (ep *epoll) events() uint32 {
	if len(ep.collect(1, false)) > 0 {
		return EPOLLIN | EPOLLRDNORM
	}
	return 0
}

func (ep *epoll) release(bool) {
	ep.mu.Lock()
	items := ep.items
	ep.items, ep.ready = nil, nil
	for _, i := range items {
		i.gone = true
	}
	ep.mu.Unlock()
	for _, i := range items {
		i.key.file.watchers().removeItem(i)
	}
	ep.watch.notify(0)
}

// EpollCtl is epoll_ctl(2). The errors are EBADF, EINVAL, EEXIST, ENOENT, ELOOP and EFAULT.
func (s *System) EpollCtl(epfd, op, fd int, ev *EpollEvent) error {
	if op != EPOLL_CTL_DEL && ev == nil {
		return syscall.EFAULT
	}
	epf, err := s.file(epfd)
	if err != nil {
		return err
	}
	f, err := s.file(fd)
	if err != nil {
		return err
	}
	ep, ok := epf.object.(*epoll)
	if f == epf || !ok {
		return syscall.EINVAL
	}
	inner, nested := f.object.(*epoll)
	if op != EPOLL_CTL_DEL && ev.Events&EPOLLEXCLUSIVE != 0 {
		const fit = EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE
		if op == EPOLL_CTL_MOD || nested || ev.Events&^fit != 0 {
			return syscall.EINVAL
		}
	}
	if nested && op == EPOLL_CTL_ADD {
		s.epolls.Lock() // two that are put into each other at once
		defer s.epolls.Unlock()
		if inner.depthTo(ep, 0) {
			return syscall.ELOOP
		}
	}
	return ep.control(op, epollKey{fd, f}, ev)
}

// depthTo reports whether ep leads back to target, or is too deep.
func (ep *epoll) depthTo(target *epoll, depth int) bool {
	if ep == target || depth >= maxEpollDepth-1 {
		return true
	}
	ep.mu.Lock()
	var inner []*epoll
	for k := range ep.items {
		if e, ok := k.file.object.(*epoll); ok {
			inner = append(inner, e)
		}
	}
	ep.mu.Unlock()
	return slices.ContainsFunc(inner, func(e *epoll) bool { return e.depthTo(target, depth+1) })
}

func (ep *epoll) control(op int, key epollKey, ev *EpollEvent) error {
	ep.mu.Lock()
	item := ep.items[key]
	var err error
	switch {
	case op != EPOLL_CTL_ADD && op != EPOLL_CTL_DEL && op != EPOLL_CTL_MOD:
		err = syscall.EINVAL
	case op == EPOLL_CTL_ADD && item != nil:
		err = syscall.EEXIST
	case op != EPOLL_CTL_ADD && item == nil:
		err = syscall.ENOENT
	case op == EPOLL_CTL_MOD && item.event.Events&EPOLLEXCLUSIVE != 0:
		err = syscall.EINVAL
	case ep.items == nil:
		err = syscall.EBADF
	case op == EPOLL_CTL_ADD:
		item = &epollItem{ep: ep, key: key}
		item.arm(ev)
		ep.items[key] = item
	case op == EPOLL_CTL_MOD:
		item.arm(ev)
	default:
		ep.drop(item)
	}
	ep.mu.Unlock()
	if err != nil {
		return err
	}
	if op == EPOLL_CTL_DEL {
		key.file.watchers().removeItem(item)
		return nil
	}
	if op == EPOLL_CTL_ADD {
		key.file.watchers().addItem(item)
		if key.file.gone.Load() { // closed meanwhile, and maybe before it could be forgotten
			key.file.watchers().forget(key.file)
		}
		if item.isGone() { // so was the set, or the item has been taken out, before it was in the list
			key.file.watchers().removeItem(item)
		}
	}
	item.happened(0) // it may be ready already
	return nil
}

// arm notes what is waited for: errors and hang-ups always are. ep.mu is held.
func (i *epollItem) arm(ev *EpollEvent) {
	i.event = *ev
	i.event.Events |= EPOLLERR | EPOLLHUP
}

func (i *epollItem) isGone() bool {
	i.ep.mu.Lock()
	defer i.ep.mu.Unlock()
	return i.gone
}

// drop takes an item out. ep.mu is held.
func (ep *epoll) drop(i *epollItem) {
	i.gone = true
	delete(ep.items, i.key)
	ep.ready = without(ep.ready, i)
	i.listed = false
}

// happened puts the item among those that may be ready, if what may hold now, 0 for
// anything, is what it waits for, and wakes who waits for the set.
func (i *epollItem) happened(events uint32) {
	ep := i.ep
	ep.mu.Lock()
	want := i.event.Events &^ epollFlags
	if i.gone || want == 0 || events != 0 && events&want == 0 {
		ep.mu.Unlock()
		return
	}
	if !i.listed {
		i.listed = true
		ep.ready = append(ep.ready, i)
	}
	ep.mu.Unlock()
	ep.watch.notify(EPOLLIN | EPOLLRDNORM)
}

// EpollWait is epoll_wait(2): it fills events and returns how many there are. Less than 0 waits
// for ever, 0 not at all. The errors are EBADF and EINVAL.
func (s *System) EpollWait(epfd int, events []EpollEvent, timeout time.Duration) (int, error) {
	f, err := s.file(epfd)
	if err != nil {
		return -1, err
	}
	ep, ok := f.object.(*epoll)
	if !ok || len(events) == 0 {
		return -1, syscall.EINVAL
	}
	n, err := s.retry(f, timeout == 0, timeout, func() (int, error) {
		if n := copy(events, ep.collect(len(events), true)); n > 0 {
			return n, nil
		}
		return 0, syscall.EAGAIN
	}, ep.mayBeReady)
	if err == syscall.EAGAIN {
		return 0, nil
	}
	return n, err
}

// mayBeReady looks without taking anything.
func (ep *epoll) mayBeReady() bool { return len(ep.collect(1, false)) > 0 }

// collect asks the items that may be ready what holds, and returns up to limit of those to which
// something does. Where take is set, edge-triggered and one-shot items are done with. Items
// to which nothing happened leave the list.
func (ep *epoll) collect(limit int, take bool) (out []EpollEvent) {
	ep.scan.Lock()
	defer ep.scan.Unlock()
	ep.mu.Lock()
	list := ep.ready
	ep.ready = nil
	for _, i := range list {
		i.listed = false
	}
	ep.mu.Unlock()
	var again, rest []*epollItem
	for n, i := range list {
		if len(out) == limit {
			rest = list[n:]
			break
		}
		ep.mu.Lock()
		event, gone := i.event, i.gone
		ep.mu.Unlock()
		want := event.Events &^ epollFlags // nothing, once EPOLLONESHOT is done with
		if gone || want == 0 {
			continue
		}
		holds := i.key.file.events() & want
		if holds == 0 {
			continue
		}
		out = append(out, EpollEvent{Events: holds, Data: event.Data})
		switch {
		case take && event.Events&EPOLLONESHOT != 0:
			i.disarm(event)
		case !take || event.Events&EPOLLET == 0:
			again = append(again, i)
		}
	}
	if !take { // nothing has changed: not the order either
		rest, again = append(again, rest...), nil
	}
	ep.relist(rest, again)
	return out
}

// disarm is what EPOLLONESHOT does once: nothing is waited for until EPOLL_CTL_MOD, which
// may have come since event was read.
func (i *epollItem) disarm(event EpollEvent) {
	i.ep.mu.Lock()
	if i.event == event {
		i.event.Events &= epollFlags
	}
	i.ep.mu.Unlock()
}

// relist puts back the items that were not asked, before those that came meanwhile, and behind them
// those that stay ready.
func (ep *epoll) relist(rest, again []*epollItem) {
	ep.mu.Lock()
	defer ep.mu.Unlock()
	list := make([]*epollItem, 0, len(rest)+len(ep.ready)+len(again))
	enter := func(i *epollItem) {
		if !i.listed && !i.gone {
			i.listed = true
			list = append(list, i)
		}
	}
	for _, i := range rest {
		enter(i)
	}
	for _, i := range ep.ready {
		if !i.gone { // not in list yet: who is listed was not entered
			list = append(list, i)
		}
	}
	for _, i := range again {
		enter(i)
	}
	ep.ready = list
}

// addItem, removeItem and forget keep the epoll items of an object.
func (w *watchers) addItem(i *epollItem) {
	w.mu.Lock()
	w.items = append(w.items, i)
	w.mu.Unlock()
}

func (w *watchers) removeItem(i *epollItem) {
	w.mu.Lock()
	w.items = without(w.items, i)
	w.mu.Unlock()
}

// forget takes a file that was closed out of every epoll set.
func (w *watchers) forget(f *file) {
	w.mu.Lock()
	items := w.items
	w.items = nil
	w.mu.Unlock()
	for _, i := range items {
		i.ep.mu.Lock()
		if !i.gone {
			i.ep.drop(i)
		}
		i.ep.mu.Unlock()
	}
}
