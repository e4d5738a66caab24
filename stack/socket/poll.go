package socket

import (
	"syscall"
	"time"
)

// always is what poll reports whether it was asked for or not.
const always = POLLERR | POLLHUP

// Poll is poll(2). It fills each Revents and returns how many are not 0; less than 0 waits for
// ever, 0 not at all. The error is EINVAL for too many descriptors.
func (s *System) Poll(fds []PollFD, timeout time.Duration) (int, error) {
	if len(fds) > s.cfg.MaxDescriptors {
		return -1, syscall.EINVAL
	}
	n, files := 0, s.files(fds)
	s.pollUntil(files, timeout, func() bool {
		n = look(fds, files)
		return n > 0
	})
	return n, nil
}

// files is what descriptors stand for now, nil where that is nothing: whoever gets their numbers while they are
// waited for is not meant.
func (s *System) files(fds []PollFD) []*file {
	files := make([]*file, len(fds))
	for i := range fds {
		files[i], _ = s.file(fds[i].FD)
	}
	return files
}

// pollUntil waits for what the files report.
func (s *System) pollUntil(files []*file, timeout time.Duration, ready func() bool) {
	if ready() || timeout == 0 {
		return
	}
	var ws []*watchers
	for _, f := range files {
		if f != nil {
			ws = append(ws, f.watchers())
		}
	}
	s.block(timeout, ready, ws...)
}

// look fills each Revents and returns how many are not 0.
func look(fds []PollFD, files []*file) (n int) {
	for i := range fds {
		p, f := &fds[i], files[i]
		p.Revents = 0
		switch {
		case p.FD < 0:
			continue
		case f == nil || f.gone.Load():
			p.Revents = POLLNVAL
		default:
			p.Revents = int(f.events()) & (p.Events | always)
		}
		if p.Revents != 0 {
			n++
		}
	}
	return n
}

// What select(2) asks of poll for each of its sets.
const (
	selectRead   = POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR
	selectWrite  = POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR
	selectExcept = POLLPRI
)

// Select is select(2): of the descriptors below nfds, the sets, each of which may be nil, are
// left with those that can be read, written, or have urgent data. It returns how many that
// are. The errors are EBADF and EINVAL.
func (s *System) Select(nfds int, r, w, e *FDSet, timeout time.Duration) (int, error) {
	if nfds < 0 {
		return -1, syscall.EINVAL
	}
	var fds []PollFD
	for fd := range min(nfds, FD_SETSIZE) {
		events := 0
		for _, set := range []struct {
			s    *FDSet
			mask int
		}{{r, selectRead}, {w, selectWrite}, {e, selectExcept}} {
			if set.s != nil && set.s.IsSet(fd) {
				events |= set.mask
			}
		}
		if events == 0 {
			continue
		}
		if _, err := s.file(fd); err != nil {
			return -1, err
		}
		fds = append(fds, PollFD{FD: fd, Events: events})
	}
	n, files := 0, s.files(fds)
	s.pollUntil(files, timeout, func() bool {
		look(fds, files)
		n = 0
		for i := range fds {
			n += fds[i].selected(r, w, e, nil)
		}
		return n > 0
	})
	var out [3]FDSet
	n = 0
	for i := range fds {
		n += fds[i].selected(r, w, e, &out)
	}
	for i, set := range []*FDSet{r, w, e} {
		if set != nil {
			copy(set[:(min(nfds, FD_SETSIZE)+63)/64], out[i][:]) // what lies beyond is not looked at
		}
	}
	return n, nil
}

// selected returns in how many of the sets the descriptor stays, and enters it in out.
func (p *PollFD) selected(r, w, e *FDSet, out *[3]FDSet) (n int) {
	for i, set := range []struct {
		s    *FDSet
		mask int
	}{{r, selectRead | POLLNVAL}, {w, selectWrite | POLLNVAL}, {e, selectExcept | POLLNVAL}} {
		if set.s == nil || !set.s.IsSet(p.FD) || p.Revents&set.mask == 0 {
			continue
		}
		n++
		if out != nil {
			out[i].Set(p.FD)
		}
	}
	return n
}
