package history

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aimcheck/aimcheck/audit"
)

// A PastRun is a run as the history holds it.
type PastRun struct {
	Run      int64           `json:"run"`
	Org      string          `json:"okta_org"`
	Account  string          `json:"databricks_account"`
	Settings json.RawMessage `json:"settings"`
	Version  string          `json:"version"`
	Snapshot string          `json:"snapshot"`
	Alert    string          `json:"alert"`
	audit.PastRun
}

// Runs returns the runs, newest first.
func (s *Store) Runs(ctx context.Context) ([]PastRun, error) {
	runs, err := s.runs(ctx, s.db, "", 0)
	if err != nil {
		return nil, s.place.failed("read", err)
	}
	return runs, nil
}

// A Life is what became of a finding, with one tenant pair and one set of settings.
type Life struct {
	ID        string          `json:"id"`
	Org       string          `json:"okta_org"`
	Account   string          `json:"databricks_account"`
	Settings  json.RawMessage `json:"settings"`
	Rule      string          `json:"rule"`
	Severity  audit.Severity  `json:"severity"`
	Key       string          `json:"key"`
	Message   string          `json:"message"`
	Subjects  string          `json:"subjects"`
	State     audit.State     `json:"state"`
	Waived    json.RawMessage `json:"waiver,omitempty"`
	FirstSeen time.Time       `json:"first_seen"`
	LastSeen  time.Time       `json:"last_seen"`
	Events    []Event         `json:"events"` // oldest first; those of runs that are kept
	Deeds     []Deed          `json:"deeds"`  // what was decided and done about it, oldest first
}

// An Event is something that happened to a finding.
type Event struct {
	Time time.Time `json:"time"`
	Run  int64     `json:"run"`
	What string    `json:"what"`
	Note string    `json:"note,omitempty"`
}

// ErrUnknown is the error of a finding that the history does not hold.
var ErrUnknown = errors.New("no run in the history saw it, or those that did are no longer kept")

// Finding returns the life of the finding, one for each tenant pair and settings.
func (s *Store) Finding(ctx context.Context, id string) ([]Life, error) {
	lives, err := s.finding(ctx, id)
	if err != nil && !errors.Is(err, ErrUnknown) {
		err = s.place.failed("read", err)
	}
	return lives, err
}

func (s *Store) finding(ctx context.Context, id string) ([]Life, error) {
	// The newest run of the stream says whose it is: there is always one.
	found, err := s.db.QueryContext(ctx, s.q("SELECT f.stream, f.rule, f.severity, f.key, f.message, f.subjects, f.state, f.waived, f.first_seen, f.last_seen, r.org, r.account, r.settings"+
		" FROM aimcheck_findings f JOIN aimcheck_runs r ON r.id = (SELECT MAX(id) FROM aimcheck_runs WHERE stream = f.stream) WHERE f.id = ? ORDER BY r.id DESC"), id)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var lives []Life
	var streams []string
	for found.Next() {
		l := Life{ID: id, Events: []Event{}}
		var stream, severity, waived, first, last, settings string
		if err := found.Scan(&stream, &l.Rule, &severity, &l.Key, &l.Message, &l.Subjects, &l.State, &waived, &first, &last, &l.Org, &l.Account, &settings); err != nil {
			return nil, err
		}
		if l.Severity, err = audit.ParseSeverity(severity); err != nil {
			return nil, err
		}
		if l.FirstSeen, err = moment(first); err != nil {
			return nil, err
		}
		if l.LastSeen, err = moment(last); err != nil {
			return nil, err
		}
		l.Settings = json.RawMessage(settings)
		if waived != "" {
			l.Waived = json.RawMessage(waived)
		}
		lives, streams = append(lives, l), append(streams, stream)
	}
	if err := found.Err(); err != nil {
		return nil, err
	}
	if len(lives) == 0 {
		return nil, fmt.Errorf("%s: %w", id, ErrUnknown)
	}
	for i := range lives {
		if lives[i].Events, err = s.events(ctx, streams[i], id); err != nil {
			return nil, err
		}
		if lives[i].Deeds, err = s.deeds(ctx, lives[i].Org, lives[i].Account, id); err != nil {
			return nil, err
		}
	}
	return lives, nil
}

func (s *Store) events(ctx context.Context, stream, id string) ([]Event, error) {
	found, err := s.db.QueryContext(ctx, s.q("SELECT r.at, e.run, e.what, e.note FROM aimcheck_events e JOIN aimcheck_runs r ON r.id = e.run"+
		" WHERE e.finding = ? AND r.stream = ? ORDER BY e.run, e.what"), id, stream)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	events := []Event{}
	for found.Next() {
		var e Event
		var at string
		if err := found.Scan(&at, &e.Run, &e.What, &e.Note); err != nil {
			return nil, err
		}
		if e.Time, err = moment(at); err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	return events, found.Err()
}
