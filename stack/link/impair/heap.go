package impair

import (
	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/mem"
)

// item is a packet on its way.
type item struct {
	at    clock.Time
	order uint64 // of the pushes: packets that arrive together keep it
	block *mem.Block
	frame link.Frame // its Buf is in block
}

func (a *item) before(b *item) bool {
	return a.at < b.at || a.at == b.at && a.order < b.order
}

// heap is a binary heap, the next packet to arrive at its root.
type heap []item

func (h *heap) push(it item) {
	*h = append(*h, it)
	s := *h
	for i := len(s) - 1; i > 0; {
		parent := (i - 1) / 2
		if !s[i].before(&s[parent]) {
			return
		}
		s[i], s[parent] = s[parent], s[i]
		i = parent
	}
}

// pop removes the root; the heap must not be empty.
func (h *heap) pop() item {
	s := *h
	top, last := s[0], len(s)-1
	s[0], s[last] = s[last], item{}
	s = s[:last]
	*h = s
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < last; child++ {
			if s[child].before(&s[least]) {
				least = child
			}
		}
		if least == i {
			return top
		}
		s[i], s[least] = s[least], s[i]
		i = least
	}
}
