package snapfile_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/klauspost/compress/zstd"
	"pgregory.net/rapid"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/snapfile"
)

// contents is all that a snapshot holds, as values that can be compared.
type contents struct {
	Digest           string
	Okta, Databricks audit.Source
	Readings         []audit.Reading
	Records          []any
	Undecoded        []audit.Undecoded
}

func contentsOf(s *audit.Snapshot) contents {
	c := contents{Digest: s.Digest, Okta: s.Okta, Databricks: s.Databricks, Undecoded: s.Undecoded}
	for _, in := range audit.Inputs() {
		c.Readings = append(c.Readings, s.Reading(in))
	}
	c.Records = appendAll(c.Records, &s.OktaUsers, &s.OktaGroups, &s.OktaMembers, &s.OktaApps, &s.OktaAppUsers,
		&s.DatabricksUsers, &s.DatabricksGroups, &s.DatabricksMembers, &s.DatabricksServicePrincipals,
		&s.DatabricksWorkspaces, &s.DatabricksAssignments)
	return c
}

func appendAll(records []any, tables ...any) []any {
	for _, t := range tables {
		switch t := t.(type) {
		case *audit.Table[audit.OktaUser, *audit.OktaUser]:
			records = appendTable(records, t.Len(), t.At)
		case *audit.Table[audit.OktaGroup, *audit.OktaGroup]:
			records = appendTable(records, t.Len(), t.At)
		case *audit.Table[audit.OktaGroupMembers, *audit.OktaGroupMembers]:
			records = appendTable(records, t.Len(), t.At)
		case *audit.Table[audit.OktaApp, *audit.OktaApp]:
			records = appendTable(records, t.Len(), t.At)
		case *audit.Table[audit.OktaAppUser, *audit.OktaAppUser]:
			records = appendTable(records, t.Len(), t.At)
		case *audit.Table[audit.DatabricksUser, *audit.DatabricksUser]:
			records = appendTable(records, t.Len(), t.At)
		case *audit.Table[audit.DatabricksGroup, *audit.DatabricksGroup]:
			records = appendTable(records, t.Len(), t.At)
		case *audit.Table[audit.DatabricksGroupMembers, *audit.DatabricksGroupMembers]:
			records = appendTable(records, t.Len(), t.At)
		case *audit.Table[audit.DatabricksServicePrincipal, *audit.DatabricksServicePrincipal]:
			records = appendTable(records, t.Len(), t.At)
		case *audit.Table[audit.DatabricksWorkspace, *audit.DatabricksWorkspace]:
			records = appendTable(records, t.Len(), t.At)
		case *audit.Table[audit.DatabricksAssignment, *audit.DatabricksAssignment]:
			records = appendTable(records, t.Len(), t.At)
		}
	}
	return records
}

func appendTable[R any](records []any, n int, at func(int) R) []any {
	for i := range n {
		records = append(records, at(i))
	}
	return records
}

// built builds a snapshot of the records, in their order.
func built(tb rapid.TB, okta, databricks audit.Source, readings []audit.Reading, records []any) *audit.Snapshot {
	b := audit.Builder{Okta: okta, Databricks: databricks}
	for _, r := range readings {
		b.Read(r)
	}
	for _, r := range records {
		if err := b.Add(r); err != nil {
			tb.Fatal(err)
		}
	}
	s, err := b.Snapshot()
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func write(tb rapid.TB, s *audit.Snapshot) (file []byte, digest string) {
	var b bytes.Buffer
	digest, err := snapfile.Write(&b, s, "1.2.3")
	if err != nil {
		tb.Fatal(err)
	}
	return b.Bytes(), digest
}

// any snapshot at all: texts of any bytes, ids unique.
var (
	text = rapid.OneOf(
		rapid.String(),
		rapid.SampledFrom([]string{"", "", "pat@example.com", "Zoë", "\x00\x1f\x7f", "\u2028\u2029\ufeff\uffff\U0010ffff",
			`"\/`, "\n\r\t\b\f", "<&>", "\xff", "a\xc3", "\xed\xa0\x80", "e\u0301"}),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 9), func(b []byte) string { return string(b) }),
	)
	values = rapid.Map(rapid.SliceOfN(rapid.Custom(func(t *rapid.T) audit.Value {
		return audit.Value{Value: text.Draw(t, "value"), Type: text.Draw(t, "type"), Primary: rapid.Bool().Draw(t, "primary")}
	}), 0, 3), func(vs []audit.Value) audit.Values { return audit.NewValues(vs...) })
)

func drawSnapshot(t *rapid.T) (okta, databricks audit.Source, readings []audit.Reading, records []any) {
	x := func() string { return text.Draw(t, "text") }
	yes := func() bool { return rapid.Bool().Draw(t, "bool") }
	ids := rapid.SliceOfNDistinct(text.Filter(func(s string) bool { return s != "" }), 0, 4, rapid.ID[string])
	for _, record := range []any{
		audit.OktaUser{}, audit.OktaGroup{}, audit.OktaGroupMembers{}, audit.OktaApp{}, audit.OktaAppUser{},
		audit.DatabricksUser{}, audit.DatabricksGroup{}, audit.DatabricksGroupMembers{}, audit.DatabricksServicePrincipal{},
		audit.DatabricksWorkspace{}, audit.DatabricksAssignment{}, audit.Undecoded{},
	} {
		for _, id := range ids.Draw(t, "ids") {
			r := reflect.New(reflect.TypeOf(record)).Elem()
			for i := range r.NumField() { // by reflection, so that no field is forgotten
				switch f := r.Field(i).Addr().Interface().(type) {
				case *string:
					*f = x()
				case *bool:
					*f = yes()
				case *audit.Values:
					*f = values.Draw(t, "values")
				case *audit.Input:
					*f = rapid.SampledFrom(audit.Inputs()).Draw(t, "input")
				case *[]byte:
					*f = []byte(x())
				default:
					t.Fatalf("%T has a field of the type %T", record, f)
				}
			}
			if key := r.FieldByName("ID"); key.IsValid() {
				key.SetString(id)
			}
			if u, ok := r.Addr().Interface().(*audit.Undecoded); ok {
				u.Error = strings.ToValidUTF8(u.Error, "") // it becomes the reason in the manifest, which is for people
			}
			records = append(records, r.Interface())
		}
	}
	for _, in := range audit.Inputs() {
		if yes() {
			readings = append(readings, audit.Reading{Input: in, Asked: yes(), Complete: yes(), Reason: strings.ToValidUTF8(x(), ""),
				Expected: rapid.IntMin(-1).Draw(t, "expected"), Received: rapid.Int().Draw(t, "received")})
		}
	}
	source := func(tenant string) audit.Source {
		return audit.Source{Tenant: tenant, Requests: rapid.Int().Draw(t, "requests"), Caller: strings.ToValidUTF8(x(), ""), Files: yes(),
			Started: time.Unix(rapid.Int64Range(0, 1<<34).Draw(t, "started"), 0).UTC(), Notes: []string{strings.ToValidUTF8(x(), "")}}
	}
	return source("https://example.okta.com"), source("d1"), readings, records
}

func TestAnySnapshotComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		okta, databricks, readings, records := drawSnapshot(t)
		s := built(t, okta, databricks, readings, records)
		file, digest := write(t, s)
		got, err := snapfile.Read(bytes.NewReader(file), "s")
		if err != nil {
			t.Fatal(err)
		}
		if got.Digest != digest {
			t.Errorf("digest is %s read and %s written", got.Digest, digest)
		}
		snapfile.Seal(s)
		if diff := cmp.Diff(contentsOf(s), contentsOf(got), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("wrote (-) and read (+):\n%s", diff)
		}

		// Every line is JSON, and says in it what the record says.
		z, err := zstd.NewReader(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		defer z.Close()
		plain, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		lines := bytes.Split(bytes.TrimSuffix(plain, []byte("\n")), []byte("\n"))
		if want := len(records) + 2; len(lines) != want {
			t.Errorf("%d lines, want %d", len(lines), want)
		}
		for _, line := range lines {
			if !json.Valid(line) || !utf8.Valid(line) {
				t.Errorf("line is no JSON: %q", line)
			}
			var l struct {
				User *struct {
					ID any `json:"id"`
				} `json:"okta_user"`
			}
			if err := json.Unmarshal(line, &l); err != nil {
				t.Error(err)
			}
			if l.User == nil {
				continue
			}
			if id, ok := l.User.ID.(string); ok {
				if _, found := s.OktaUsers.Find(id); !found {
					t.Errorf("%s has the id %q for JSON, which no record has", line, id)
				}
			}
		}
	})
}

func TestDigestIsOfContentAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		okta, databricks, readings, records := drawSnapshot(t)
		a := built(t, okta, databricks, readings, records)
		for i := range readings { // undecoded objects would make them incomplete
			readings[i].Requests++
			readings[i].Reason += "!"
		}
		okta.Started = okta.Started.Add(time.Hour)
		databricks.Requests++
		seed := rapid.Uint64().Draw(t, "seed")
		rand.New(rand.NewPCG(seed, 0)).Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
		b := built(t, okta, databricks, readings, records)
		snapfile.Seal(a)
		snapfile.Seal(b)
		if a.Digest != b.Digest {
			t.Error("the same content has two digests")
		}
		for what, change := range map[string]func(){
			"tenant":    func() { okta.Tenant += "x" },
			"record":    func() { records = append(records, audit.OktaAppUser{User: "one more"}) },
			"undecoded": func() { records = append(records, audit.Undecoded{Input: audit.OktaApps}) },
		} {
			change()
			c := built(t, okta, databricks, readings, records)
			snapfile.Seal(c)
			if c.Digest == b.Digest {
				t.Errorf("the digest does not cover: %s", what)
			}
			b = c
		}
	})
}

func TestDigestCoversCompleteness(t *testing.T) {
	digests := map[string]bool{}
	for _, r := range []audit.Reading{{}, {Asked: true}, {Asked: true, Complete: true}} {
		for _, in := range audit.Inputs() {
			if r.Input = in; r.Asked || in == 0 {
				s := built(t, audit.Source{}, audit.Source{}, []audit.Reading{r}, nil)
				snapfile.Seal(s)
				digests[s.Digest] = true
			}
		}
	}
	if want := 1 + 2*len(audit.Inputs()); len(digests) != want {
		t.Errorf("%d digests, want %d", len(digests), want)
	}
}

// small is a snapshot with a record of every kind.
func small(tb rapid.TB) *audit.Snapshot {
	at := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	return built(tb,
		audit.Source{Tenant: "https://example.okta.com", Started: at, Finished: at.Add(time.Minute), Requests: 12},
		audit.Source{Tenant: "0d26daa6-5e44-4c97-a497-ef015f91254a", Started: at, Finished: at.Add(time.Minute), Requests: 7, Notes: []string{"a note"}},
		[]audit.Reading{
			{Input: audit.OktaUsers, Asked: true, Complete: true, API: "GET /api/v1/users", Expected: -1, Received: 2, Requests: 2},
			{Input: audit.DatabricksUsers, Asked: true, Reason: "it moved", Expected: 3, Received: 1, Requests: 1},
		},
		[]any{
			audit.OktaUser{ID: "00u1", Status: "ACTIVE", Login: "pat@example.com", Email: "Pat@example.com", FirstName: "Pat", LastName: "O\"Neil\x01"},
			audit.OktaUser{ID: "00u2", Status: "DEPROVISIONED", Login: "żoë@example.com", Created: "2020-01-01T00:00:00.000Z"},
			audit.OktaGroup{ID: "00g1", Type: "OKTA_GROUP", Name: "Data \u2028 team"},
			audit.OktaGroupMembers{Group: "00g1", Members: audit.NewValues(audit.Value{Value: "00u1"}, audit.Value{Value: "00u2"})},
			audit.OktaApp{ID: "0oa1", Label: "Databricks", Status: "ACTIVE", ClientID: "c"},
			audit.OktaAppUser{App: "0oa1", User: "00u1", Status: "ACTIVE", UserName: "pat"},
			audit.DatabricksUser{ID: "1", UserName: "pat@example.com", ExternalID: "00u1", Active: true,
				Emails: audit.NewValues(audit.Value{Value: "pat@example.com", Type: "work", Primary: true}, audit.Value{})},
			audit.DatabricksUser{ID: "2", UserName: "not\xffutf8"},
			audit.DatabricksGroup{ID: "3", DisplayName: "Data team", ResourceType: "Group"},
			audit.DatabricksGroupMembers{Group: "3", Members: audit.NewValues(audit.Value{Value: "1", Type: "Users/1"})},
			audit.DatabricksServicePrincipal{ID: "4", ApplicationID: "a", DisplayName: "robot", Active: true},
			audit.DatabricksWorkspace{ID: "5", Name: "prod", Status: "RUNNING", Federation: "true"},
			audit.DatabricksAssignment{Workspace: "5", Principal: "1", Permissions: audit.NewValues(audit.Value{Value: "USER"})},
			audit.Undecoded{Input: audit.OktaUsers, Raw: []byte("{\"id\": 1,\n \"status\": []}"), Error: "a number for a text"},
			audit.Undecoded{Input: audit.DatabricksGroups, Raw: []byte("\xff\x00"), Error: "no JSON"},
		})
}

// The digest of a snapshot never changes: reports and plans of years ago name it.
func TestDigestIsForever(t *testing.T) {
	const want = "sha256:15239a837d87b498710a1b708a14671cdfdf39d3345073fe8fbba550513b6500"
	if _, digest := write(t, small(t)); digest != want {
		t.Errorf("digest is %s, want %s", digest, want)
	}
}

func TestWriteErrors(t *testing.T) {
	file, _ := write(t, small(t))
	full := errors.New("no space left on device")
	for n := 0; n < len(file); n += 31 {
		if _, err := snapfile.Write(&limited{n, full}, small(t), "1.2.3"); !errors.Is(err, full) {
			t.Fatalf("with room for %d of %d bytes the error is %v", n, len(file), err)
		}
	}
	r, w := io.Pipe()
	r.Close()
	if _, err := snapfile.Write(w, small(t), "1.2.3"); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("into a closed pipe the error is %v", err)
	}
	big := people(t, 20_000) // some frames are still being made when the first can't be written
	if _, err := snapfile.Write(&limited{4000, full}, big, "1.2.3"); !errors.Is(err, full) {
		t.Errorf("error is %v", err)
	}
}

// limited has room for n bytes.
type limited struct {
	n   int
	err error
}

func (l *limited) Write(b []byte) (int, error) {
	if len(b) > l.n {
		return l.n, l.err
	}
	l.n -= len(b)
	return len(b), nil
}

func TestReadErrors(t *testing.T) {
	file, _ := write(t, small(t))
	broken := errors.New("input/output error")
	for n := range len(file) {
		_, err := snapfile.Read(io.MultiReader(bytes.NewReader(file[:n]), iotest.ErrReader(broken)), "s")
		if !errors.Is(err, broken) {
			t.Fatalf("after %d bytes the error is %v", n, err)
		}
	}
	if _, err := snapfile.Read(iotest.OneByteReader(bytes.NewReader(file)), "s"); err != nil {
		t.Errorf("one byte at a time: %v", err)
	}
}

func TestManyFrames(t *testing.T) {
	s := people(t, 20_000)
	file, _ := write(t, s)
	got, err := snapfile.Read(bytes.NewReader(file), "s")
	if err != nil {
		t.Fatal(err)
	}
	snapfile.Seal(s)
	if !reflect.DeepEqual(contentsOf(s), contentsOf(got)) {
		t.Error("what came back is not what was written")
	}
	if perIdentity := float64(len(file)) / 40_000; perIdentity > 45 {
		t.Errorf("%.1f bytes for each identity, want 45 at most", perIdentity)
	}
}
