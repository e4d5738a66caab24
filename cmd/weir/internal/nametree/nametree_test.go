package nametree

import (
	"sync/atomic"
	"testing"

	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/recursor"
	"github.com/weirnet/weir/apps/dns/tree"
	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/stack/link/pipe"
)

// A tree in memory is resolved from the other side; its steps are told while somebody asks for that, and its
// questions are counted.
func TestTreeInMemory(t *testing.T) {
	n, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	var steps atomic.Int64
	undo := n.Service.Trace(func(recursor.Event) { steps.Add(1) })
	ask := func(name string) {
		t.Helper()
		m, err := n.Service.Resolver.Resolve(t.Context(), msg.Question{Name: msg.MustName(name), Type: msg.TypeA, Class: msg.ClassINET}, recursor.QueryOptions{})
		if err != nil || len(m.Answer) == 0 {
			t.Fatalf("%s: %v %v", name, m, err)
		}
	}
	ask("www.weir.example.")
	told := steps.Load()
	if told < 4 {
		t.Errorf("told of %d steps", told)
	}
	undo()
	ask("ftp.weir.example.")
	if steps.Load() != told {
		t.Error("told of steps when nobody asks for them any more")
	}
	counted := map[string]uint64{}
	n.Service.Each(func(name string, v uint64) {
		if _, twice := counted[name]; twice {
			t.Errorf("%s is there twice", name)
		}
		counted[name] = v
	})
	var sum uint64
	for _, v := range counted {
		sum += v
	}
	if sum == 0 {
		t.Errorf("nothing is counted: %v", counted)
	}
	if len(Neighbours(n.Service.Tree)) != 2 || !Resolver().IsValid() {
		t.Error("a tree has a neighbour of each family, and a resolver")
	}
	if err := n.Close(); err != nil {
		t.Error(err)
	}
}

// Where the stack has not the tree's addresses nothing is served, and nothing is left open.
func TestTreeOnAStackWithoutItsAddresses(t *testing.T) {
	tr, err := tree.New(tree.Options{})
	if err != nil {
		t.Fatal(err)
	}
	dev, _ := pipe.New(pipe.Options{})
	st, err := newStack(dev, Neighbours(tr))
	if err != nil {
		t.Fatal(err)
	}
	defer func(st *stack.Stack) {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}(st)
	if s, err := Serve(st, tr); err == nil {
		s.Close()
		t.Error("a tree was served on addresses that are not there")
	}
}
