package apply

import (
	"slices"
	"strconv"
	"sync"

	"github.com/aimcheck/aimcheck/audit"
)

// A slot is one field of one object.
type slot struct {
	target audit.Subject
	field  string
}

func at(op audit.Operation) slot { return slot{op.Target, op.Field} }

// values returns what the snapshot has in the slots that the operations write;
// slots of objects that are not there are left out.
func values(s *audit.Snapshot, ops []audit.Operation) map[slot]string {
	live := map[slot]string{}
	for _, op := range ops {
		if v, ok := value(s, op.Target, op.Field); ok {
			live[at(op)] = v
		}
	}
	return live
}

// value returns a field of an object of the snapshot, as a [Directory] would.
func value(s *audit.Snapshot, target audit.Subject, field string) (string, bool) {
	switch target.Kind {
	case audit.DatabricksUserKind:
		i, ok := s.DatabricksUsers.Find(target.ID)
		if !ok {
			return "", false
		}
		u := s.DatabricksUsers.At(i)
		switch field {
		case "externalId":
			return u.ExternalID, true
		case "name.givenName":
			return u.GivenName, true
		case "name.familyName":
			return u.FamilyName, true
		case "active":
			return strconv.FormatBool(u.Active), true
		}
	case audit.DatabricksGroupKind:
		if i, ok := s.DatabricksGroups.Find(target.ID); ok && field == "externalId" {
			return s.DatabricksGroups.At(i).ExternalID, true
		}
	case audit.DatabricksServicePrincipalKind:
		if i, ok := s.DatabricksServicePrincipals.Find(target.ID); ok && field == "externalId" {
			return s.DatabricksServicePrincipals.At(i).ExternalID, true
		}
	}
	return "", false
}

// holdings yields every object of any kind that has an externalId.
func holdings(s *audit.Snapshot, yield func(id string, of audit.Subject)) {
	add := func(k audit.Kind, object, id string) {
		if id != "" {
			yield(id, audit.Subject{Kind: k, ID: object})
		}
	}
	for _, u := range s.DatabricksUsers.All() {
		add(audit.DatabricksUserKind, u.ID, u.ExternalID)
	}
	for _, g := range s.DatabricksGroups.All() {
		add(audit.DatabricksGroupKind, g.ID, g.ExternalID)
	}
	for _, p := range s.DatabricksServicePrincipals.All() {
		add(audit.DatabricksServicePrincipalKind, p.ID, p.ExternalID)
	}
}

// holders is the collision index: who holds the externalIds that the operations
// touch. It is kept current while a run goes on, and is safe for concurrent use.
type holders struct {
	mu    sync.Mutex
	by    map[string][]audit.Subject
	holds map[audit.Subject]string
}

func newHolders(s *audit.Snapshot, ops []audit.Operation) *holders {
	touched := map[string]bool{}
	for _, op := range ops {
		if op.Field == "externalId" {
			touched[op.From], touched[op.To] = true, true
		}
	}
	h := &holders{by: map[string][]audit.Subject{}, holds: map[audit.Subject]string{}}
	holdings(s, func(id string, of audit.Subject) {
		if touched[id] {
			h.set(of, id)
		}
	})
	return h
}

// set says that the object holds the id, and no other.
func (h *holders) set(of audit.Subject, id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if old, ok := h.holds[of]; ok {
		h.by[old] = slices.DeleteFunc(h.by[old], func(s audit.Subject) bool { return s == of })
		delete(h.holds, of)
	}
	if id != "" {
		h.by[id] = append(h.by[id], of)
		h.holds[of] = id
	}
}

// other returns an object besides of that holds the id.
func (h *holders) other(id string, of audit.Subject) (audit.Subject, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.by[id] {
		if id != "" && s != of {
			return s, true
		}
	}
	return audit.Subject{}, false
}
