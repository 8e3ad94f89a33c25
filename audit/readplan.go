package audit

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/go-json-experiment/json"
)

// ReadPlan reads a plan.json. It takes nothing on trust: unknown, repeated and
// misspelt keys, text that is no UTF-8 and anything after the plan are refused,
// and so are a version that it doesn't know, an operation that no plan may hold,
// and a plan that was changed after it was sealed. What it accepts, however its
// white space stands, has the content that was sealed. Name is the file's, for
// errors.
func ReadPlan(r io.Reader, name string) (*Plan, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", name, err)
	}
	refused := func(err error) (*Plan, error) {
		return nil, fmt.Errorf("%s is not a plan that can be used: %w", name, err)
	}
	var head struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return refused(fmt.Errorf("%w: give the plan.json that an audit wrote", err))
	}
	if head.Schema != PlanSchema {
		return refused(fmt.Errorf("its schema is %q, expected %q: make a plan with this version of aimcheck", head.Schema, PlanSchema))
	}
	var p Plan
	if err := json.Unmarshal(text, &p, json.RejectUnknownMembers(true)); err != nil {
		return refused(err)
	}
	if err := errors.Join(p.Verify(), p.check()); err != nil {
		return refused(err)
	}
	return &p, nil
}

var operationPattern = regexp.MustCompile(`^op-[0-9]{4,}$`)

// check reports the first thing that no plan may hold. A digest is no
// signature, so this does not rely on it.
func (p *Plan) check() error {
	if p.Created.IsZero() || p.Expires.IsZero() || p.Databricks == "" {
		return errors.New("it does not say when it was made, until when it holds, or for which account")
	}
	ids, slots := map[string]bool{}, map[slot]bool{}
	for _, op := range p.Operations {
		if err := op.check(); err != nil {
			return fmt.Errorf("operation %q: %w", op.ID, err)
		}
		if ids[op.ID] {
			return fmt.Errorf("operation %q: there are two of that id", op.ID)
		}
		if slots[op.slot()] {
			return fmt.Errorf("operation %q: another one writes %s of %s too", op.ID, op.Field, op.Target)
		}
		ids[op.ID], slots[op.slot()] = true, true
	}
	return nil
}

func (op Operation) check() error {
	if !operationPattern.MatchString(op.ID) {
		return errors.New("expected an id such as op-0001")
	}
	switch op.Decision {
	case Undecided, Approve, Reject:
	default:
		return fmt.Errorf("unknown decision %q", op.Decision)
	}
	k := op.Target.Kind
	user := k == DatabricksUserKind
	ok := false
	switch op.Action {
	case SetExternalID:
		ok = (user || k == DatabricksGroupKind || k == DatabricksServicePrincipalKind) && op.Field == "externalId" && op.To != "" && op.To != op.From
	case ClearExternalID:
		ok = k == DatabricksGroupKind && op.Field == "externalId" && op.From != "" && op.To == ""
	case SetName:
		ok = user && (op.Field == "name.givenName" || op.Field == "name.familyName") && strings.TrimSpace(op.To) != ""
	case DeactivateUser:
		ok = user && op.Field == "active" && op.From == "true" && op.To == "false"
	}
	if !ok {
		return fmt.Errorf("%s of %s of %s from %q to %q is nothing that a plan may do", op.Action, op.Field, op.Target, op.From, op.To)
	}
	return nil
}
