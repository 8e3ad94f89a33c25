package main

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/fetch"
	"github.com/aimcheck/aimcheck/report"
)

// A progress shows on stderr how far the listings are: bars at a terminal,
// a line every few seconds elsewhere, nothing where it is nil. It is safe for
// concurrent use.
type progress struct {
	w     io.Writer
	now   func() time.Time
	pause atomic.Pointer[string] // what is waited for; the bars read it while mu is held

	mu       sync.Mutex
	bars     *mpb.Progress // nil where there is no terminal
	waits    *mpb.Bar      // the line below them, which says what is waited for
	listings map[audit.Input]*listing
	shown    time.Time
}

type listing struct {
	bar     *mpb.Bar
	started time.Time
	lacking atomic.Bool // it has ended, and is not complete
}

// often is the time between two lines where there is no terminal.
const often = 5 * time.Second

// newProgress returns what to show; a quiet one is nil.
func (e *env) newProgress(quiet bool) *progress {
	if quiet {
		return nil
	}
	p := e.lines()
	if e.redraws() {
		p.bars = mpb.New(mpb.WithOutput(e.stderr), mpb.WithWidth(min(e.errWidth, 100)), mpb.WithAutoRefresh())
		p.waits = p.bars.New(0, mpb.NopStyle(), mpb.BarPriority(len(audit.Inputs())), mpb.PrependDecorators(decor.Any(p.pausing)))
	}
	return p
}

// lines returns a progress without bars.
func (e *env) lines() *progress {
	return &progress{w: e.stderr, now: e.now, listings: map[audit.Input]*listing{}, shown: e.now()}
}

func (p *progress) event(ev fetch.Event) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pause.Store(nil)
	l := p.listings[ev.Input]
	if l == nil {
		l = &listing{started: p.now()}
		p.listings[ev.Input] = l
		if p.bars != nil {
			l.bar = p.bars.New(0, mpb.BarStyle(), mpb.BarPriority(int(ev.Input)), mpb.BarWidth(24),
				mpb.PrependDecorators(decor.Name(ev.Input.String(), decor.WCSyncSpaceR)),
				mpb.AppendDecorators(decor.Any(func(s decor.Statistics) string {
					return " " + l.text(int(s.Current), int(s.Total), s.Completed, p.now())
				})))
		}
	}
	l.lacking.Store(ev.Reason != "")
	switch {
	case ev.Requests > 0:
		p.line("%s: %d requests or more, one for each it is about", ev.Input, ev.Requests)
	case l.bar != nil:
		l.bar.SetTotal(int64(ev.Expected), false)
		l.bar.SetCurrent(int64(ev.Received))
		if ev.Done {
			l.bar.SetTotal(-1, true) // what was received is all
		}
	case p.due():
		fmt.Fprintf(p.w, "aimcheck: %s: %s\n", ev.Input, l.text(ev.Received, ev.Expected, ev.Done, p.now()))
	}
}

// line says something that must not be missed.
func (p *progress) line(format string, args ...any) {
	w := p.w
	if p.bars != nil {
		w = p.bars // above the bars
	}
	fmt.Fprintf(w, "aimcheck: "+format+"\n", args...)
}

// text says how far a listing is, how fast, and how long it will take; expected
// is 0 where that is not known.
func (l *listing) text(received, expected int, done bool, now time.Time) string {
	switch {
	case done && l.lacking.Load():
		return fmt.Sprintf("%d read, not complete", received)
	case done:
		return fmt.Sprintf("%d read, done", received)
	}
	text := fmt.Sprintf("%d read", received)
	if expected > 0 {
		text = fmt.Sprintf("%d of %d read", received, expected)
	}
	spent := now.Sub(l.started).Seconds()
	if received == 0 || spent < 1 {
		return text
	}
	rate := float64(received) / spent
	text += fmt.Sprintf(", %.0f a second", rate)
	if left := expected - received; left > 0 {
		text += fmt.Sprintf(", %v left", (time.Duration(float64(left)/rate) * time.Second).Round(time.Second))
	}
	return text
}

// waiting says why nothing is being read just now.
func (p *progress) waiting(why string) {
	if p == nil {
		return
	}
	why = report.Visible(why) // it tells what a server said
	p.pause.Store(&why)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bars != nil {
		return
	}
	if p.due() {
		fmt.Fprintf(p.w, "aimcheck: %s\n", why)
		return
	}
	// Too early for a line. A long wait is told of all the same, if it goes on.
	time.AfterFunc(often, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.pause.Load() == &why && p.due() {
			fmt.Fprintf(p.w, "aimcheck: %s\n", why)
		}
	})
}

// due reports whether it is time for another line.
func (p *progress) due() bool {
	if p.now().Sub(p.shown) < often {
		return false
	}
	p.shown = p.now()
	return true
}

func (p *progress) pausing(decor.Statistics) string {
	if why := p.pause.Load(); why != nil {
		return *why
	}
	return ""
}

// close leaves the terminal as the next line expects it.
func (p *progress) close() {
	if p == nil {
		return
	}
	p.mu.Lock()
	p.pause.Store(nil)
	p.mu.Unlock()
	if p.bars == nil {
		return
	}
	for _, l := range p.listings {
		l.bar.Abort(false) // those that are done stay as they are
	}
	p.waits.Abort(true)
	p.bars.Wait()
}
