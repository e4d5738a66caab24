package mem

import "sync"

// Slab keeps values of one type that are lent out and come back, so that what every busy
// connection needs for a while is not allocated anew each time. As with a Pool, free values
// are the collector's to take. The zero Slab is ready; Get and Put may be called from any
// goroutine.
type Slab[T any] struct{ free sync.Pool }

// Get returns a value that came back, as its last user left it, or a zero value.
func (s *Slab[T]) Get() *T {
	if v, ok := s.free.Get().(*T); ok {
		return v
	}
	return new(T)
}

// Put gives a value back. Its user must not touch it afterwards.
func (s *Slab[T]) Put(v *T) { s.free.Put(v) }
