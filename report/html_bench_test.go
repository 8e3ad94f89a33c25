package report

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// BenchmarkGoalHTML opens the page of 100,000 findings in Chromium: how long until
// something is painted, and how long a search and a filter take until they are shown.
func BenchmarkGoalHTML(b *testing.B) {
	people := 95_000
	if testing.Short() {
		people = 2_000
	}
	r := pageCompany(b, people)
	if want := people; r.Findings.Len() < want {
		b.Fatalf("the company has %d findings: expected at least %d", r.Findings.Len(), want)
	}
	html := write(b, File{Write: pageHTML}, r)
	var paint, filter, ready float64
	for b.Loop() {
		tab := newTab(b, html)
		paint += evalIn[float64](b, tab, `performance.getEntriesByName('first-contentful-paint')[0].startTime`) / 1000
		ready += evalIn[float64](b, tab, `performance.getEntriesByName('ready')[0].startTime`) / 1000
		tab.open(b, "#/findings", "Findings")
		// The first search prepares what is searched: that counts too.
		filter += evalIn[float64](b, tab, `(async () => {
			const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
			let worst = 0;
			for (const act of [
				() => { const e = document.getElementById('search'); e.value = 'former.person.3'; e.dispatchEvent(new Event('input', {bubbles: true})); },
				() => { const e = document.querySelector('[data-facet=rule]'); e.value = 'username-drift'; e.dispatchEvent(new Event('change', {bubbles: true})); },
				() => { const e = document.getElementById('search'); e.value = ''; e.dispatchEvent(new Event('input', {bubbles: true})); },
				() => { const e = document.getElementById('search'); e.value = '@example.com'; e.dispatchEvent(new Event('input', {bubbles: true})); },
			]) {
				const from = performance.now();
				act();
				await painted();
				worst = Math.max(worst, performance.now() - from);
			}
			return worst;
		})()`)
		if err := chromedp.Cancel(tab.ctx); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(paint/float64(b.N), "first-paint-s")
	b.ReportMetric(ready/float64(b.N), "ready-s")
	b.ReportMetric(filter/float64(b.N), "filter-ms")
	b.ReportMetric(float64(len(html))/float64(r.Findings.Len()), "B/finding")
}
