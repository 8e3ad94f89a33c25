package report

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/aimcheck/aimcheck/audit"
	"github.com/aimcheck/aimcheck/internal/decisions"
)

// chromium returns the path of the browser, or skips the test.
func chromium(t testing.TB) string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("needs Chromium: install chromium to run this test")
	return ""
}

// A tab shows a page, and remembers whatever is wrong with it.
type tab struct {
	ctx  context.Context
	file string

	mu       sync.Mutex
	troubles []string
	done     chan string // ids of downloads
}

// newTab starts a browser with nothing of the user's in it, and opens the page.
func newTab(t testing.TB, html []byte) *tab {
	t.Helper()
	path := chromium(t)
	b := &tab{file: filepath.Join(t.TempDir(), "report.html"), done: make(chan string, 10)}
	if err := os.WriteFile(b.file, html, 0o600); err != nil {
		t.Fatal(err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(filepath.Join(t.TempDir(), "profile")), chromedp.WindowSize(1280, 900),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-sync", true), chromedp.NoFirstRun)
	ctx, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b.ctx = ctx
	if err := chromedp.Do(ctx); err != nil { // starts the browser
		t.Fatal(err)
	}
	for _, err := range []error{chromedp.Listen(ctx, b.hear), chromedp.ListenBrowser(ctx, b.hear)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	callIn(t, b, network.Enable, network.EnableParams{})
	callIn(t, b, log.Enable, cdp.Empty{})
	events := true
	callIn(t, b, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: filepath.Dir(b.file), EventsEnabled: &events})
	b.do(t, chromedp.Navigate("file://"+b.file))
	b.wait(t, `document.documentElement.dataset.ready === 'yes'`)
	return b
}

func (b *tab) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if url := e.Request.URL; url != "file://"+b.file && !strings.HasPrefix(url, "blob:") && !strings.HasPrefix(url, "file://"+b.file+"#") {
			b.troubles = append(b.troubles, "request: "+url)
		}
	case *log.EventEntryAdded:
		b.troubles = append(b.troubles, "log: "+e.Entry.Text)
	case *runtime.EventConsoleAPICalled:
		b.troubles = append(b.troubles, fmt.Sprintf("console: %s %v", e.Type, e.Args))
	case *runtime.EventExceptionThrown:
		b.troubles = append(b.troubles, "exception: "+e.ExceptionDetails.Text)
	case *cdppage.EventJavascriptDialogOpening:
		b.troubles = append(b.troubles, "dialog: "+e.Message)
	case *browser.EventDownloadProgress:
		if e.State == browser.DownloadProgressStateCompleted {
			b.done <- e.GUID
		}
	}
}

func (b *tab) do(t testing.TB, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 20*time.Second) // for an element that never comes
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

// evalIn returns the value of the expression.
func evalIn[T any](t testing.TB, b *tab, expression string) T {
	t.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%.300s: %v", expression, err)
	}
	return value
}

// callIn sends a command of the protocol.
func callIn[P, R any](t testing.TB, b *tab, command cdp.Command[P, R], params P) {
	t.Helper()
	if _, err := chromedp.Call(b.ctx, command, params); err != nil {
		t.Fatal(err)
	}
}

// wait waits until the expression is true.
func (b *tab) wait(t testing.TB, expression string) {
	t.Helper()
	if err := chromedp.Do(b.ctx, chromedp.Poll[chromedp.Void](expression, chromedp.WithPollingTimeout(20*time.Second))); err != nil {
		t.Fatalf("%s never became true: %v\n%s", expression, err, evalIn[string](t, b, `document.querySelector('main').innerText.slice(0, 1500)`))
	}
}

// open goes to an address in the page.
func (b *tab) open(t testing.TB, hash, heading string) {
	t.Helper()
	evalIn[chromedp.Void](t, b, `location.hash = `+jsString(hash))
	b.wait(t, `[...document.querySelectorAll('h1, h2')].some((h) => h.offsetParent && h.textContent.includes(`+jsString(heading)+`))`)
}

func (b *tab) text(t testing.TB, selector string) string {
	t.Helper()
	return evalIn[string](t, b, `document.querySelector(`+jsString(selector)+`)?.innerText ?? 'NONE'`)
}

func (b *tab) set(t testing.TB, selector, value string) {
	t.Helper()
	b.do(t, chromedp.SetValue(chromedp.CSS(selector), value),
		chromedp.Evaluate[chromedp.Void](`document.querySelector(`+jsString(selector)+`).dispatchEvent(new Event('change', {bubbles: true}))`))
}

func jsString(s string) string {
	text, _ := json.Marshal(s)
	return string(text)
}

func TestBrowser(t *testing.T) {
	r := pageCompany(t, 400)
	b := newTab(t, write(t, File{Write: pageHTML}, r))

	t.Run("summary", func(t *testing.T) {
		if got := b.text(t, "#verdict"); !strings.Contains(got, "NOT READY") {
			t.Errorf("the verdict says %q", got)
		}
		if got := b.text(t, ".because"); !strings.Contains(got, thousands(r.Counts[audit.Blocker])+" blockers") {
			t.Errorf("the reason is %q", got)
		}
		label := evalIn[string](t, b, `document.querySelector('#flows svg').getAttribute('aria-label')`)
		if !strings.Contains(label, "go from duplicate to linked") {
			t.Errorf("the picture says %q", label)
		}
		unread := evalIn[string](t, b, `[...document.querySelectorAll('#flows svg')].flatMap((s) => {
			const boxes = [...s.querySelectorAll('text:not(.axis)')].map((e) => ({ says: e.textContent, b: e.getBBox() }));
			return [...boxes.filter(({ b }) => b.y + b.height > s.viewBox.baseVal.height).map((x) => x.says + ' is cut off'),
				...boxes.filter((x, i) => boxes.some((y, j) => j < i && x.b.x < y.b.x + y.b.width && y.b.x < x.b.x + x.b.width && x.b.y < y.b.y + y.b.height - 1 && y.b.y < x.b.y + x.b.height - 1)).map((x) => x.says + ' lies on another')];
		}).join(', ')`)
		if unread != "" {
			t.Errorf("in the picture %s", unread)
		}
	})
	t.Run("search, filter, sort and page", func(t *testing.T) { b.table(t, r) })
	t.Run("one identity", func(t *testing.T) {
		b.open(t, "#/identity/databricks:user:100003", "former.person.3@example.com")
		got := b.text(t, "#view")
		for _, want := range []string{"person.3@example.com", "differs", "duplicate", "username-drift", "00u0000003AbCdEfGh5d7", "same"} {
			if !strings.Contains(got, want) {
				t.Errorf("%q is not there:\n%s", want, got)
			}
		}
		b.open(t, "#/identity/okta:user:00u0000004AbCdEfGh5d7", "person.4@example.com")
		if got := b.text(t, "#view"); !strings.Contains(got, "share the email") {
			t.Errorf("the Okta user's page says %s", got)
		}
		b.open(t, "#/identity/databricks:user:nobody", "Not in this report")
	})
	t.Run("a finding and its rule", func(t *testing.T) {
		id := audit.FindingID("username-drift", "databricks:user:100003")
		b.open(t, "#/finding/"+id, "former.person.3@example.com")
		b.do(t, chromedp.Click(chromedp.CSS(".doc summary")))
		if got := b.text(t, ".doc"); !strings.Contains(got, "Usernames can't be changed by any API") {
			t.Errorf("the rule's doc says %s", got)
		}
		b.open(t, "#/rules/shared-email", "shared-email")
		if got := b.text(t, "#rule-shared-email"); !strings.Contains(got, "How to fix") {
			t.Errorf("the rule says %s", got)
		}
	})
	t.Run("work is counted as it is listed", func(t *testing.T) {
		b.open(t, "#/", "NOT READY")
		var work []struct{ Count, Link string }
		listed := evalIn[string](t, b, `JSON.stringify([...document.querySelectorAll('.owners li li a')].map((a) => ({ Count: a.textContent, Link: a.getAttribute('href') })))`)
		if err := json.Unmarshal([]byte(listed), &work); err != nil || len(work) < 5 {
			t.Fatalf("the work is %s: %v", listed, err)
		}
		for _, w := range work {
			if !strings.Contains(w.Link, "remedy=support") { // counts users, of whom a finding may have several
				b.open(t, "#/rules", "Rules")
				evalIn[chromedp.Void](t, b, `location.hash = `+jsString(w.Link))
				b.wait(t, `document.querySelector('.found strong')?.textContent.startsWith(`+jsString(w.Count+" ")+`)`)
			}
		}
	})
	t.Run("decide and download", func(t *testing.T) { b.decide(t, r) })
	t.Run("what to choose from", func(t *testing.T) { b.choose(t, r) })
	t.Run("what is touched only by name is approved one by one", func(t *testing.T) { b.byName(t, r) })
	t.Run("who does what", func(t *testing.T) {
		b.open(t, "#/tasks", "Databricks Support")
		got := b.download(t, `button[data-file="support-ticket.md"]`)
		if want := write(t, File{Write: supportTicket}, r); !bytes.Equal(got, want) {
			t.Errorf("the ticket is %.300s", got)
		}
	})
	t.Run("hostile names are text", func(t *testing.T) {
		b.open(t, "#/identities?q=%3Cscript%3Edocument", "Identities")
		if got := b.text(t, "#rows"); !strings.Contains(got, `<script>document.title='owned'</script>@example.com`) {
			t.Errorf("the name is shown as %s", got)
		}
		b.open(t, "#/identities?q=ecila", "Identities")
		if got := b.text(t, "#rows"); !strings.Contains(got, `\u202emoc`) {
			t.Errorf("the name is shown as %q", got)
		}
		b.open(t, "#/identities?q=spaces@example.com", "Identities")
		if got := b.text(t, "#rows"); !strings.Contains(got, "two  spaces@example.com") {
			t.Errorf("the name with two spaces is shown as %q", got)
		}
		for i := range hostileNames() {
			b.open(t, fmt.Sprint("#/identity/databricks:user:", 500_000_000+i), "In both directories")
		}
		if got := b.text(t, "#view"); !strings.Contains(got, "10,012 characters") {
			t.Errorf("the long name is shown as %.1000s", got)
		}
		if long := evalIn[int](t, b, `document.querySelector('.long').textContent.trim().length`); long < 10_012 {
			t.Errorf("of the long name %d letters can be seen", long)
		}
	})
	t.Run("keyboard", func(t *testing.T) {
		b.open(t, "#/findings", "Findings")
		if where := evalIn[string](t, b, `document.activeElement.tagName`); where != "H1" {
			t.Errorf("after a change of view the focus is on %s", where)
		}
		b.do(t, chromedp.Focus(chromedp.CSS("#search")), chromedp.SendKeys(chromedp.CSS("#search"), "zzz-nobody"))
		b.wait(t, `document.getElementById('live').textContent.startsWith('0 of')`)
	})
	t.Run("accessible", func(t *testing.T) { b.accessible(t) })
	t.Run("phone", func(t *testing.T) {
		b.do(t, chromedp.EmulateViewport(360, 740))
		for _, v := range pageViews() {
			b.open(t, v.hash, v.heading)
			wide := evalIn[string](t, b, `document.documentElement.scrollWidth <= 360 ? '' :
				[...document.querySelectorAll('main *')].filter((e) => e.getBoundingClientRect().right > 360 && !e.closest('.scroll, pre')).slice(0, 3).map((e) => e.outerHTML.slice(0, 120)).join('\n') || 'wide'`)
			if wide != "" {
				t.Errorf("%s is wider than a phone: %s", v.hash, wide)
			}
		}
		b.do(t, chromedp.EmulateViewport(1280, 900))
	})
	t.Run("print", func(t *testing.T) {
		b.open(t, "#/", "NOT READY")
		pdf, err := chromedp.Run(b.ctx, chromedp.PrintToPDF(chromedp.PDFPrintBackground()))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(pdf, []byte("%PDF")) || len(pdf) < 20_000 {
			t.Errorf("the print has %d bytes", len(pdf))
		}
	})
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.troubles {
		t.Error(s)
	}
}

func (b *tab) table(t *testing.T, r *audit.Report) {
	b.open(t, "#/findings", "Findings")
	count := func(keep func(*audit.Finding) bool) (n int) {
		for _, f := range r.Findings.All() {
			if keep(f) {
				n++
			}
		}
		return n
	}
	says := func(want string) {
		t.Helper()
		b.wait(t, `document.querySelector('.found strong').textContent === `+jsString(want))
	}
	all := counted(r.Findings.Len(), "finding")
	says(all)
	b.do(t, chromedp.SendKeys(chromedp.CSS("#search"), "FORMER.person.3@"))
	n := count(func(f *audit.Finding) bool { return strings.Contains(f.Message, "former.person.3@") })
	says(thousands(n) + " of " + all)
	if got := b.text(t, "#rows tbody tr"); !strings.Contains(got, "former.person.3@example.com") {
		t.Errorf("the first row is %q", got)
	}
	b.do(t, chromedp.Click(chromedp.CSS(".found .link")))
	says(all)
	b.set(t, `select[data-facet=rule]`, "shared-email")
	b.set(t, `select[data-facet=severity]`, "blocker")
	n = count(func(f *audit.Finding) bool { return f.Rule == "shared-email" && f.Severity == audit.Blocker })
	says(thousands(n) + " of " + all)
	if hash := evalIn[string](t, b, `location.hash`); hash != "#/findings?severity=blocker&rule=shared-email" {
		t.Errorf("the address is %s", hash)
	}
	b.open(t, "#/findings", "Findings")
	b.do(t, chromedp.Click(chromedp.CSS(`button[data-sort=finding]`)))
	b.wait(t, `document.querySelector('[aria-sort=ascending]')`)
	inOrder := `(() => { const m = [...document.querySelectorAll('#rows tbody th bdi')].map((e) => e.textContent.toLowerCase()); return m.length === 50 && m.every((s, i) => i === 0 || m[i - 1] <= s); })()`
	if !evalIn[bool](t, b, inOrder) {
		t.Errorf("the rows are not sorted: %s", b.text(t, "#rows"))
	}
	first := b.text(t, "#rows tbody tr")
	b.do(t, chromedp.Click(chromedp.Search(`//nav[@aria-label='Pages of the table']//button[text()='Next']`)))
	b.wait(t, `document.querySelector('#page').value === '2'`)
	if b.text(t, "#rows tbody tr") == first {
		t.Error("the second page begins as the first")
	}
	b.do(t, chromedp.Click(chromedp.Search(`//nav[@aria-label='Pages of the table']//button[text()='Last']`)))
	b.wait(t, `document.querySelector('#page').value === document.querySelector('#page').max`)
	left := evalIn[int](t, b, `document.querySelectorAll('#rows tbody tr').length`)
	if want := (r.Findings.Len()-1)%50 + 1; left != want {
		t.Errorf("the last page has %d rows: expected %d", left, want)
	}
}

func (b *tab) download(t *testing.T, button string) []byte {
	t.Helper()
	before, err := filepath.Glob(filepath.Join(filepath.Dir(b.file), "*"))
	if err != nil {
		t.Fatal(err)
	}
	b.do(t, chromedp.Click(chromedp.CSS(button)))
	select {
	case <-b.done:
	case <-time.After(20 * time.Second): // a guard, not a measure
		t.Fatal("nothing was downloaded")
	}
	after, err := filepath.Glob(filepath.Join(filepath.Dir(b.file), "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range after {
		if !strings.Contains(strings.Join(before, "\n")+"\n", name+"\n") {
			text, err := os.ReadFile(name)
			if err == nil {
				err = os.Remove(name)
			}
			if err != nil {
				t.Fatal(err)
			}
			return text
		}
	}
	t.Fatalf("nothing new among %v", after)
	return nil
}

// decide ticks in the page, and applies what it downloads to the plan.
func (b *tab) decide(t *testing.T, r *audit.Report) {
	op := func(word audit.Decision, nth int) string {
		for _, o := range r.Plan.Operations {
			if o.Decision == word {
				if nth--; nth < 0 {
					return o.ID
				}
			}
		}
		t.Fatalf("the plan has no such operation: %q", word)
		return ""
	}
	rejected, approved := op(audit.Approve, 0), op(audit.Undecided, 0)
	b.open(t, "#/plan?size=500", "Plan")
	b.do(t, chromedp.Click(chromedp.CSS(`input[name="d-`+rejected+`"][value=reject]`)),
		chromedp.Click(chromedp.CSS(`input[name="d-`+approved+`"][value=approve]`)))
	b.wait(t, `document.querySelector('.bar-of-plan strong').textContent === '2 decisions'`)
	// A change of mind leaves no trace.
	other := op(audit.Approve, 1)
	b.do(t, chromedp.Click(chromedp.CSS(`input[name="d-`+other+`"][value=reject]`)), chromedp.Click(chromedp.CSS(`input[name="d-`+other+`"][value=approve]`)))
	kept, linked := "", ""
	for m := range r.Plan.Manual.All() {
		switch {
		case m.Remedy != audit.RemedyChoose:
		case kept == "" && strings.HasPrefix(m.Finding, "split-identity-") && len(m.Records) == 2:
			kept = m.Finding
		case linked == "" && strings.HasPrefix(m.Finding, "ambiguous-username-") && len(m.Records) == 1:
			linked = m.Finding
		}
	}
	if kept == "" || linked == "" {
		t.Fatal("the company has nothing to choose")
	}
	b.open(t, "#/finding/"+kept, "What to do")
	b.do(t, chromedp.Click(chromedp.CSS(`.chooser input[value^="keep:"]`)))
	b.open(t, "#/finding/"+linked, "What to do")
	b.do(t, chromedp.Click(chromedp.CSS(`.chooser input[value^="link:"]`)))
	b.open(t, "#/plan", "Plan")
	b.wait(t, `document.querySelector('.bar-of-plan strong').textContent === '4 decisions'`)
	csv := b.download(t, "#download")
	if !bytes.HasPrefix(csv, []byte("id,decision\n")) {
		t.Fatalf("the file is %q", csv)
	}
	answers, err := decisions.Read(bytes.NewReader(csv), "decisions.csv")
	if err != nil {
		t.Fatal(err)
	}
	plan, unusable, err := audit.Decide(r.Plan, answers, audit.NewIndex(r.Snapshot, r.Settings))
	if err != nil || len(unusable) > 0 || len(answers) != 4 {
		t.Fatalf("%d answers, of which unusable are %v: %v", len(answers), unusable, err)
	}
	words := map[string]audit.Decision{}
	because := map[string]bool{}
	for _, o := range plan.Operations {
		words[o.ID] = o.Decision
		for _, f := range o.Because {
			because[f] = because[f] || o.Decision == audit.Approve
		}
	}
	if words[rejected] != audit.Reject || words[approved] != audit.Approve || words[other] != audit.Approve || !because[linked] {
		t.Errorf("the plan has %v, %v, %v, and because of the choice %v", words[rejected], words[approved], words[other], because[linked])
	}
}

// choose looks at what a page offers to choose from: the suggested record first,
// and of a crowd some.
func (b *tab) choose(t *testing.T, r *audit.Report) {
	for _, f := range r.Findings.All() {
		keeper := suggested(f)
		if f.Rule != "split-identity" || keeper.IsZero() {
			continue
		}
		b.open(t, "#/finding/"+f.ID, "What to do")
		first := evalIn[string](t, b, `document.querySelector('.chooser input').value`)
		if tags := evalIn[int](t, b, `document.querySelectorAll('.chooser label:first-of-type .tag').length`); tags != 1 || first != "keep:"+keeper.String() {
			t.Errorf("offered first is %s, marked %d times: suggested is %s", first, tags, keeper)
		}
		break
	}
	b.open(t, "#/finding/"+audit.FindingID("ambiguous-username", "databricks:user:800000000"), "What to do")
	if n := evalIn[int](t, b, `document.querySelectorAll('.chooser input[value^="link:"]').length`); n != 100 {
		t.Errorf("a crowd of 120 is offered as %d", n)
	}
	if got := b.text(t, ".chooser"); !strings.Contains(got, "and 20 more, in subjects.csv") {
		t.Errorf("of the rest of a crowd it says: %s", got)
	}
}

// byName looks at the operation on the account admin: the plan's word for it is
// nobody's, and neither is a word about all.
func (b *tab) byName(t *testing.T, r *audit.Report) {
	i := slices.IndexFunc(r.Plan.Operations, func(o audit.Operation) bool { return o.Touches != "" && o.Decision == audit.Approve })
	if i < 0 {
		t.Fatal("the plan touches nobody by name")
	}
	id := r.Plan.Operations[i].ID
	checked := func(want string) {
		t.Helper()
		b.wait(t, `document.querySelector('input[name="d-`+id+`"][value="`+want+`"]')?.checked`)
	}
	named := func() bool {
		t.Helper()
		answers, err := decisions.Read(bytes.NewReader(b.download(t, "#download")), "decisions.csv")
		if err != nil {
			t.Fatal(err)
		}
		return audit.Named(answers, nil)(r.Plan.Operations[i])
	}
	b.open(t, "#/plan?size=500", "Plan")
	checked("")
	b.do(t, chromedp.Click(chromedp.CSS("#approve-found")))
	checked("")
	if got := b.text(t, ".bulk"); !strings.Contains(got, "but for 1 ") {
		t.Errorf("about all of them it says %q", got)
	}
	if named() {
		t.Error("approving all names the account admin")
	}
	b.do(t, chromedp.Click(chromedp.CSS(`input[name="d-`+id+`"][value=approve]`)))
	checked("approve")
	if !named() {
		t.Error("approving it does not name it")
	}
}

// pageViews are the addresses of the page, with a heading that is seen there.
func pageViews() []struct{ hash, heading string } {
	return []struct{ hash, heading string }{
		{"#/", "NOT READY"},
		{"#/findings?size=25", "Findings"},
		{"#/findings?q=nobody-at-all", "Findings"},
		{"#/identities?size=25", "Identities"},
		{"#/identity/databricks:user:100003", "In both directories"},
		{"#/identity/databricks:user:500000013", "In both directories"},
		{"#/finding/" + audit.FindingID("username-drift", "databricks:user:100003"), "Who it is about"},
		{"#/plan?size=25", "Plan"},
		{"#/choose?size=25", "To choose"},
		{"#/tasks", "Who does what"},
		{"#/rules", "Rules"},
	}
}

// accessible asks axe-core about every view, in light on a desk and in dark on a phone.
func (b *tab) accessible(t *testing.T) {
	peers := os.Getenv("AIMCHECK_PEERS")
	if peers == "" {
		t.Skip("needs the programs that `make test` installs")
	}
	axe, err := os.ReadFile(filepath.Join(peers, "node_modules/axe-core/axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	evalIn[chromedp.Void](t, b, string(axe))
	for _, mode := range []struct {
		scheme string
		width  int64
	}{{"light", 1280}, {"dark", 360}} {
		b.do(t, chromedp.EmulateViewport(mode.width, 900))
		callIn(t, b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: mode.scheme}}})
		for _, v := range pageViews() {
			b.open(t, v.hash, v.heading)
			violations := evalIn[string](t, b, `axe.run(document, {resultTypes: ['violations']}).then((r) =>
				r.violations.map((v) => v.id + ': ' + v.help + '\n' + v.nodes.slice(0, 3).map((n) => '  ' + n.html.slice(0, 200) + '\n  ' + n.failureSummary).join('\n')).join('\n'))`)
			if violations != "" {
				t.Errorf("%s, %s, %d wide: %s", v.hash, mode.scheme, mode.width, violations)
			}
		}
	}
	b.do(t, chromedp.EmulateViewport(1280, 900))
	callIn(t, b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{})
}
