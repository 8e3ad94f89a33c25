package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/sandbox"
)

// crowd are four people and a group who lack nothing but the link; of the second
// things go wrong.
func crowd() *sandbox.Tenant {
	t := unlinked(4)
	t.Okta.Users = append(t.Okta.Users, json.RawMessage(`{"id":"00usp","status":"ACTIVE","profile":{"login":"spare@example.com","email":"spare@example.com","firstName":"A","lastName":"B"}}`))
	t.Okta.Groups = append(t.Okta.Groups, json.RawMessage(`{"id":"00g1","type":"OKTA_GROUP","profile":{"name":"Engineering"}}`))
	t.Databricks.Groups = append(t.Databricks.Groups, json.RawMessage(`{"id":"5","displayName":"Engineering","meta":{"resourceType":"Group"}}`))
	return t
}

const (
	victim       = "1001"
	victimsID    = "00u1"
	everybody    = "1000:00u0 1001:00u1 1002:00u2 1003:00u3 5:00g1"
	withoutWhom  = "1000:00u0 1001: 1002:00u2 1003:00u3 5:00g1"
	strangersID  = "00usp"
	withStranger = "1000:00u0 1001:00usp 1002:00u2 1003:00u3 5:00g1"
)

var theVictim = audit.Subject{Kind: audit.DatabricksUserKind, ID: victim}

func about(r *http.Request, method string) bool {
	return r.Method == method && strings.HasSuffix(r.URL.Path, "/Users/"+victim)
}

// patch damages the first PATCH of the victim.
func patch(f sandbox.Fault) func(*scene) {
	return func(s *scene) {
		met := false
		s.goesWrong(func(r *http.Request) sandbox.Fault {
			if met || !about(r, http.MethodPatch) {
				return sandbox.Fault{}
			}
			met = true
			return f
		})
	}
}

// read does something before the nth read of the victim since things go wrong.
func read(n int, do func(s *scene) error) func(*scene) {
	return func(s *scene) {
		reads := 0
		s.goesWrong(func(r *http.Request) sandbox.Fault {
			if about(r, http.MethodGet) {
				if reads++; reads == n {
					if err := do(s); err != nil {
						s.t.Error(err)
					}
				}
			}
			return sandbox.Fault{}
		})
	}
}

func strange(s *scene) error { return s.box.Change(theVictim, "externalId", strangersID) }

func scimError(status int) sandbox.Fault {
	return sandbox.Fault{Status: status, Body: fmt.Sprintf(
		`{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"detail":"as the sandbox was told","status":"%d"}`, status)}
}

func after(f sandbox.Fault) sandbox.Fault {
	f.After = true
	return f
}

func with(f sandbox.Fault, header, value string) sandbox.Fault {
	f.Header = http.Header{header: {value}}
	return f
}

var html = sandbox.Fault{Status: http.StatusOK, Header: http.Header{"Content-Type": {"text/html"}}, Body: "<html>Sign in</html>"}

// The fault matrix: the whole command meets every fault that writes are known
// to, one after another; then a second run meets none. Nothing is written twice,
// nothing is overwritten that the plan does not expect, nobody else is held up,
// and the journal tells exactly what became of it.
func TestFaultMatrix(t *testing.T) {
	for _, c := range []struct {
		name   string
		o      sandbox.Options
		before func(*scene) // between plan and apply, or set to go wrong during apply

		status int    // of the first run
		told   string // of the victim, after the first run
		values string // after the first run
		says   string // in the output of the first run

		statusThen int    // of the second run
		toldThen   string // after it
		valuesThen string
	}{
		{name: "nothing", told: "intent done", values: everybody},
		{name: "429 with Retry-After", before: patch(with(scimError(429), "Retry-After", "1")), told: "intent failed intent done", values: everybody},
		{name: "429 without Retry-After", before: patch(scimError(429)), told: "intent failed intent done", values: everybody},
		{name: "429 as HTML", before: patch(sandbox.Fault{Status: 429, Body: "<html>slow down</html>"}), told: "intent failed intent done", values: everybody},
		{name: "429 without a word", before: patch(sandbox.Fault{Status: 429}), told: "intent failed intent done", values: everybody},
		{name: "500 before", before: patch(scimError(500)), status: 4, told: "intent failed", values: withoutWhom, says: "the old value stays; .*status 500", toldThen: "intent failed intent done", valuesThen: everybody},
		{name: "502 before", before: patch(sandbox.Fault{Status: 502, Body: "<html>bad gateway</html>"}), status: 4, told: "intent failed", values: withoutWhom, says: "status 502", toldThen: "intent failed intent done", valuesThen: everybody},
		{name: "503 before", before: patch(with(scimError(503), "Retry-After", "1")), status: 4, told: "intent failed", values: withoutWhom, says: "status 503", toldThen: "intent failed intent done", valuesThen: everybody},
		{name: "500 after", before: patch(after(scimError(500))), told: "intent done", values: everybody},
		{name: "502 after", before: patch(after(sandbox.Fault{Status: 502, Body: "<html>bad gateway</html>"})), told: "intent done", values: everybody},
		{name: "503 after", before: patch(after(scimError(503))), told: "intent done", values: everybody},
		{name: "reset before", before: patch(sandbox.Fault{Reset: true}), status: 4, told: "intent failed", values: withoutWhom, says: "the old value stays", toldThen: "intent failed intent done", valuesThen: everybody},
		{name: "reset after", before: patch(sandbox.Fault{Reset: true, After: true}), told: "intent done", values: everybody},
		{name: "cut answer", before: patch(sandbox.Fault{Cut: true, CutAfter: 20}), told: "intent done", values: everybody},
		{name: "HTML 200 before", before: patch(html), status: 4, told: "intent failed", values: withoutWhom, says: "the old value stays", toldThen: "intent failed intent done", valuesThen: everybody},
		{name: "HTML 200 after", before: patch(after(html)), told: "intent done", values: everybody},
		{name: "200 that is not stored", before: patch(sandbox.Fault{Lost: true}), status: 4, told: "intent failed", values: withoutWhom, says: "the old value stays; the answer was a success", toldThen: "intent failed intent done", valuesThen: everybody},
		{name: "reads lag", o: sandbox.Options{GetLag: 300 * time.Millisecond, ListLag: 600 * time.Millisecond}, told: "intent done", values: everybody},
		{name: "404", before: patch(scimError(404)), status: 4, told: "intent failed", values: withoutWhom, says: "refused the change with status 404 .as the sandbox was told", toldThen: "intent failed intent done", valuesThen: everybody},
		{name: "409", before: patch(scimError(409)), status: 4, told: "intent failed", values: withoutWhom, says: "refused the change with status 409", toldThen: "intent failed intent done", valuesThen: everybody},
		{name: "409, and stored", before: patch(after(scimError(409))), told: "intent done", values: everybody},
		{name: "400", before: patch(scimError(400)), status: 4, told: "intent failed", values: withoutWhom, says: "status 400", toldThen: "intent failed intent done", valuesThen: everybody},
		{name: "the token expires at the write", before: patch(sandbox.Fault{Revoke: true}), told: "intent failed intent done", values: everybody},
		{name: "the token expires at the read", before: func(s *scene) {
			revoked := false
			s.goesWrong(func(r *http.Request) sandbox.Fault {
				if revoked || !about(r, http.MethodGet) {
					return sandbox.Fault{}
				}
				revoked = true
				return sandbox.Fault{Revoke: true}
			})
		}, told: "intent done", values: everybody},
		{name: "the read fails at first", before: func(s *scene) {
			failed := 0
			s.goesWrong(func(r *http.Request) sandbox.Fault {
				if failed == 2 || !about(r, http.MethodGet) {
					return sandbox.Fault{}
				}
				failed++
				return scimError(503)
			})
		}, told: "intent done", values: everybody},
		{name: "nothing can be read after the write", before: func(s *scene) {
			blind := false
			s.goesWrong(func(r *http.Request) sandbox.Fault {
				switch {
				case about(r, http.MethodPatch):
					blind = true
					return sandbox.Fault{Reset: true, After: true}
				case blind && about(r, http.MethodGet):
					return scimError(403)
				}
				return sandbox.Fault{}
			})
		}, status: 4, told: "intent unknown", says: "what became of a write could not be read", toldThen: "intent unknown done", valuesThen: everybody},
		{name: "somebody else, before apply", before: func(s *scene) {
			if err := strange(s); err != nil {
				s.t.Error(err)
			}
		}, status: 4, told: "drifted(00usp)", values: withStranger, says: `expected "", found "00usp"; nothing was written`,
			statusThen: 4, toldThen: "drifted(00usp) drifted(00usp)", valuesThen: withStranger},
		{name: "somebody else did the same, before apply", before: func(s *scene) {
			if err := s.box.Change(theVictim, "externalId", victimsID); err != nil {
				s.t.Error(err)
			}
		}, told: "already", values: everybody},
		{name: "somebody gave the id away, before apply", before: func(s *scene) {
			if err := s.box.Change(audit.Subject{Kind: audit.DatabricksGroupKind, ID: "5"}, "externalId", victimsID); err != nil {
				s.t.Error(err)
			}
		}, status: 4, told: "drifted", values: "1000:00u0 1001: 1002:00u2 1003:00u3 5:00u1", says: "the externalId 00u1 is held by databricks:group:5",
			statusThen: 4, toldThen: "drifted drifted", valuesThen: "1000:00u0 1001: 1002:00u2 1003:00u3 5:00u1"},
		{name: "somebody else, before the read", before: read(1, strange),
			status: 4, told: "drifted(00usp)", values: withStranger, says: `expected "", found "00usp"; nothing was written`,
			statusThen: 4, toldThen: "drifted(00usp) drifted(00usp)", valuesThen: withStranger},
		{name: "somebody else, between read and write", before: read(2, strange),
			status: 4, told: "intent drifted(00usp)", values: withStranger, says: `expected "", found "00usp"; nothing was written`,
			statusThen: 4, toldThen: "intent drifted(00usp) drifted(00usp)", valuesThen: withStranger},
		{name: "somebody else did the same, between read and write", before: read(2, func(s *scene) error { return s.box.Change(theVictim, "externalId", victimsID) }),
			told: "intent already", values: everybody},
		{name: "somebody else, after the write", before: read(3, strange),
			status: 4, told: "intent failed(00usp)", values: withStranger, says: "another value stands there: somebody else writes to the object",
			statusThen: 4, toldThen: "intent failed(00usp) drifted(00usp)", valuesThen: withStranger},
		{name: "somebody else, after the read-back", before: func(s *scene) {
			lists := 0
			s.goesWrong(func(r *http.Request) sandbox.Fault {
				if strings.HasSuffix(r.URL.Path, "/scim/v2/Users") {
					if lists++; s.last[strings.TrimSuffix(r.URL.Path, "/")+"/"+victim] != "" {
						if err := strange(s); err != nil {
							s.t.Error(err)
						}
					}
				}
				return sandbox.Fault{}
			})
		}, status: 4, told: "intent done", values: withStranger, says: `NOT PROVEN: a full read shows something else\n +op-0003 +databricks:user:1001 externalId is "00usp", written was "00u1"`,
			statusThen: 4, toldThen: "intent done", valuesThen: withStranger},
		{name: "removed before apply", before: func(s *scene) {
			if err := s.box.Remove(theVictim); err != nil {
				s.t.Error(err)
			}
		}, status: 4, told: "failed", values: "1000:00u0 1002:00u2 1003:00u3 5:00g1", says: "the object is not there any more",
			statusThen: 4, toldThen: "failed failed", valuesThen: "1000:00u0 1002:00u2 1003:00u3 5:00g1"},
		{name: "removed before the read", before: read(1, func(s *scene) error { return s.box.Remove(theVictim) }),
			status: 4, told: "failed", values: "1000:00u0 1002:00u2 1003:00u3 5:00g1", says: "the object is not there any more",
			statusThen: 4, toldThen: "failed failed", valuesThen: "1000:00u0 1002:00u2 1003:00u3 5:00g1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, crowd(), c.o)
			s.plan()
			if c.before != nil {
				c.before(s)
			}
			status, out := s.apply()
			s.goesWrong(nil)
			s.holds(c.status, c.told, c.values, status, out)
			if c.says != "" && !matches(out, c.says) {
				t.Errorf("it does not say %q:\n%s", c.says, out)
			}
			if c.toldThen == "" {
				c.toldThen, c.valuesThen = c.told, c.values
			}
			status, out = s.apply()
			s.holds(c.statusThen, c.toldThen, c.valuesThen, status, out)
		})
	}
}

// A write that comes within the round trip between the last look and our own is
// overwritten: there is no conditional write, and no read that shows it. That
// nothing else fits into this gap is all that can be demanded.
func TestTheGapThatIsLeft(t *testing.T) {
	s := newScene(t, crowd(), sandbox.Options{})
	s.plan()
	s.goesWrong(func(r *http.Request) sandbox.Fault {
		if about(r, http.MethodPatch) {
			if err := strange(s); err != nil {
				t.Error(err)
			}
		}
		return sandbox.Fault{}
	})
	if status, out := s.apply(); status != 0 || s.told()[victim] != "intent done" {
		t.Errorf("exit status %d, %q\n%s", status, s.told()[victim], out)
	}
	if wrote := s.wrote(); wrote[victim] != strangersID+"→"+victimsID {
		t.Errorf("%s was written %q: is there a way to see it now?", victim, wrote[victim])
	}
}

// A rollback meets the same faults in the same way: of a group, whose externalId
// can be cleared again.
func TestRollbackFaults(t *testing.T) {
	engineering := audit.Subject{Kind: audit.DatabricksGroupKind, ID: "5"}
	theGroup := func(f sandbox.Fault) func(*scene) {
		return func(s *scene) {
			met := false
			s.goesWrong(func(r *http.Request) sandbox.Fault {
				if met || r.Method != http.MethodPatch || !strings.HasSuffix(r.URL.Path, "/Groups/5") {
					return sandbox.Fault{}
				}
				met = true
				return f
			})
		}
	}
	for _, c := range []struct {
		name     string
		before   func(*scene)
		status   int
		told     string // of the rollback
		value    string
		says     string
		then     int
		toldThen string
	}{
		{name: "nothing", told: "intent done"},
		{name: "429", before: theGroup(scimError(429)), told: "intent failed intent done"},
		{name: "503 before", before: theGroup(scimError(503)), status: 4, told: "intent failed", value: "00g1", says: "the old value stays", toldThen: "intent failed intent done"},
		{name: "503 after", before: theGroup(after(scimError(503))), told: "intent done"},
		{name: "reset after", before: theGroup(sandbox.Fault{Reset: true, After: true}), told: "intent done"},
		{name: "200 that is not stored", before: theGroup(sandbox.Fault{Lost: true}), status: 4, told: "intent failed", value: "00g1", says: "the old value stays", toldThen: "intent failed intent done"},
		{name: "the token expires", before: theGroup(sandbox.Fault{Revoke: true}), told: "intent failed intent done"},
		{name: "somebody else since", before: func(s *scene) {
			if err := s.box.Change(engineering, "externalId", "00gx"); err != nil {
				s.t.Error(err)
			}
		}, status: 4, told: "drifted(00gx)", value: "00gx", says: `expected "00g1", found "00gx"; nothing was written`, then: 4, toldThen: "drifted(00gx) drifted(00gx)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, crowd(), sandbox.Options{})
			s.plan()
			if status, out := s.apply(); status != 0 {
				t.Fatalf("exit status %d\n%s", status, out)
			}
			if c.before != nil {
				c.before(s)
			}
			writes := len(s.box.Writes())
			status, out := s.rollback()
			s.goesWrong(nil)
			told, _ := strings.CutPrefix(s.told()["5"], "intent done ")
			if status != c.status || told != c.told || s.values()["5"] != c.value {
				t.Errorf("exit status %d, %q, the id is %q; want %d, %q and %q\n%s", status, told, s.values()["5"], c.status, c.told, c.value, out)
			}
			if !strings.HasPrefix(out, "Can't be restored: 4,") || !matches(out, c.says) {
				t.Errorf("it does not say first what it can't restore, or not %q:\n%s", c.says, out)
			}
			if c.toldThen == "" {
				c.toldThen = c.told
			}
			status, out = s.rollback()
			told, _ = strings.CutPrefix(s.told()["5"], "intent done ")
			if status != c.then || told != c.toldThen {
				t.Errorf("again: exit status %d, %q; want %d, %q\n%s", status, told, c.then, c.toldThen, out)
			}
			if n := len(s.box.Writes()) - writes; n > 1 {
				t.Errorf("%d writes", n)
			}
			for _, is := range strings.Fields(everybody)[:4] {
				if id, v, _ := strings.Cut(is, ":"); s.values()[id] != v {
					t.Errorf("%s is %q, want %q", id, s.values()[id], v)
				}
			}
		})
	}
}

// holds compares what a run came to; blank values are not looked at.
func (s *scene) holds(wantStatus int, wantTold, wantValues string, status int, out string) {
	s.t.Helper()
	if status != wantStatus {
		s.t.Errorf("exit status %d, want %d\n%s", status, wantStatus, out)
	}
	told := s.told()
	if told[victim] != wantTold {
		s.t.Errorf("the journal tells of %q, want %q\n%s", told[victim], wantTold, out)
	}
	var values []string
	for id, v := range s.values() {
		values = append(values, id+":"+v)
	}
	slices.Sort(values)
	if got := strings.Join(values, " "); wantValues != "" && got != wantValues {
		s.t.Errorf("in the end there is %q, want %q\n%s", got, wantValues, out)
	}
	wrote := s.wrote()
	for _, id := range []string{"1000", "1002", "1003", "5"} {
		if want := map[bool]string{false: "→00u" + id[len(id)-1:], true: "→00g1"}[id == "5"]; wrote[id] != want && told[id] == "intent done" {
			s.t.Errorf("%s was written %q, want %q", id, wrote[id], want)
		}
	}
	if w, ok := wrote[victim]; ok && w != "→"+victimsID {
		s.t.Errorf("%s was written %q", victim, w)
	}
	if _, ok := wrote[victim]; ok != strings.Contains(told[victim], "done") && !strings.Contains(wantTold, "(00usp)") && !strings.Contains(wantTold, "unknown") {
		s.t.Errorf("%s was written: %v, and the journal tells of %q", victim, ok, told[victim])
	}
}

func matches(text, pattern string) bool { return regexp.MustCompile(pattern).MatchString(text) }

// Somebody was hired since the plan was made whose email is the victim's userName:
// what was beyond doubt is no longer. And a userName that was changed is another's.
func TestThePlanIsOld(t *testing.T) {
	t.Parallel()
	s := newScene(t, crowd(), sandbox.Options{})
	s.plan()
	p := s.readPlan()

	later := crowd()
	later.Okta.Users = append(later.Okta.Users, json.RawMessage(`{"id":"00unew","status":"STAGED","profile":{"login":"new@example.com","email":"u1@example.com","firstName":"A","lastName":"B"}}`))
	later.Databricks.Users[2] = json.RawMessage(`{"id":"1002","userName":"renamed@example.com","name":{"givenName":"A","familyName":"B"},"active":true}`)
	now := newScene(t, later, sandbox.Options{})
	p.OktaOrg = now.box.URL
	if err := p.Seal(p.Created, time.Hour); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(p)
	if err == nil {
		err = os.WriteFile(now.file("plan.json"), text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	status, out := now.apply()
	if status != exitIncomplete || !matches(out, `op-0003 .*: the directories have changed, and the rules don't ask for it any more`) || !matches(out, `op-0004 .*: its name is "renamed@example.com" now`) {
		t.Errorf("exit status %d\n%s", status, out)
	}
	if told := now.told(); told[victim] != "drifted" || told["1002"] != "drifted" || len(now.wrote()) != 3 {
		t.Errorf("the journal tells %v, and %v were written", told, now.wrote())
	}
}
