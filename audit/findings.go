package audit

import (
	"fmt"
	"iter"
	"strings"
	"time"
)

// Findings are findings in the order of a report, packed into pages of text: a
// finding takes a fifth of the memory that a [Finding] does, and holds hardly a
// pointer. They need nothing else to be read. The zero value has none. What is
// copied may only be read.
type Findings struct {
	list  []packed
	pages []page
	last  *writer // of the last page; nil where nothing was added

	heads   interned[FindingHead]
	waivers interned[WaivedBy]
	times   interned[time.Time]

	operations [][]string // of those findings that ask for some
	seen       []sighting // of each; nil without a history
}

// A FindingHead is what findings are counted by, which is known without unpacking
// them. Many have one head.
type FindingHead struct {
	Rule     string
	Severity Severity
	Remedy   Remedy
	Waived   bool
	State    State
}

// Head returns the finding's head.
func (f *Finding) Head() FindingHead {
	return FindingHead{f.Rule, f.Severity, f.Remedy, f.Waived, f.State}
}

// packed says where a finding is, and what changes after it was packed.
type packed struct {
	page, at uint32
	head     uint32
	waiver   uint32 // 0: none, else one more than its number
	asks     uint32 // for operations: 0 or one more, likewise
}

// A sighting says when a run first and last saw a finding.
type sighting struct{ first, last uint32 }

// NewFindings packs the findings.
func NewFindings(list ...Finding) Findings {
	var fs Findings
	for i := range list {
		fs.Add(&list[i])
	}
	return fs
}

// Add packs another finding behind the others.
func (fs *Findings) Add(f *Finding) {
	fs.add(f, nil, func(b []byte) []byte { return appendID(b, f) })
	i := len(fs.list) - 1
	if f.Waiver != nil {
		fs.list[i].waiver = fs.waivers.of(*f.Waiver) + 1
	}
	if f.Operations != nil {
		fs.ask(i, f.Operations...)
	}
	if !f.FirstSeen.IsZero() || !f.LastSeen.IsZero() {
		fs.see(i, f.FirstSeen, f.LastSeen)
	}
}

// add packs a finding of which id appends the id, and the places of its subjects,
// where they are known.
func (fs *Findings) add(f *Finding, places []int32, id func([]byte) []byte) {
	if fs.last == nil {
		fs.last = newWriter()
	}
	text := fs.last.pack(f, places, id)
	if fs.last.begin(len(text)) {
		fs.pages = append(fs.pages, page{pieces: fs.last.pieces})
	}
	p := packed{page: uint32(len(fs.pages) - 1), head: fs.heads.of(f.Head())}
	p.at = fs.last.append(&fs.pages[p.page], text)
	fs.list = append(fs.list, p)
}

// take adds the findings of more, which are as they were added there.
func (fs *Findings) take(more *Findings) {
	pages := uint32(len(fs.pages))
	fs.pages, fs.last = append(fs.pages, more.pages...), nil
	for i, p := range more.list {
		p.page, p.head = p.page+pages, fs.heads.of(more.Head(i))
		fs.list = append(fs.list, p)
	}
}

// Len returns the number of findings.
func (fs *Findings) Len() int { return len(fs.list) }

// At returns finding i. Nobody else has its lists.
func (fs *Findings) At(i int) Finding {
	var u unpacked
	fs.unpack(i, &u, true)
	return u.Finding
}

// All yields the findings in order. Each stands in the place of the one before:
// it and its lists are good until the next, its texts for ever.
func (fs *Findings) All() iter.Seq2[int, *Finding] {
	return func(yield func(int, *Finding) bool) {
		i := 0
		for f := range fs.List().All() {
			if !yield(i, f) {
				return
			}
			i++
		}
	}
}

// List lists what [Findings.All] yields.
func (fs *Findings) List() List[*Finding] { return fs.listed(true) }

// Brief is [Findings.List] without evidence, of which a finding is mostly made.
func (fs *Findings) Brief() List[*Finding] { return fs.listed(false) }

func (fs *Findings) listed(whole bool) List[*Finding] {
	return List[*Finding]{len(fs.list), func(from, to int) iter.Seq[*Finding] {
		return func(yield func(*Finding) bool) {
			var u unpacked
			for i := from; i < to; i++ {
				if (i-from)%fetched == 0 {
					fs.fetch(i, min(i+fetched, to))
				}
				if fs.unpack(i, &u, whole); !yield(&u.Finding) {
					return
				}
			}
		}
	}}
}

// Where yields those findings of [Findings.All] whose head is wanted.
func (fs *Findings) Where(want func(FindingHead) bool) iter.Seq2[int, *Finding] {
	return func(yield func(int, *Finding) bool) {
		var u unpacked
		for i := range fs.list {
			if !want(fs.Head(i)) {
				continue
			}
			if fs.unpack(i, &u, true); !yield(i, &u.Finding) {
				return
			}
		}
	}
}

// Head returns the head of finding i.
func (fs *Findings) Head(i int) FindingHead { return fs.heads.list[fs.list[i].head] }

// Heads yields the head of every finding in order.
func (fs *Findings) Heads() iter.Seq2[int, FindingHead] {
	return func(yield func(int, FindingHead) bool) {
		for i := range fs.list {
			if !yield(i, fs.Head(i)) {
				return
			}
		}
	}
}

// Stamp says of finding i when a run first and last saw it, and what became of it.
func (fs *Findings) Stamp(i int, first, last time.Time, state State) {
	fs.see(i, first, last)
	head := fs.Head(i)
	head.State = state
	fs.list[i].head = fs.heads.of(head)
}

func (fs *Findings) see(i int, first, last time.Time) {
	if fs.seen == nil {
		fs.times.of(time.Time{})
	}
	for len(fs.seen) < len(fs.list) {
		fs.seen = append(fs.seen, sighting{})
	}
	fs.seen[i] = sighting{fs.times.of(first), fs.times.of(last)}
}

// waive marks finding i as taken on.
func (fs *Findings) waive(i int, by WaivedBy) {
	head := fs.Head(i)
	head.Waived = true
	fs.list[i].head, fs.list[i].waiver = fs.heads.of(head), fs.waivers.of(by)+1
}

// ask adds to the ids of the operations that finding i asks for.
func (fs *Findings) ask(i int, operations ...string) {
	asks := &fs.list[i].asks
	if *asks == 0 {
		fs.operations = append(fs.operations, []string{})
		*asks = uint32(len(fs.operations))
	}
	list := &fs.operations[*asks-1]
	*list = append(*list, operations...)
}

// unpacked is a finding in the place of the one before.
type unpacked struct {
	Finding
	places []int32         // of its subjects among the objects of their kinds, or none where that is not known
	ids    strings.Builder // with those of findings before
}

// unpack sets u to finding i, its evidence left out unless the whole is wanted. It
// uses u's lists again.
func (fs *Findings) unpack(i int, u *unpacked, whole bool) {
	p, f := &fs.list[i], &u.Finding
	head := &fs.heads.list[p.head]
	f.Rule, f.Severity, f.Remedy, f.Waived, f.State = head.Rule, head.Severity, head.Remedy, head.Waived, head.State
	r := fs.reader(p)
	r.unpack(u)
	if whole {
		f.Evidence = r.evidence(f, f.Evidence)
	} else {
		f.Evidence = nil
	}
	f.Waiver, f.Operations, f.FirstSeen, f.LastSeen = nil, nil, time.Time{}, time.Time{}
	if p.waiver > 0 {
		f.Waiver = &fs.waivers.list[p.waiver-1]
	}
	if p.asks > 0 {
		f.Operations = fs.operations[p.asks-1]
	}
	if i < len(fs.seen) {
		f.FirstSeen, f.LastSeen = fs.times.list[fs.seen[i].first], fs.times.list[fs.seen[i].last]
	}
}

// fetched is how many findings are fetched at a time.
const fetched = 32

// fetch touches the texts of some findings, as [Index.fetchOwners] does records.
//
//go:noinline
func (fs *Findings) fetch(from, to int) (touched byte) {
	for i := from; i < to; i++ {
		p := &fs.list[i]
		touched += fs.pages[p.page].text[p.at]
	}
	return touched
}

func (fs *Findings) reader(p *packed) reader {
	page := &fs.pages[p.page]
	return reader{text: page.text[p.at:], pieces: page.pieces}
}

// String says how many there are: all of them are too many to print.
func (fs Findings) String() string { return fmt.Sprintf("%d findings", len(fs.list)) }

// interned gives every value a number, the same for the same.
type interned[T comparable] struct {
	list   []T
	number map[T]uint32
	recent uint32 // mostly the next is as the last
}

func (n *interned[T]) of(v T) uint32 {
	if int(n.recent) < len(n.list) && n.list[n.recent] == v {
		return n.recent
	}
	const first = 12 // are looked at one by one before the rest are looked up
	for i, known := range n.list[:min(len(n.list), first)] {
		if known == v {
			return uint32(i)
		}
	}
	i, ok := n.number[v]
	if !ok {
		if n.number == nil {
			n.number = map[T]uint32{}
		}
		i = uint32(len(n.list))
		n.number[v] = i
		n.list = append(n.list, v)
	}
	n.recent = i
	return i
}
