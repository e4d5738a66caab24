package stub

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"
)

// recheck is how often a file is looked at.
const recheck = time.Second

// file is what a file says, read again when that has changed.
type file[T any] struct {
	path  string
	parse func(io.Reader) (T, error)
	empty func() T // what a file says that is not there

	mu      sync.Mutex
	value   T
	read    bool
	checked time.Time
	mtime   time.Time
	size    int64
}

// get returns what the file says. Where it cannot be read any more the last that could be
// counts: somebody may be writing it anew.
func (f *file[T]) get() T {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	if f.read && now.Sub(f.checked) < recheck {
		return f.value
	}
	f.checked = now
	info, err := os.Stat(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist), err != nil && !f.read:
		f.value, f.read, f.size, f.mtime = f.empty(), true, -1, time.Time{}
	case err != nil || f.read && info.Size() == f.size && info.ModTime().Equal(f.mtime):
	default:
		f.load(info)
	}
	return f.value
}

func (f *file[T]) load(info fs.FileInfo) {
	r, err := os.Open(f.path)
	if err != nil {
		return
	}
	defer r.Close()
	v, err := f.parse(r)
	if err != nil && f.read {
		return
	}
	f.value, f.read, f.size, f.mtime = v, true, info.Size(), info.ModTime()
}
