package sandbox

import (
	"encoding/json"
	"slices"
	"sync"
	"time"
)

// A lag keeps what objects were, for reads that are behind writes. The nil lag
// keeps nothing: reads show what is there.
type lag struct {
	list, get time.Duration
	now       func() time.Time

	mu   sync.Mutex
	past map[string][]version // by id, in order
}

// A version is what an object was until a write replaced it.
type version struct {
	raw   json.RawMessage
	until time.Time
}

func newLag(o Options) *lag {
	if o.ListLag <= 0 && o.GetLag <= 0 {
		return nil
	}
	return &lag{list: o.ListLag, get: o.GetLag, now: o.Now, past: map[string][]version{}}
}

// keep remembers what the object of that id was until now.
func (l *lag) keep(id string, raw json.RawMessage) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.past[id] = append(l.past[id], version{raw, l.now()})
}

// before returns what the object of that id was behind ago; ok is false when
// that is what it is now.
func (l *lag) before(id string, behind time.Duration) (raw json.RawMessage, ok bool) {
	at := l.now().Add(-behind)
	for _, v := range l.past[id] {
		if v.until.After(at) {
			return v.raw, true
		}
	}
	return nil, false
}

// shown returns what a GET of that id shows.
func (c *collection) shown(id string) (json.RawMessage, bool) {
	raw, ok := c.find(id)
	if !ok || c.lag == nil {
		return raw, ok
	}
	c.lag.mu.Lock()
	defer c.lag.mu.Unlock()
	if old, behind := c.lag.before(id, c.lag.get); behind {
		raw = old
	}
	return raw, true
}

// listed returns what lists show.
func (c *collection) listed() []json.RawMessage {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.lag == nil {
		return c.objects
	}
	c.lag.mu.Lock()
	defer c.lag.mu.Unlock()
	objects := slices.Clone(c.objects)
	for id := range c.lag.past {
		old, behind := c.lag.before(id, c.lag.list)
		if i, there := c.at[id]; there && behind {
			objects[i] = old
		}
	}
	return objects
}
