package apply

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aimcheck/aimcheck/audit"
)

// inOrder returns the operations so that whoever gives up an id comes before
// whoever takes it, and otherwise as they were. A cycle, in which everybody waits
// for somebody, is an error.
func inOrder(ops []audit.Operation) ([]audit.Operation, error) {
	gives := map[string][]int{} // by id
	for i, op := range ops {
		if op.Field == "externalId" && op.From != "" && op.From != op.To {
			gives[op.From] = append(gives[op.From], i)
		}
	}
	ordered := make([]audit.Operation, 0, len(ops))
	const (
		fresh = iota
		waiting
		placed
	)
	state := make([]int, len(ops))
	// An operation waits for few others, but a chain may be as long as the plan:
	// walk it with a list, not with calls.
	for i := range ops {
		walk := []int{i}
		for len(walk) > 0 {
			n := walk[len(walk)-1]
			if state[n] == placed {
				walk = walk[:len(walk)-1]
				continue
			}
			ready, first := true, state[n] == fresh
			state[n] = waiting
			if first && ops[n].Field == "externalId" && ops[n].To != "" {
				for _, m := range gives[ops[n].To] {
					switch {
					case m == n || state[m] == placed:
					case state[m] == waiting:
						return nil, cycle(ops, slices.DeleteFunc(walk, func(n int) bool { return state[n] != waiting }), m)
					default:
						walk, ready = append(walk, m), false
					}
				}
			}
			if ready {
				walk = walk[:len(walk)-1]
				state[n] = placed
				ordered = append(ordered, ops[n])
			}
		}
	}
	return ordered, nil
}

// cycle names the operations of a walk from m on.
func cycle(ops []audit.Operation, walk []int, m int) error {
	var names []string
	for _, n := range walk[slices.Index(walk, m):] {
		names = append(names, fmt.Sprintf("%s (%s takes %s)", ops[n].ID, ops[n].Target, ops[n].To))
	}
	return fmt.Errorf("operations that wait for each other in a circle: %s; reject one of them and hand it to a person", strings.Join(names, ", "))
}

// strands cuts steps into strands that have nothing to do with each other: two
// steps on one target, or that touch one externalId, are on one strand, in their
// order. Each strand lists places in steps.
func strands(steps []Step) [][]int {
	parent := make([]int, len(steps))
	for i := range parent {
		parent[i] = i
	}
	root := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	first := map[string]int{} // by what is touched
	touch := func(what string, i int) {
		if j, ok := first[what]; ok {
			a, b := root(i), root(j)
			parent[max(a, b)] = min(a, b)
		} else {
			first[what] = i
		}
	}
	for i, s := range steps {
		touch("target "+s.Target.String(), i)
		if s.Field != "externalId" {
			continue
		}
		for _, id := range []string{s.From, s.To} {
			if id != "" {
				touch("id "+id, i)
			}
		}
	}
	var all [][]int
	place := map[int]int{}
	for i := range steps {
		r := root(i)
		n, ok := place[r]
		if !ok {
			n = len(all)
			place[r] = n
			all = append(all, nil)
		}
		all[n] = append(all[n], i)
	}
	return all
}
