package audit

import (
	"cmp"
	"slices"
)

// A rank is what the order of findings begins with: how grave they are and how
// far they reach, the gravest and farthest first.
type rank uint64

func rankOf(s Severity, r Reach) rank {
	const most = 1<<30 - 1
	reach := rank(min(r.Members+r.Groups+r.Workspaces, most))
	if r.Admin {
		reach |= 1 << 30
	}
	if r.Caller {
		reach |= 1 << 31
	}
	return ^(rank(s)<<32 | reach)
}

// joined makes one pass of those of each rule, which stand one after another.
func joined(passes []*Pass) []*Pass {
	var all []*Pass
	for _, p := range passes {
		if len(all) == 0 || all[len(all)-1].rule != p.rule {
			all = append(all, p)
			continue
		}
		one := all[len(all)-1]
		for i, changes := range p.asks {
			if one.asks == nil {
				one.asks = map[int][]Change{}
			}
			one.asks[len(one.ranks)+i] = changes
		}
		one.found.take(&p.found)
		one.ranks, one.subjects = append(one.ranks, p.ranks...), append(one.subjects, p.subjects...)
	}
	return all
}

// sort orders the findings of a pass gravest first, then by reach, key and subjects.
func (p *Pass) sort() {
	type entry struct {
		rank rank
		key  string
		i    int
	}
	all := make([]entry, p.found.Len())
	for i := range all {
		r := p.found.reader(&p.found.list[i])
		r.put()
		all[i] = entry{p.ranks[i], r.put(), i}
	}
	slices.SortFunc(all, func(a, b entry) int {
		if a.rank != b.rank {
			return cmp.Compare(a.rank, b.rank)
		}
		if a.key != b.key {
			return cmp.Compare(a.key, b.key)
		}
		return slices.CompareFunc(p.found.At(a.i).Subjects, p.found.At(b.i).Subjects, Subject.Compare)
	})
	list, asks := make([]packed, len(all)), map[int][]Change{}
	for i, e := range all {
		p.ranks[i], list[i] = e.rank, p.found.list[e.i]
		if changes, ok := p.asks[e.i]; ok {
			asks[i] = changes
		}
	}
	p.found.list, p.asks = list, asks
}

// An asking is what a finding asks for.
type asking struct {
	finding int
	changes []Change
}

// merge makes one list of the passes' findings, gravest first, then by reach and
// rule. Every pass has a rule of its own.
func merge(passes []*Pass) (Findings, []asking) {
	passes = slices.Clone(passes)
	slices.SortFunc(passes, func(a, b *Pass) int { return cmp.Compare(a.rule.Name, b.rule.Name) })
	var all Findings
	var asks []asking
	n := 0
	first := make([]uint32, len(passes)) // page of each
	for i, p := range passes {
		first[i] = uint32(len(all.pages))
		all.pages = append(all.pages, p.found.pages...)
		n += p.found.Len()
	}
	all.list = make([]packed, 0, n)
	next := make([]int, len(passes))
	for len(all.list) < n {
		at := -1
		for i, p := range passes {
			if next[i] < len(p.ranks) && (at < 0 || p.ranks[next[i]] < passes[at].ranks[next[at]]) {
				at = i
			}
		}
		p, i := passes[at], next[at]
		next[at]++
		if changes, ok := p.asks[i]; ok {
			asks = append(asks, asking{len(all.list), changes})
		}
		f := p.found.list[i]
		f.page += first[at]
		f.head = all.heads.of(p.found.Head(i))
		all.list = append(all.list, f)
	}
	return all, asks
}
