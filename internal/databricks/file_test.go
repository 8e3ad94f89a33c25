package databricks

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/google/go-cmp/cmp"
)

type fileFunc func(r io.Reader, file string, emit func(audit.Page) error) (audit.Reading, error)

// fromFile reads text and returns its records too.
func fromFile(read fileFunc, text string) (audit.Reading, []any, error) {
	var records []any
	r, err := read(strings.NewReader(text), "in.json", func(p audit.Page) error {
		records = append(records, p.Records...)
		return nil
	})
	return r, records, err
}

func TestReadUsers(t *testing.T) {
	a := audit.DatabricksUser{ID: "1", UserName: "a@example.com", Active: true}
	b := audit.DatabricksUser{ID: "2", UserName: "b@example.com", Active: true}
	const ra, rb = `{"id":"1","userName":"a@example.com"}`, `{"id":2,"userName":"b@example.com","active":"True"}`
	for _, test := range []struct {
		name, text string
		expected   int
		want       []any
	}{
		{"a SCIM list", `{"totalResults":2,"Resources":[` + ra + `,` + rb + `]}`, 2, []any{a, b}},
		{"several, concatenated", `{"totalResults":2,"Resources":[` + ra + `]}{"Resources":[` + rb + `],"totalResults":2}`, 2, []any{a, b}},
		{"several, one a line", "{\"totalResults\":2,\"Resources\":[" + ra + "]}\n{\"totalResults\":2,\"Resources\":[" + rb + "]}\n", 2, []any{a, b}},
		{"several in an array", `[{"totalResults":2,"Resources":[` + ra + `]},{"totalResults":2,"Resources":[` + rb + `]}]`, 2, []any{a, b}},
		{"no total", `{"Resources":[` + ra + `,` + rb + `]}`, absent, []any{a, b}},
		{"an array", "[\n" + ra + ",\n" + rb + "\n]\n", absent, []any{a, b}},
		{"JSON Lines", ra + "\n\n" + rb + "\r\n", absent, []any{a, b}},
		{"a byte order mark", "\ufeff[" + ra + "]", absent, []any{a}},
		{"none, as an array", `[]`, absent, nil},
		{"none, as a SCIM list", `{"totalResults":0,"startIndex":1,"itemsPerPage":0}`, 0, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, got, err := fromFile(ReadUsers, test.text)
			if err != nil {
				t.Fatal(err)
			}
			want := audit.Reading{
				Input: audit.DatabricksUsers, Asked: true, Complete: true, API: "file in.json",
				Expected: test.expected, Received: len(test.want),
			}
			if diff := cmp.Diff(want, r); diff != "" {
				t.Errorf("reading (-want +got)\n%s", diff)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("records (-want +got)\n%s", diff)
			}
		})
	}
}

func TestReadGroupsWithMembers(t *testing.T) {
	_, got, err := fromFile(ReadGroups, `[{"id":"7","displayName":"staff","members":[{"value":"1","$ref":"Users/1","display":"x"},{"value":"8","$ref":"Groups/8"}]},
		{"id":"8","displayName":"empty","members":[]},{"id":"9","displayName":"unsaid"}]`)
	if err != nil {
		t.Fatal(err)
	}
	want := []any{
		audit.DatabricksGroup{ID: "7", DisplayName: "staff"},
		audit.DatabricksGroupMembers{Group: "7", Members: values(audit.Value{Value: "1", Type: "Users/1"}, audit.Value{Value: "8", Type: "Groups/8"})},
		audit.DatabricksGroup{ID: "8", DisplayName: "empty"},
		audit.DatabricksGroupMembers{Group: "8"},
		audit.DatabricksGroup{ID: "9", DisplayName: "unsaid"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestReadOtherKinds(t *testing.T) {
	_, got, err := fromFile(ReadServicePrincipals, `{"totalResults":1,"Resources":[{"id":"9","applicationId":"a-b"}]}`)
	if diff := cmp.Diff([]any{audit.DatabricksServicePrincipal{ID: "9", ApplicationID: "a-b", Active: true}}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	_, got, err = fromFile(ReadWorkspaces, `[{"workspace_id":9,"workspace_name":"prod"}]`)
	if diff := cmp.Diff([]any{audit.DatabricksWorkspace{ID: "9", Name: "prod"}}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
}

// An object that can't be decoded is kept with its line, and the rest is read.
func TestReadFileKeepsUndecoded(t *testing.T) {
	r, got, err := fromFile(ReadUsers, "[{\"id\":\"1\",\"userName\":\"a\"},\n\n{\"id\":\"2\",\n\"active\":\"maybe\"},{\"id\":\"3\",\"userName\":\"c\"}]")
	if err != nil {
		t.Fatal(err)
	}
	const reason = `line 3: user 2: field active: expected true or false, found "maybe"`
	want := []any{
		audit.DatabricksUser{ID: "1", UserName: "a", Active: true},
		audit.Undecoded{Input: audit.DatabricksUsers, Raw: []byte("{\"id\":\"2\",\n\"active\":\"maybe\"}"), Error: reason},
		audit.DatabricksUser{ID: "3", UserName: "c", Active: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if r.Complete || !strings.Contains(r.Reason, reason) || r.Received != 3 {
		t.Errorf("%+v", r)
	}
}

func TestReadFileErrors(t *testing.T) {
	for _, test := range []struct {
		name string
		read fileFunc
		text string
		want string
	}{
		{"empty", ReadUsers, "", "in.json: expected users in JSON, found an empty file"},
		{"blank", ReadUsers, " \n", "in.json: expected users in JSON, found an empty file"},
		{"cut", ReadUsers, "[{\"id\":\"1\",\"userName\":\"a\"},\n{\"id\":", "in.json: line 2: expected whole JSON in UTF-8: "},
		{"cut between objects", ReadUsers, "[{\"id\":\"1\",\"userName\":\"a\"},\n", "in.json: line 2: expected whole JSON in UTF-8: "},
		{"no JSON", ReadUsers, "{\"id\":\"1\",\"userName\":\"a\"}\nid,userName\n", "in.json: line 2: expected whole JSON"},
		{"UTF-16", ReadUsers, "\xff\xfe[\x00]\x00", "in.json: line 1: expected whole JSON in UTF-8"},
		{"another listing", ReadUsers, `[{"id":"7","displayName":"staff"}]`, "in.json: line 1: expected a user, found something without userName: is this the file of users?"},
		{"text", ReadUsers, `"users"`, "in.json: line 1: expected a user"},
		{"an error answer", ReadGroups, `{"detail":"no","status":"403"}`, "is this the file of groups?"},
		{
			"too few", ReadUsers, `{"totalResults":3,"Resources":[{"id":"1","userName":"a"}]}`,
			"in.json: 3 users are announced (totalResults) and the file holds 1; export them again",
		},
		{"too many", ReadUsers, `{"totalResults":0,"Resources":[{"id":"1","userName":"a"}]}`, "0 users are announced (totalResults) and the file holds 1"},
		{
			"totals that differ", ReadUsers, "{\"totalResults\":2,\"Resources\":[{\"id\":\"1\",\"userName\":\"a\"}]}\n{\"totalResults\":3,\"Resources\":[]}",
			"in.json: line 2: 2 users were announced first and 3 here",
		},
		{
			"an object twice", ReadUsers, "{\"id\":\"1\",\"userName\":\"a\"}\n{\"id\":\"2\",\"userName\":\"a\"}\n{\"id\":1,\"userName\":\"a\"}",
			"in.json: line 3: user 1 stands in line 1 already",
		},
		{"a total that is none", ReadUsers, `{"totalResults":"many","Resources":[]}`, "in.json: line 1: totalResults of a SCIM list"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, _, err := fromFile(test.read, test.text)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q in it", err, test.want)
			}
			if r.Complete || r.Reason == "" {
				t.Errorf("%+v", r)
			}
		})
	}
}

// Objects come in pages, so that memory does not grow with the file, and the
// first error of emit or of the reader ends it.
func TestReadFileStreams(t *testing.T) {
	pr, pw := io.Pipe()
	const n = 3*batch + 1
	go func() {
		for i := range n {
			fmt.Fprintf(pw, `{"id":"%d","userName":"a"}`+"\n", i)
		}
		pw.Close()
	}()
	var sizes []int
	r, err := ReadUsers(pr, "in.json", func(p audit.Page) error { sizes = append(sizes, len(p.Records)); return nil })
	if err != nil || !r.Complete || r.Received != n {
		t.Errorf("%+v, %v", r, err)
	}
	if diff := cmp.Diff([]int{batch, batch, batch, 1}, sizes); diff != "" {
		t.Errorf("pages (-want +got)\n%s", diff)
	}

	full := errors.New("disk full")
	if _, err := ReadUsers(strings.NewReader(`[{"id":"1","userName":"a"}]`), "in.json", func(audit.Page) error { return full }); !errors.Is(err, full) {
		t.Errorf("error %v, want %v", err, full)
	}
	broken := errors.New("device gone")
	pr, pw = io.Pipe()
	go func() {
		io.WriteString(pw, `[{"id":"1","userName":"a"},`)
		pw.CloseWithError(broken)
	}()
	if _, err := ReadUsers(pr, "in.json", func(audit.Page) error { return nil }); !errors.Is(err, broken) {
		t.Errorf("error %v, want %v", err, broken)
	}
}

func FuzzReadFile(f *testing.F) {
	f.Add([]byte("{\"totalResults\":1,\"Resources\":[{\"id\":\"1\",\"userName\":\"a\",\"displayName\":\"b\"}]}\n"))
	f.Add([]byte("[{\"id\":\"1\",\"userName\":\"a\",\"displayName\":\"b\",\"members\":[\"2\"]},\n{\"id\":2}]"))
	f.Add([]byte("{\"id\":\"1\",\"applicationId\":\"a\"}\n{\"id\":\"2\",\"id\":\"3\"}"))
	f.Add([]byte("\ufeff[{\"workspace_id\":1}]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, read := range []fileFunc{ReadUsers, ReadGroups, ReadServicePrincipals, ReadWorkspaces} {
			r, records, err := fromFile(read, string(text))
			if (err != nil || r.Reason != "") == r.Complete {
				t.Fatalf("%+v, %v", r, err)
			}
			if err == nil && (len(records) < r.Received || len(records) > 2*r.Received) {
				t.Fatalf("%d records of %d objects", len(records), r.Received)
			}
			if err == nil && r.Expected != absent && r.Expected != r.Received {
				t.Fatalf("%+v", r)
			}
		}
	})
}
