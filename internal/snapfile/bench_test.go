package snapfile_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/snapfile"
)

// people is a snapshot of n Okta users and as many Databricks users: what the
// figures for size and speed speak of.
func people(tb testing.TB, n int) *audit.Snapshot {
	tb.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	given := strings.Fields("Maria José Anna Wei Олена Fatima John Zoë Hiroshi 美咲 Ravi Ingrid Paul Chloé Kwame Sara Liam Noor Étienne Marta")
	family := strings.Fields("García Müller Wang Иваненко Khan Smith Sørensen Tanaka 山田 Patel Nguyễn Silva Kowalska Okafor Rossi Dubois Novák Haddad Kim Lopez")
	var b audit.Builder
	for _, in := range []audit.Input{audit.OktaUsers, audit.OktaGroups, audit.DatabricksUsers, audit.DatabricksGroups} {
		b.Read(audit.Reading{Input: in, Asked: true, Complete: true})
	}
	for i := range n {
		id := make([]byte, 16)
		for j := range id {
			id[j] = letters[r.IntN(len(letters))]
		}
		u := audit.OktaUser{ID: "00u1" + string(id), Status: "ACTIVE", FirstName: given[r.IntN(len(given))], LastName: family[r.IntN(len(family))]}
		u.Login = fmt.Sprintf("%s.%s%d@example.com", u.FirstName, u.LastName, r.IntN(n))
		u.Email = u.Login
		d := audit.DatabricksUser{ID: fmt.Sprint(1_000_000_000_000 + 37*i), UserName: u.Login, ExternalID: u.ID,
			DisplayName: u.FirstName + " " + u.LastName, GivenName: u.FirstName, FamilyName: u.LastName, Active: true}
		switch r.IntN(100) {
		case 0:
			d.ExternalID = ""
		case 1:
			u.Email = fmt.Sprintf("user%d@example.com", i/2)
		case 2:
			d.FamilyName = ""
		case 3:
			u.Status = audit.StatusDeprovisioned
		}
		if b.Add(u) != nil || b.Add(d) != nil {
			tb.Fatal("the builder refuses a user")
		}
	}
	s, err := b.Snapshot()
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

const benchUsers = 100_000 // of each directory; the figures are per identity

func BenchmarkWrite(b *testing.B) {
	s := people(b, benchUsers)
	for b.Loop() {
		if _, err := snapfile.Write(io.Discard, s, "test"); err != nil {
			b.Fatal(err)
		}
	}
	perIdentity(b)
}

func BenchmarkSeal(b *testing.B) {
	s := people(b, benchUsers)
	for b.Loop() {
		snapfile.Seal(s)
	}
	perIdentity(b)
}

func BenchmarkRead(b *testing.B) {
	var file bytes.Buffer
	if _, err := snapfile.Write(&file, people(b, benchUsers), "test"); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := snapfile.Read(bytes.NewReader(file.Bytes()), "test"); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(file.Len())/(2*benchUsers), "disk-B/identity")
	perIdentity(b)
}

// BenchmarkGoalRead reads a snapshot, and the same records from plain lines. The
// garbage of each is its own.
func BenchmarkGoalRead(b *testing.B) {
	users := 500_000
	if testing.Short() {
		users = 10_000
	}
	var file bytes.Buffer
	if _, err := snapfile.Write(&file, people(b, users), "test"); err != nil {
		b.Fatal(err)
	}
	lines := plainLines(b, file.Bytes())
	read := func(how func() (*audit.Snapshot, error)) float64 {
		runtime.GC()
		started := time.Now()
		s, err := how()
		took := time.Since(started)
		if err != nil || s.OktaUsers.Len() != users || s.DatabricksUsers.Len() != users {
			b.Fatalf("error %v", err)
		}
		return took.Seconds()
	}
	for b.Loop() {
		snapshot := read(func() (*audit.Snapshot, error) { return snapfile.Read(bytes.NewReader(file.Bytes()), "test") })
		plain := read(func() (*audit.Snapshot, error) { return snapfile.ReadPlain(bytes.NewReader(lines)) })
		b.ReportMetric(snapshot/plain, "time/plain")
	}
}

// plainLines is the lines of a snapshot's records.
func plainLines(b *testing.B, file []byte) []byte {
	z, err := zstd.NewReader(bytes.NewReader(file))
	if err != nil {
		b.Fatal(err)
	}
	defer z.Close()
	lines, err := io.ReadAll(z)
	if err != nil {
		b.Fatal(err)
	}
	return lines[bytes.IndexByte(lines, '\n')+1 : bytes.LastIndexByte(lines[:len(lines)-1], '\n')+1]
}

func perIdentity(b *testing.B) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(2*benchUsers), "ns/identity")
}
