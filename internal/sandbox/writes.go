package sandbox

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/aimcheck/aimcheck/audit"
)

// A Write is a change of one field of a Databricks object by a PATCH.
type Write struct {
	Target   audit.Subject
	Field    string // as in "externalId" or "name.givenName"
	From, To string // texts; JSON where the value is a list or an object
}

// note adds a write to what [Sandbox.Writes] returns.
func (d *databricks) note(w Write) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.writes = append(d.writes, w)
}

// Writes returns every write so far that took effect, in order, those included
// that left a field as it was. What [Sandbox.Change] did is not among them.
func (s *Sandbox) Writes() []Write {
	s.databricks.mu.Lock()
	defer s.databricks.mu.Unlock()
	return slices.Clone(s.databricks.writes)
}

// Change sets a field of a Databricks object, as someone else might: none of the
// API's rules hold. Field is one as in [Write]; a blank value takes it away.
// Lists and single reads lag as they do after a PATCH.
func (s *Sandbox) Change(target audit.Subject, field, value string) error {
	c, err := s.databricks.of(target)
	if err != nil {
		return err
	}
	t, fault := c.kind.target(field)
	if fault != nil || t.where != nil || t.form == listForm || t.form == complexForm && t.sub == "" {
		return fmt.Errorf("%s: expected a field with one value, such as externalId or name.givenName, found %q", target, field)
	}
	raw := encodeText(value)
	switch {
	case value == "":
		raw = nil
	case t.form == truthForm:
		truth, err := strconv.ParseBool(value)
		if err != nil {
			return fmt.Errorf("%s: expected true or false for %s, found %q", target, field, value)
		}
		raw = strconv.AppendBool(nil, truth)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	i, ok := c.at[target.ID]
	if !ok {
		return fmt.Errorf("%s is not there", target)
	}
	o := parseObject(c.objects[i])
	changed, fault := t.value("replace", o.get(t.name), raw)
	switch {
	case fault != nil:
		return fmt.Errorf("%s: %s", target, fault.detail)
	case changed == nil:
		o = o.remove(t.name)
	default:
		o = o.set(t.name, changed)
	}
	c.put(i, target.ID, o.encode())
	return nil
}

// Remove deletes a Databricks object, as someone else might.
func (s *Sandbox) Remove(target audit.Subject) error {
	c, err := s.databricks.of(target)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	gone, ok := c.at[target.ID]
	if !ok {
		return fmt.Errorf("%s is not there", target)
	}
	c.objects = slices.Delete(slices.Clone(c.objects), gone, gone+1)
	delete(c.at, target.ID)
	for id, i := range c.at {
		if i > gone {
			c.at[id] = i - 1
		}
	}
	return nil
}

// of returns the collection that an object of that kind is in.
func (d *databricks) of(target audit.Subject) (*collection, error) {
	for _, c := range d.kinds {
		if c.kind.subject == target.Kind {
			return c, nil
		}
	}
	return nil, fmt.Errorf("expected a user, group or service principal of Databricks, found %q", target)
}
