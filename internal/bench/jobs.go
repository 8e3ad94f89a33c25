package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"io"
	"iter"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/audit/rules"
	"github.com/aimcheck/aimcheck/internal/snapfile"
	"github.com/aimcheck/aimcheck/report"
)

// jobs are what is measured in a process of its own, so that the operating system
// can say what it took.
func jobs() map[string]func(args []string) error {
	return map[string]func(args []string) error{
		"tenant": func(args []string) error { // FOLDER USERS NDJSON
			users, err := strconv.Atoi(args[1])
			if err != nil {
				return err
			}
			return writeTenant(args[0], users, args[2] == "true")
		},
		"groups": func(args []string) error { // FOLDER USERS
			users, err := strconv.Atoi(args[1])
			if err != nil {
				return err
			}
			return writeGroups(args[0], users)
		},
		"six": func(args []string) error { // SNAPSHOT
			s, err := read(args[0])
			if err != nil {
				return err
			}
			findings := audit.NewIndex(s, audit.Settings{}).Apply(sixRules())
			return tell(&findings)
		},
		"sixplan": func(args []string) error { // SNAPSHOT
			r, err := audited(args[0], sixRules())
			if err != nil {
				return err
			}
			return tell(&r.Findings)
		},
		"all": func(args []string) error { // SNAPSHOT
			r, err := audited(args[0], rules.All())
			if err != nil {
				return err
			}
			rows := 0
			for n := range audit.Made(r.CrosswalkList(), counted) {
				rows += n
			}
			return json.NewEncoder(os.Stdout).Encode(map[string]any{"now": r.Now, "after": r.After, "crosswalk": rows})
		},
		"work":  func(args []string) error { return work(args[0], args[1]) }, // SNAPSHOT FOLDER
		"floor": floor,                                                       // SNAPSHOT
		"maps":  maps,                                                        // OKTA DATABRICKS
	}
}

func counted(part iter.Seq[*audit.CrosswalkRow]) (rows int) {
	for range part {
		rows++
	}
	return rows
}

// sixRules are those that the peers can do too.
func sixRules() []*audit.Rule {
	return []*audit.Rule{rules.SharedEmail, rules.LoginEmailCollision, rules.MissingName, rules.MissingExternalID, rules.AmbiguousUsername, rules.UsernameDrift}
}

// told is what a peer finds too.
type told struct {
	Findings    map[string]int // by rule
	Suggestions map[string]int // by score, for users without an externalId
}

// tell prints how many findings there are of each rule, and how many suggestions.
func tell(fs *audit.Findings) error {
	t := told{map[string]int{}, map[string]int{}}
	for _, head := range fs.Heads() {
		t.Findings[head.Rule]++
	}
	for _, f := range fs.Where(func(head audit.FindingHead) bool { return head.Rule == rules.MissingExternalID.Name }) {
		for _, e := range f.Evidence {
			if e.Role == "suggestion" {
				_, score, _ := strings.Cut(e.Value, " (score ")
				t.Suggestions[score[:len("0.5")]]++
			}
		}
	}
	return json.NewEncoder(os.Stdout).Encode(t)
}

func read(snapshot string) (*audit.Snapshot, error) {
	debug.SetGCPercent(25) // as the program does
	f, err := os.Open(snapshot)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return snapfile.Read(f, snapshot)
}

func audited(snapshot string, rules []*audit.Rule) (*audit.Report, error) {
	s, err := read(snapshot)
	if err != nil {
		return nil, err
	}
	return audit.Run(s, rules, audit.Options{Version: "bench", Now: time.Unix(0, 0), Expires: time.Hour})
}

// work reads, applies all rules, and writes every CSV and the plan.
func work(snapshot, dir string) error {
	r, err := audited(snapshot, rules.All())
	if err != nil {
		return err
	}
	files, err := report.Files([]string{"csv"})
	if err != nil {
		return err
	}
	for _, f := range files {
		if f.Name == "plan.json" || strings.HasSuffix(f.Name, ".csv") {
			if err := writeFile(dir, f.Name, func(w io.Writer) error { return f.Write(w, r) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// floor is a program that only reads the bytes of a snapshot and hashes each key
// once: ids, logins, emails, userNames and externalIds.
func floor(args []string) error {
	f, err := os.Open(args[0])
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := zstd.NewReader(f)
	if err != nil {
		return err
	}
	defer z.Close()
	lines := bufio.NewReaderSize(z, 1<<20)
	seed, sum := maphash.MakeSeed(), uint64(0)
	for {
		line, err := lines.ReadSlice('\n')
		if err == io.EOF {
			fmt.Println(sum)
			return nil
		}
		if err != nil {
			return err
		}
		sum += keySums(line, seed)
	}
}

// keySums goes over a line once, from quote to quote, and hashes what follows the
// name of a key. No backslash is before a quote in the companies measured here.
func keySums(line []byte, seed maphash.Seed) (sum uint64) {
	named := false // the text before is the name of a key
	for inText := false; ; inText = !inText {
		end := bytes.IndexByte(line, '"')
		if end < 0 {
			return sum
		}
		switch {
		case inText && named:
			sum += maphash.Bytes(seed, line[:end])
			named = false
		case inText:
			switch string(line[:end]) {
			case "id", "login", "email", "user_name", "external_id":
				named = true
			}
		}
		line = line[end+1:]
	}
}

// maps does the six rules as one does it without thinking of size: encoding/json,
// maps of strings, a list of pointers for each key.
func maps(args []string) error {
	type oktaUser struct {
		ID, Status, Login, Email string
		FirstName                string `json:"first_name"`
		LastName                 string `json:"last_name"`
	}
	type user struct {
		ID         string
		UserName   string `json:"user_name"`
		ExternalID string `json:"external_id"`
		GivenName  string `json:"given_name"`
		FamilyName string `json:"family_name"`
	}
	okta, err := decoded[oktaUser](args[0])
	if err != nil {
		return err
	}
	users, err := decoded[user](args[1])
	if err != nil {
		return err
	}
	found := map[string]int{}
	live := func(o *oktaUser) bool { return o.Status != audit.StatusDeprovisioned }
	blank := func(s string) bool { return strings.TrimSpace(s) == "" }
	byID, byLogin := map[string]*oktaUser{}, map[string][]*oktaUser{}
	byEmail, byName := map[string][]*oktaUser{}, map[string][]*oktaUser{}
	for _, o := range okta {
		login, email := audit.Fold(o.Login), audit.Fold(o.Email)
		byID[o.ID] = o
		byLogin[login], byEmail[email] = append(byLogin[login], o), append(byEmail[email], o)
		byName[login] = append(byName[login], o)
		if email != login {
			byName[email] = append(byName[email], o)
		}
		if live(o) && (blank(o.FirstName) || blank(o.LastName)) {
			found["missing-name"]++
		}
	}
	for email, holders := range byEmail {
		if len(holders) > 1 && email != "" {
			found["shared-email"]++
		}
		if email != "" && slices.ContainsFunc(byLogin[email], func(o *oktaUser) bool {
			return slices.ContainsFunc(holders, func(p *oktaUser) bool { return p != o })
		}) {
			found["login-email-collision"]++
		}
	}
	for _, d := range users {
		name := audit.Fold(d.UserName)
		candidates := slices.DeleteFunc(slices.Clone(byName[name]), func(o *oktaUser) bool { return !live(o) })
		if blank(d.GivenName) || blank(d.FamilyName) {
			found["missing-name"]++
		}
		if d.ExternalID == "" {
			found["missing-external-id"]++
		}
		if len(candidates) > 1 {
			found["ambiguous-username"]++
		}
		if o := byID[d.ExternalID]; o != nil && live(o) {
			own := name == audit.Fold(o.Login) || name == audit.Fold(o.Email)
			if !own && len(candidates) == 0 || own && d.UserName != o.Login && d.UserName != o.Email {
				found["username-drift"]++
			}
		}
	}
	return json.NewEncoder(os.Stdout).Encode(told{Findings: found})
}

func decoded[T any](file string) ([]*T, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var all []*T
	for d := json.NewDecoder(bufio.NewReaderSize(f, 1<<20)); ; {
		v := new(T)
		if err := d.Decode(v); err == io.EOF {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(file), err)
		}
		all = append(all, v)
	}
}
