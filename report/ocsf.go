package report

import (
	"io"
	"iter"
	"time"

	"github.com/aimcheck/aimcheck/audit"
)

// ocsfVersion is the version of the Open Cybersecurity Schema Framework that the
// events are of.
const ocsfVersion = "1.8.0"

// ocsfLines writes a Compliance Finding (class 2003) a line, for a SIEM: one for
// every finding; with a history also one that closes each finding that is gone;
// and one for every input that was not read to its end, since what is missing
// then proves nothing.
func ocsfLines(w io.Writer, r *audit.Report) error {
	o := newObject(w)
	for e := range ocsfEvents(r) {
		o.value(e)
		o.w.WriteString("\n")
		if o.err != nil {
			return o.err
		}
	}
	return o.w.Flush()
}

type ocsfEvent struct {
	ActivityID   int              `json:"activity_id"`
	ActivityName string           `json:"activity_name"`
	CategoryUID  int              `json:"category_uid"`
	CategoryName string           `json:"category_name"`
	ClassUID     int              `json:"class_uid"`
	ClassName    string           `json:"class_name"`
	TypeUID      int              `json:"type_uid"`
	Time         int64            `json:"time"`
	SeverityID   int              `json:"severity_id"`
	Severity     string           `json:"severity"`
	StatusID     int              `json:"status_id"`
	Status       string           `json:"status"`
	Message      string           `json:"message"`
	Metadata     ocsfMetadata     `json:"metadata"`
	FindingInfo  ocsfFinding      `json:"finding_info"`
	Compliance   ocsfCompliance   `json:"compliance"`
	Resources    []ocsfResource   `json:"resources,omitempty"`
	Remediation  *ocsfRemediation `json:"remediation,omitempty"`
	Unmapped     map[string]any   `json:"unmapped,omitempty"`
}

type ocsfMetadata struct {
	Version   string      `json:"version"`
	Product   ocsfProduct `json:"product"`
	TenantUID string      `json:"tenant_uid,omitempty"`
	UID       string      `json:"uid"`
}

type ocsfProduct struct {
	Name    string `json:"name"`
	Vendor  string `json:"vendor_name"`
	Version string `json:"version,omitempty"`
}

type ocsfFinding struct {
	UID       string       `json:"uid"`
	Title     string       `json:"title"`
	Desc      string       `json:"desc,omitempty"`
	Types     []string     `json:"types,omitempty"`
	Analytic  ocsfAnalytic `json:"analytic"`
	FirstSeen int64        `json:"first_seen_time,omitzero"`
	LastSeen  int64        `json:"last_seen_time,omitzero"`
}

type ocsfAnalytic struct {
	TypeID int    `json:"type_id"`
	Type   string `json:"type"`
	Name   string `json:"name"`
	UID    string `json:"uid"`
}

type ocsfCompliance struct {
	Control   string   `json:"control"`
	Standards []string `json:"standards"`
	StatusID  int      `json:"status_id"`
	Status    string   `json:"status"`
}

type ocsfResource struct {
	UID    string         `json:"uid"`
	Name   string         `json:"name,omitempty"`
	Type   string         `json:"type"`
	RoleID int            `json:"role_id"`
	Role   string         `json:"role"`
	Data   []ocsfEvidence `json:"data,omitempty"`
}

type ocsfEvidence struct {
	Role  string `json:"role"`
	Field string `json:"field"`
	Value string `json:"value"`
}

type ocsfRemediation struct {
	Desc string `json:"desc"`
}

func ocsfEvents(r *audit.Report) iter.Seq[ocsfEvent] {
	return func(yield func(ocsfEvent) bool) {
		rules := map[string]*audit.Rule{}
		for _, rule := range r.Rules {
			rules[rule.Name] = rule
		}
		for _, f := range r.Findings.All() {
			if !yield(findingEvent(r, f, rules)) {
				return
			}
		}
		for _, g := range r.Resolved {
			e := newEvent(r, g.ID, g.Rule, titleOf(rules, g.Rule), g.Message, g.Severity).as(3, "Close").status(4, "Resolved").judged(1, "Pass")
			e.FindingInfo.FirstSeen, e.FindingInfo.LastSeen = millis(g.FirstSeen), millis(g.LastSeen)
			if !yield(e) {
				return
			}
		}
		for _, in := range r.Head.Incomplete {
			e := newEvent(r, "not-read-"+in.Input.String(), "completeness", inputName(in.Input)+" were not read to their end", howFar(in), audit.Error)
			if !yield(e.status(1, "New").judged(0, "Unknown")) {
				return
			}
		}
	}
}

func titleOf(rules map[string]*audit.Rule, name string) string {
	if rule := rules[name]; rule != nil {
		return rule.Title()
	}
	return name
}

func newEvent(r *audit.Report, id, control, title, message string, s audit.Severity) ocsfEvent {
	e := ocsfEvent{
		CategoryUID: 2, CategoryName: "Findings", ClassUID: 2003, ClassName: "Compliance Finding",
		Time: millis(finished(r.Head)), Message: message,
		Metadata: ocsfMetadata{Version: ocsfVersion, Product: ocsfProduct{"aimcheck", "aimcheck", r.Version},
			TenantUID: r.Head.Databricks.Tenant, UID: id + "@" + r.Head.Digest},
		FindingInfo: ocsfFinding{UID: id, Title: title, Desc: message, Types: []string{control}, Analytic: ocsfAnalytic{1, "Rule", control, control}},
		Compliance:  ocsfCompliance{Control: control, Standards: []string{"Databricks automatic identity management with Okta"}},
	}
	switch s {
	case audit.Blocker:
		e.SeverityID, e.Severity = 5, "Critical"
	case audit.Error:
		e.SeverityID, e.Severity = 4, "High"
	case audit.Warning:
		e.SeverityID, e.Severity = 3, "Medium"
	default:
		e.SeverityID, e.Severity = 1, "Informational"
	}
	return e.as(1, "Create")
}

func (e ocsfEvent) as(id int, activity string) ocsfEvent {
	e.ActivityID, e.ActivityName, e.TypeUID = id, activity, e.ClassUID*100+id
	return e
}

func (e ocsfEvent) status(id int, text string) ocsfEvent {
	e.StatusID, e.Status = id, text
	return e
}

func (e ocsfEvent) judged(id int, text string) ocsfEvent {
	e.Compliance.StatusID, e.Compliance.Status = id, text
	return e
}

func findingEvent(r *audit.Report, f *audit.Finding, rules map[string]*audit.Rule) ocsfEvent {
	e := newEvent(r, f.ID, f.Rule, titleOf(rules, f.Rule), f.Message, f.Severity).status(1, "New")
	if f.State == audit.Open {
		e = e.as(2, "Update").status(2, "In Progress")
	}
	if f.Waived {
		e = e.status(3, "Suppressed")
	}
	if f.Severity >= audit.Error {
		e = e.judged(3, "Fail")
	} else {
		e = e.judged(2, "Warning")
	}
	e.FindingInfo.FirstSeen, e.FindingInfo.LastSeen = millis(f.FirstSeen), millis(f.LastSeen)
	var known clues
	known.begin(f)
	for _, s := range f.Subjects {
		res := ocsfResource{UID: s.String(), Name: known.name(r, s), Type: s.Kind.String(), RoleID: 3, Role: "Affected"}
		for _, ev := range known.about(s) {
			res.Data = append(res.Data, ocsfEvidence{ev.Role, ev.Field, ev.Value})
		}
		e.Resources = append(e.Resources, res)
	}
	if rule := rules[f.Rule]; rule != nil {
		if how := docSection(rule.Doc, "How to fix"); how != "" {
			e.Remediation = &ocsfRemediation{how}
		}
	}
	e.Unmapped = map[string]any{"severity": f.Severity, "remedy": f.Remedy, "key": f.Key, "operations": f.Operations}
	if f.Waiver != nil {
		e.Unmapped["waiver"] = f.Waiver
	}
	return e
}

// millis returns the time as OCSF has it; 0 where it is not known.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
