package main

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/apply"
	"github.com/aimcheck/aimcheck/internal/fetch"
)

// clock is a time that tests move.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func TestProgressWithoutTerminal(t *testing.T) {
	var out bytes.Buffer
	c := &clock{time.Unix(0, 0)}
	e := &env{stderr: &out, now: c.now, getenv: func(string) string { return "" }}
	p := e.newProgress(false)
	send := func(received, expected int) {
		p.event(fetch.Event{Input: audit.OktaUsers, Received: received, Expected: expected})
	}
	send(0, 0)
	c.t = c.t.Add(4 * time.Second)
	send(200, 0) // too early for a line
	c.t = c.t.Add(time.Second)
	send(1000, 3000)
	c.t = c.t.Add(time.Second)
	p.waiting("Okta's limit is used up until 12:00:30") // too early too
	c.t = c.t.Add(5 * time.Second)
	p.waiting("Okta's limit is used up until 12:00:30")
	c.t = c.t.Add(5 * time.Second)
	p.event(fetch.Event{Input: audit.OktaUsers, Received: 1000, Expected: 3000, Done: true, Reason: "refused"})
	p.close()
	want := "aimcheck: okta_users: 1000 of 3000 read, 200 a second, 10s left\n" +
		"aimcheck: Okta's limit is used up until 12:00:30\n" +
		"aimcheck: okta_users: 1000 read, not complete\n"
	if out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}

	out.Reset()
	quiet := e.newProgress(true)
	quiet.event(fetch.Event{Input: audit.OktaUsers, Received: 1})
	quiet.waiting("x")
	quiet.close()
	if out.Len() > 0 {
		t.Errorf("quiet, yet %q", out.String())
	}
}

// A wait that is too early for a line gets one when it goes on, though operations
// under way end meanwhile. So it is while a plan is applied, which tells how far it
// is too.
func TestALongWaitIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		e := &env{stderr: &out, now: time.Now, errWidth: 100, getenv: func(string) string { return "" }}
		p := e.lines()
		work := &apply.Work{}
		for i := range 4 {
			expect := apply.Intent
			if i == 3 {
				expect = apply.Done
			}
			work.Steps = append(work.Steps, apply.Step{Operation: audit.Operation{ID: fmt.Sprint("op-", i)}, Expect: expect})
		}
		each := p.counting(work)
		row := func(i int) { each(apply.Row{Operation: work.Steps[i].Operation, Phase: apply.Done}) }
		row(3)
		time.Sleep(2 * time.Second)
		p.waiting("waiting 120 s: a rest")
		row(1)
		time.Sleep(120 * time.Second)
		row(0)
		time.Sleep(time.Minute)
		p.waiting("waiting 8 s: a rest")
		p.waiting("waiting 9 s: a rest")
		p.close()
		time.Sleep(time.Minute)
		want := "aimcheck: waiting 120 s: a rest\n" +
			"aimcheck: 2 of 3 operations ended, 0.0 a second, 1m1s left; the last: op-0 done\n" +
			"aimcheck: waiting 8 s: a rest\n"
		if out.String() != want {
			t.Errorf("got\n%s\nwant\n%s", out.String(), want)
		}
	})
}

func TestListingText(t *testing.T) {
	l := &listing{started: time.Unix(0, 0)}
	for _, c := range []struct {
		received, expected int
		done               bool
		seconds            int64
		want               string
	}{
		{0, 0, false, 0, "0 read"},
		{200, 0, false, 2, "200 read, 100 a second"},
		{200, 1000, false, 0, "200 of 1000 read"},
		{200, 1000, false, 2, "200 of 1000 read, 100 a second, 8s left"},
		{1000, 1000, false, 2, "1000 of 1000 read, 500 a second"},
		{1000, 1000, true, 2, "1000 read, done"},
	} {
		if got := l.text(c.received, c.expected, c.done, time.Unix(c.seconds, 0)); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

func TestProgressBars(t *testing.T) {
	var out bytes.Buffer
	e := &env{stderr: &out, errWidth: 100, now: time.Now, getenv: func(string) string { return "" }}
	p := e.newProgress(false)
	var all sync.WaitGroup
	for _, in := range []audit.Input{audit.OktaUsers, audit.DatabricksUsers} {
		all.Go(func() {
			for n := range 200 {
				p.event(fetch.Event{Input: in, Received: n, Expected: 200})
				p.waiting("waiting")
			}
			reason := ""
			if in == audit.DatabricksUsers {
				reason = "refused"
			}
			p.event(fetch.Event{Input: in, Received: 200, Expected: 200, Done: true, Reason: reason})
		})
	}
	all.Wait()
	p.close()
	if !strings.Contains(out.String(), "okta_users") || !strings.Contains(out.String(), "200 read, done") || !strings.Contains(out.String(), "200 read, not complete") {
		t.Errorf("bars: %q", out.String())
	}
}
