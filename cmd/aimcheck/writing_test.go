package main

import (
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/config"
	"github.com/aimcheck/aimcheck/internal/databricks"
	"github.com/aimcheck/aimcheck/internal/sandbox"
)

func TestPace(t *testing.T) {
	p := newPace(256)
	p.answered(false)
	if got := p.limiter.Limit(); got != 256 {
		t.Errorf("faster than was set: %v", got)
	}
	for _, want := range []float64{128, 64} {
		if p.answered(true); float64(p.limiter.Limit()) != want {
			t.Errorf("%v a second, want %v", p.limiter.Limit(), want)
		}
	}
	if p.answered(false); p.limiter.Limit() != 65 {
		t.Errorf("%v a second, want 65", p.limiter.Limit())
	}
	for range 20 {
		p.answered(true)
	}
	if p.limiter.Limit() != 4 {
		t.Errorf("%v a second: it must not come to a stop", p.limiter.Limit())
	}
}

// No waiting lies between the last look at an object and its write, neither for
// the rate nor for the rest that Databricks asks for: somebody could write in it.
func TestNoWaitBeforeAWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const people, workers = 200, 8
		var mu sync.Mutex
		looked := map[string]time.Time{}
		patches := 0
		o := sandbox.Options{Rates: sandbox.NoLimits(), Fault: func(r *http.Request) sandbox.Fault {
			mu.Lock()
			defer mu.Unlock()
			if r.Method != http.MethodPatch {
				looked[r.URL.Path] = time.Now()
				return sandbox.Fault{}
			}
			if d := time.Since(looked[r.URL.Path]); d > 0 {
				t.Errorf("change %d was sent %v after the last look", patches+1, d)
			}
			if patches++; patches == people/2 {
				return with(scimError(429), "Retry-After", "30")
			}
			return sandbox.Fault{}
		}}
		s := sandbox.Pipe(t, unlinked(people), o)
		base := s.Transport()
		defer base.CloseIdleConnections()
		client, err := databricks.Open(t.Context(), databricks.Config{
			Host: s.URL, AccountID: sandbox.DatabricksAccountID, ClientID: sandbox.DatabricksClientID, ClientSecret: sandbox.DatabricksClientSecret,
			ReadRate: 1000, ListRate: 1000, WriteRate: 2, Write: true, Transport: base,
		})
		if err != nil {
			t.Fatal(err)
		}
		settings := &config.Settings{}
		settings.Databricks.WriteRate = 2
		r := (&writing{}).runner(&env{now: time.Now}, settings, &directories{databricks: client})
		todo := make(chan string, people)
		for i := range people {
			todo <- strconv.Itoa(1000 + i)
		}
		close(todo)
		var g sync.WaitGroup
		for range workers {
			g.Go(func() {
				for id := range todo {
					object := audit.Subject{Kind: audit.DatabricksUserKind, ID: id}
					if err := r.Pace(t.Context()); err != nil {
						t.Error(err)
					}
					if _, _, err := r.Directory.Read(t.Context(), object, "externalId"); err != nil {
						t.Error(err)
					}
					_ = r.Directory.Set(t.Context(), object, "externalId", "00u"+id)
				}
			})
		}
		g.Wait()
	})
}
